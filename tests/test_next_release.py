"""The next release of the template: what it adds stands beside what teams have added, in files and in databases."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from tests.bytecode import compile_bytecode
from tests.conftest import NewDatabase
from tests.edits import REVISION, edit
from tests.pipelines import FILES
from tests.rendering import Answers, git, render, variant_id
from tests.service import Service
from tests.updates import ANCHOR, NEWER, commit, conflicts, next_release, own_files, started, update

SERVICES: list[Answers] = [
    {
        "framework": "fastapi",
        "database": "postgresql",
        "auth": "jwt",
        "ci": "github",
        "deploy": ["compose", "kubernetes"],
    },
    {"framework": "flask", "database": "sqlite", "auth": "api_key", "ci": "jenkins", "deploy": ["compose"]},
]
ANCHORED = {
    ".dockerignore",
    ".env.example",
    ".gitignore",
    "app/core/scopes.py",
    "app/core/settings.py",
    "deploy/compose/.env.example",
    "deploy/compose/compose.yaml",
    "deploy/compose/monitoring/prometheus.yaml",
    "deploy/monitoring/rules.test.yaml",
    "deploy/monitoring/rules.yaml",
    "justfile",
    "pyproject.toml",
    "ruff.toml",
    "tests/contract/test_authorization.py",
    "tests/rows.py",
}
OURS, THEIRS = "A line of the team.", "The template's newest line."
INSERT = """
from app.core.settings import get_settings
from app.db.database import Database
from app.db.models.invoices import Invoice
Database(get_settings()).write(lambda session: session.add(Invoice(number="2026-1")))
"""
SELECT = """
from sqlalchemy import func, select
from app.core.settings import get_settings
from app.db.database import Database
from app.db.models.audits import Audit
from app.db.models.invoices import Invoice
print(Database(get_settings()).read(lambda session: [
    session.scalars(select(Invoice.number)).all(), session.scalar(select(func.count()).select_from(Audit))
]))
"""

Lived = Callable[[Answers], tuple[Path, Path]]


@pytest.fixture(scope="session")
def lived(template: Path, shared: Path) -> Lived:
    """Return a function that gives a service as its team has it, and as an update to the next release makes it."""

    def once(answers: Answers) -> tuple[Path, Path]:
        edited, updated = (shared / "next" / variant_id(answers) / stage for stage in ("edited", "updated"))
        with FileLock(shared / "next.lock"):
            newer = shared / "newer"
            if not newer.exists():
                next_release(template, newer)
            if not updated.exists():
                start = render(newer, shared / "next" / variant_id(answers) / "start", **answers)
                edit(started(start, edited), answers["framework"])
                for path in anchored(edited).values():
                    path.write_text(ANCHOR.sub(rf"\g<0>\n\1\2 {OURS}", path.read_text("utf-8")), "utf-8")
                commit(edited, "Work on it")
                update(shutil.copytree(edited, updated), NEWER)
        return edited, updated

    return once


def anchored(service: Path) -> dict[str, Path]:
    """Return the files of a service in which lines of the template and of the team stand on two sides of an anchor."""
    return {
        name: path for name, path in own_files(service).items() if ANCHOR.search(path.read_text("utf-8", "replace"))
    }


@pytest.mark.parametrize("answers", SERVICES, ids=variant_id)
class TestNextRelease:
    def test_lines_of_both_stand_on_two_sides_of_each_anchor(self, lived: Lived, answers: Answers) -> None:
        _, updated = lived(answers)
        more = {"deploy/kubernetes/base/kustomization.yaml"} if "kubernetes" in answers["deploy"] else set()
        assert ANCHORED | more | {FILES[answers["ci"]]} == anchored(updated).keys()
        for path in anchored(updated).values():
            text = path.read_text("utf-8")
            anchors = len(ANCHOR.findall(text))
            # The first line of the team stands below the anchor, whatever else it has put there.
            both = re.findall(rf"^ *\S+ {THEIRS}\n{ANCHOR.pattern}\n *\S+ {OURS}$", text, re.MULTILINE)
            assert anchors == len(both), path
        assert set() == conflicts(updated)

    def test_a_table_of_the_template_and_one_of_the_team_are_joined(
        self, lived: Lived, answers: Answers, new_database: NewDatabase, shared: Path, tmp_path: Path
    ) -> None:
        edited, _ = lived(answers)
        service = Service(shutil.copytree(edited, tmp_path / "service"), new_database(answers["database"]))
        service.run("uv", "sync", "--quiet")
        compile_bytecode(service.directory / ".venv", shared / "bytecode")
        service.run("uv", "run", "just", "migrate")
        service.run("uv", "run", "python", "-c", INSERT)

        commit(service.directory, "Lock")
        service.run("uv", "run", "just", "template-update", "--defaults", "--vcs-ref", NEWER)
        refused = service.fails("uv", "run", "just", "migrate")
        assert f"0009_audits and {REVISION}" in refused
        assert "uv run just merge-migrations" in refused

        service.run("uv", "run", "just", "merge-migrations")
        assert "CREATE TABLE audits" in service.run("uv", "run", "app", "migrate", "--dry-run")
        service.run("uv", "run", "just", "migrate")
        assert "[['2026-1'], 0]" == service.run("uv", "run", "python", "-c", SELECT).strip()
        service.run("uv", "run", "ruff", "check", "app/db")
        service.run("uv", "run", "ruff", "format", "--check", "app/db")
        service.run("uv", "run", "just", "migrations")


class TestConflicts:
    def test_fail_the_update_and_every_commit(
        self, lived: Lived, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        edited, _ = lived(SERVICES[1])
        service = Service(shutil.copytree(edited, tmp_path / "service"))
        justfile = service.directory / "justfile"
        justfile.write_text(ANCHOR.sub(rf"\1\2 {OURS}\n\g<0>", justfile.read_text("utf-8")), "utf-8")
        service.run("uv", "sync", "--quiet")
        commit(service.directory, "Add a line where the template adds one")

        printed = service.fails("uv", "run", "just", "template-update", "--defaults", "--vcs-ref", NEWER)
        assert re.search(r"^justfile:\d+:<<<<<<< before updating$", printed, re.MULTILINE)
        assert "An update has left these conflicts" in printed

        # A justfile with markers is no justfile: the conflict moves to a file that just does not read.
        git(service.directory, "checkout", "--quiet", "--force", "HEAD")
        (service.directory / "notes.md").write_text("<<<<<<< before updating\n", "utf-8")
        git(service.directory, "add", "notes.md")
        monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "hooks"))
        hook = service.fails("uvx", "--quiet", "pre-commit", "run", "conflicts")
        assert "notes.md:1" in hook
