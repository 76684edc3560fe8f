"""The bot that proposes updates, run by the service's own task on a newer version of the template."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.gitlab import GitLab, serving
from tests.rendering import ANSWERS_FILE, REPOSITORY, TAG, git, render
from tests.service import Service
from tests.updates import ANCHOR, NEWER, commit, next_release, started

TOKEN = "glpat-of-the-bot"
CONFLICT = ".gitignore"


def edit_settings(service: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change what the bot is told in a service."""
    path = service / "renovate.json"
    settings = json.loads(path.read_text("utf-8"))
    change(settings)
    path.write_text(json.dumps(settings), "utf-8")


def hold_back(service: Path) -> None:
    """Put a service into a ring, as the how-to for fleets says, that may not have the newer version yet."""
    howto = (REPOSITORY / "docs/how-to/fleet.md").read_text("utf-8")
    (ring,) = re.findall(r"```json\n(.*?)```", howto, re.DOTALL)
    (rule,) = json.loads(ring.replace("<=0.4.0", f"<={TAG.removeprefix('v')}"))["packageRules"]
    del rule["schedule"]
    edit_settings(service, lambda settings: settings["packageRules"].append(rule))


def add_a_line_where_the_template_adds_one(service: Path) -> None:
    """Make the update a conflict."""
    path = service / CONFLICT
    path.write_text(ANCHOR.sub(r"\1/reports\n\g<0>", path.read_text("utf-8")), "utf-8")


CHANGES: dict[str, Callable[[Path], None]] = {
    "edited": add_a_line_where_the_template_adds_one,
    "held-back": hold_back,
}


@pytest.fixture
def rendered(template: Path, tmp_path: Path) -> Path:
    """Return a rendering whose template has a newer version."""
    newer = next_release(template, tmp_path / "template")
    project = render(newer, tmp_path / "rendered", database="sqlite", ci="gitlab")
    answers = project / ANSWERS_FILE
    # The bot reads no bare path.
    answers.write_text(answers.read_text("utf-8").replace(f"_src_path: {newer}", f"_src_path: git+file://{newer}"))
    # For updates of the dependencies it asks github.com which versions of Python there are.
    edit_settings(project, lambda settings: settings["enabledManagers"].remove("pep621"))
    return project


@pytest.fixture
def gitlab(rendered: Path, tmp_path: Path) -> GitLab:
    """Return what the bot has proposed to services in one run, by the command of a scheduled pipeline."""
    repositories = tmp_path / "repositories"
    names = ["pristine", *CHANGES]
    for name in names:
        service = started(rendered, tmp_path / name)
        git(service, "branch", "--move", "main")
        if name in CHANGES:
            CHANGES[name](service)
            commit(service, "Work on it")
        git(tmp_path, "clone", "--quiet", "--bare", str(service), str(repositories / f"{name}.git"))
    settings = {"RENOVATE_TOKEN": TOKEN, "RENOVATE_BASE_DIR": str(tmp_path / "renovate")}
    with serving(repositories) as server:
        where = ["--platform=gitlab", f"--endpoint={server.url}", *(f"acme/{name}" for name in names)]
        # Half a gigabyte, where nobody has fetched it before.
        printed = Service(rendered, settings).run("uv", "run", "just", "renovate", *where, seconds=900)
    assert TOKEN not in printed
    return server


def test_a_newer_template_is_proposed_at_once_and_conflicts_are_marked(gitlab: GitLab) -> None:
    for name in ("pristine", "edited"):
        (request,) = gitlab.merge_requests[name]
        assert f"`{TAG}` → `{NEWER}`" in request["description"]
        branch = gitlab.repositories / f"{name}.git", request["source_branch"]
        assert f"_commit: {NEWER}" in content(*branch, ANSWERS_FILE)
        assert "# The template's newest line." in content(*branch, "justfile")
        assert (name == "edited") == ("<<<<<<< before updating" in content(*branch, CONFLICT))
        assert "/reports" in content(*branch, CONFLICT) or name == "pristine"

    assert ([], []) == (gitlab.notes["pristine"], gitlab.statuses["pristine"])
    (note,) = gitlab.notes["edited"]
    assert (
        f"1 merge conflicts. Please check the proposed changes carefully! Conflicting files:\n  * {CONFLICT}"
        in note["body"]
    )
    assert {"failed"} == {status["state"] for status in gitlab.statuses["edited"]}
    assert [] == gitlab.merge_requests["held-back"]


def content(repository: Path, branch: str, name: str) -> str:
    """Return the text of a file on a branch."""
    return git(repository, "show", f"{branch}:{name}")
