"""A fleet: fifty services of all releases are updated in one run."""

import itertools
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.rendering import REPOSITORY, TAG, git, variant_id
from tests.test_update import STARTS, answers_of
from tests.updates import ANCHOR, Rendering, commit, conflicts, differences, rendering, started, update

__all__ = ["rendering"]

COUNT = 50
# One in so many teams has written where the template has, too.
RIVALS = 5
OURS = "/reports-of-the-team"


def loop(start: str, fleet: Path) -> list[str]:
    """Return the lines that a loop of the how-to for fleets prints."""
    howto = (REPOSITORY / "docs/how-to/fleet.md").read_text("utf-8")
    (command,) = re.findall(rf"```sh\n(for service in \*/; do\n  {start}.*?)```", howto, re.DOTALL)
    command = command.replace("uvx copier@9.19.1", "copier")
    return subprocess.run(
        ["sh", "-uc", command], cwd=fleet, check=True, capture_output=True, text=True
    ).stdout.splitlines()


def inventory(fleet: Path) -> dict[str, str]:
    """Return the version that each service is on."""
    versions = {}
    for line in loop("printf", fleet):
        service, version, answers = line.split("\t")
        assert re.search(r"auth: \w+,.*database: \w+,.*framework: \w+", answers)
        versions[service.rstrip("/")] = version
    return versions


def outdated(fleet: Path) -> list[str]:
    """Return the services for which there is a newer release."""
    return [line.removesuffix("/: 2") for line in loop("uvx", fleet)]


def work(service: Path, *, rival: bool) -> set[str]:
    """Do what a team does, and return which files an update conflicts with."""
    (service / "app/services/reports.py").write_text('"""Reports."""\n', "utf-8")
    for name, line in {"README.md": "Ask #reports on chat.", **({".gitignore": OURS} if rival else {})}.items():
        path = service / name
        path.write_text(f"{path.read_text('utf-8')}{line}\n", "utf-8")
    commit(service, "Add reports")
    return {".gitignore"} if rival else set()


def start_all(rendering: Rendering, fleet: Path) -> tuple[dict[str, Path], dict[str, set[str]]]:
    """Start the services, and return fresh copies of those that nobody touches, and what the others conflict in."""
    fresh, worked_on = {}, {}
    starts = [(tag, answers_of(name)) for tag, names in STARTS.items() for name in names]
    for number, (tag, answers) in enumerate(itertools.islice(itertools.cycle(starts), COUNT)):
        name = f"{number:02}-{variant_id(answers)}"
        service = started(rendering(answers, tag), fleet / name)
        if number < len(starts):
            fresh[name] = rendering(answers)
        else:
            # Below an anchor it would be no conflict.
            rival = number % RIVALS == 0 and not ANCHOR.search((service / ".gitignore").read_text("utf-8"))
            worked_on[name] = work(service, rival=rival)
    return fresh, worked_on


def table(rows: list[tuple[str, ...]]) -> str:
    """Return rows as text in columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def test_fifty_services_are_updated_in_one_run(
    rendering: Rendering, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    fleet, ring = tmp_path / "fleet", tmp_path / "ring"
    ring.mkdir()
    fresh, worked_on = start_all(rendering, fleet)
    before = inventory(fleet)
    assert set(STARTS) == set(before.values())
    for name in sorted(before)[:2]:
        (ring / name).symlink_to(fleet / name)
    assert sorted(before)[:2] == outdated(ring)

    found, seconds = {}, {}
    for name in before:
        begun = time.monotonic()
        found[name] = conflicts(update(fleet / name))
        seconds[name] = f"{time.monotonic() - begun:.1f}"
    after = inventory(fleet)
    rows = [(name, before[name], after[name], ", ".join(found[name]) or "none", seconds[name]) for name in before]
    record_property("fleet", table([("service", "from", "to", "conflicts", "seconds"), *rows]))

    assert {TAG} == set(after.values())
    assert [] == outdated(ring)
    assert {name: worked_on.get(name, set()) for name in before} == found
    assert {} == {name: changed for name, copy in fresh.items() if (changed := differences(copy, fleet / name))}
    for name, files in worked_on.items():
        touched = git(fleet / name, "status", "--porcelain", "app/services/reports.py", "README.md")
        assert "" == touched, "an update has touched what is the team's"
        assert bool(files) == (OURS in (fleet / name / ".gitignore").read_text("utf-8"))
