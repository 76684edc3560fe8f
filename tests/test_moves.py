"""Files that have moved since a release: the upgrade notes say where to, and how a team brings its lines along."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.releases import Release, releases
from tests.rendering import REPOSITORY, Answers, git
from tests.updates import Rendering, commit, conflicts, own_files, rendering, started, update

__all__ = ["rendering"]

NOTES = (REPOSITORY / "CHANGELOG.md").read_text("utf-8")
ROW = re.compile(r"^ *\| `([\w./-]+)` \| (?:`([\w./-]+)`|gone: .+) \|$", re.MULTILINE)
MOVES = {old: new for old, new in ROW.findall(NOTES) if "/" in old}
COMMAND = re.compile(r"```sh\n( *for move in .*?)```", re.DOTALL)
# The first release whose files have to be found again.
FIRST = "v0.4.0"


def template_paths(listed: str) -> set[str]:
    """Return the paths in a service of the files of the template that git has `listed`, whatever was chosen."""
    paths = (re.sub(r"^template/(\{\{ [^/]+ \}\}/)?|\.jinja$", "", line) for line in listed.splitlines())
    return {path for path in paths if "{{" not in path}


@pytest.mark.quick
@pytest.mark.parametrize("release", [each for each in releases() if each.tag >= FIRST], ids=lambda each: each.tag)
def test_no_released_file_goes_without_a_word(template: Path, release: Release) -> None:
    then = template_paths(git(template, "ls-tree", "-r", "--name-only", release.commit, "template"))
    now = template_paths(git(template, "ls-files", "template"))
    assert set() == then - now - MOVES.keys()
    assert set() == {new for new in MOVES.values() if new} - now
    assert set() == MOVES.keys() & now


@pytest.mark.quick
def test_paths_are_those_of_a_service() -> None:
    listed = [
        "template/{{ overlay.flask }}/app/main.py",
        "template/docs/a.md.jinja",
        "template/{{ answers_file }}.jinja",
    ]
    assert {"app/main.py", "docs/a.md"} == template_paths("\n".join(listed))


@pytest.mark.parametrize(
    "answers",
    [
        {"framework": "fastapi", "database": "postgresql", "auth": "jwt", "example": True},
        {"framework": "flask", "database": "sqlite", "auth": "oidc", "example": False},
    ],
    ids=lambda answers: f"{answers['framework']}-{answers['auth']}",
)
def test_the_command_brings_every_changed_line_along(rendering: Rendering, tmp_path: Path, answers: Answers) -> None:
    service = started(rendering(answers, FIRST), tmp_path / "service")
    moved = {old: new for old, new in MOVES.items() if new and (service / old).exists()}
    for old in moved:
        path = service / old
        path.write_text(f"{path.read_text('utf-8')}\n\nOURS = {old!r}\n", "utf-8")
    commit(service, "Change files that move")

    (command,) = COMMAND.findall(NOTES)
    subprocess.run(["sh", "-euc", command], cwd=service, check=True, capture_output=True)
    update(service)
    of_users = {old for old in MOVES if re.search(r"sign_in|rate_limits|http/clients", old)}
    expected = {"app/auth/style.py", "app/core/auth_settings.py"} | (of_users if answers["auth"] == "jwt" else set())
    assert expected == moved.keys()
    for old, new in moved.items():
        assert not (service / old).exists()
        assert f"OURS = {old!r}" in (service / new).read_text("utf-8")
    assert conflicts(service) <= set(moved.values())
    fresh = own_files(rendering(answers))
    assert set() == own_files(service).keys() ^ fresh.keys()
