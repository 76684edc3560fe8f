"""Releases: tags that never move, listed with their commits, each with its notes in the changelog."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.version import Version

from tests.releases import Release, releases, tag_releases
from tests.rendering import REPOSITORY, TAG, git

pytestmark = pytest.mark.quick

CHANGELOG = (REPOSITORY / "CHANGELOG.md").read_text("utf-8")


class TestReleases:
    def test_are_in_order(self) -> None:
        versions = [Version(release.version) for release in releases()]
        assert versions == sorted(set(versions))

    def test_follow_each_other_in_the_history(self) -> None:
        commits = [release.commit for release in releases()]
        for older, newer in zip(commits, [*commits[1:], "HEAD"], strict=True):
            git(REPOSITORY, "merge-base", "--is-ancestor", older, newer)

    def test_are_tagged_in_the_clone_under_test(self, template: Path) -> None:
        tags = git(template, "tag", "--list", "v*").split()
        assert {TAG, *(release.tag for release in releases())} == set(tags)
        assert releases()[0].commit == git(template, "rev-list", "--max-count=1", releases()[0].tag).strip()

    def test_a_commit_that_is_missing_is_named_with_its_version(self, template: Path, tmp_path: Path) -> None:
        git(tmp_path, "clone", "--quiet", str(template), "clone")
        lost = replace(releases()[0], version="0.0.9", commit="0" * 40)
        with pytest.raises(LookupError, match=r"0\.0\.9 is commit 0{40}"):
            tag_releases(tmp_path / "clone", [lost])


@pytest.mark.parametrize("release", releases(), ids=lambda release: release.version)
def test_the_changelog_says_what_changed_and_what_to_do(release: Release) -> None:
    section = re.search(
        rf"^## \[{re.escape(release.version)}\] - {release.date}\n(.*?)(?=^## |\Z)", CHANGELOG, re.DOTALL | re.MULTILINE
    )
    assert section
    assert re.search(r"^### (Added|Changed|Fixed)\n\n- ", section[1], re.MULTILINE)
    assert re.search(r"^### Upgrade notes\n\n- ", section[1], re.MULTILINE)
