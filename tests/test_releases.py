"""Releases: tags that never move, listed with their commits, each with its notes in the changelog."""

import re
import subprocess
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


def test_the_changelog_holds_no_jinja_since_the_message_after_an_update_includes_it() -> None:
    assert not re.search(r"{{|{%|{#", CHANGELOG)


@pytest.mark.parametrize("release", releases(), ids=lambda release: release.version)
def test_the_changelog_says_what_changed_and_what_to_do(release: Release) -> None:
    section = re.search(
        rf"^## \[{re.escape(release.version)}\] - {release.date}\n(.*?)(?=^## |\Z)", CHANGELOG, re.DOTALL | re.MULTILINE
    )
    assert section
    assert re.search(r"^### (Added|Changed|Fixed)\n\n- ", section[1], re.MULTILINE)
    assert re.search(r"^### Upgrade notes\n\n- ", section[1], re.MULTILINE)


ENTRIES = """# Changelog

## [Unreleased]

### Added

- Something.

### Upgrade notes

- Nothing.

## [0.1.0] - 2026-11-22
"""


@pytest.fixture
def clone(template: Path, tmp_path: Path) -> Path:
    """Return a clone whose changelog has something to release."""
    git(tmp_path, "clone", "--quiet", str(template), "clone")
    (tmp_path / "clone/CHANGELOG.md").write_text(ENTRIES, "utf-8")
    git(tmp_path / "clone", "commit", "--quiet", "--all", "--message", "Say what changed")
    return tmp_path / "clone"


def release(clone: Path, version: str) -> "subprocess.CompletedProcess[str]":
    """Run the task that releases `version`."""
    command = ["just", "release", version]
    return subprocess.run(command, cwd=clone, capture_output=True, text=True, check=False)


class TestTask:
    def test_releases_a_newer_version(self, clone: Path) -> None:
        result = release(clone, "999.1.0")
        assert 0 == result.returncode, result.stderr
        assert "git push origin HEAD v999.1.0" in result.stdout
        newest = releases(clone / "releases.toml")[-1]
        assert ("999.1.0", git(clone, "rev-parse", "v999.1.0^{commit}").strip()) == (newest.version, newest.commit)
        section = f"## [Unreleased]\n\n## [999.1.0] - {newest.date}\n\n### Added\n\n- Something.\n"
        assert section in git(clone, "show", "v999.1.0:CHANGELOG.md")
        assert "" == git(clone, "status", "--porcelain")

    @pytest.mark.parametrize(
        ("version", "reason"),
        [
            ("0.4.0", "0.4.0 is not newer than"),
            ("next", "next is no version of PEP 440"),
            ("v999.1.0", "write v999.1.0 as 999.1.0"),
            ("999.0.0", "the tag v999.0.0 exists"),
        ],
    )
    def test_refuses_another(self, clone: Path, version: str, reason: str) -> None:
        before = git(clone, "rev-parse", "HEAD")
        assert reason in release(clone, version).stderr
        assert before == git(clone, "rev-parse", "HEAD")

    @pytest.mark.parametrize("heading", ["### Added", "### Upgrade notes"])
    def test_refuses_a_changelog_without_entries(self, clone: Path, heading: str) -> None:
        (clone / "CHANGELOG.md").write_text(ENTRIES.replace(heading, "### Other"), "utf-8")
        git(clone, "commit", "--quiet", "--all", "--message", "Say less")
        assert "CHANGELOG.md has no" in release(clone, "999.1.0").stderr
        assert "" == git(clone, "tag", "--list", "v999.1.0")

    def test_refuses_what_is_not_committed(self, clone: Path) -> None:
        (clone / "new").touch()
        assert "not committed" in release(clone, "999.1.0").stderr
        assert "" == git(clone, "tag", "--list", "v999.1.0")
