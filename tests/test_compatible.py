"""The release before goes on working on the migrated database, or `just check-compatible` says that it does not."""

from pathlib import Path

import pytest

from tests.bytecode import compile_bytecode
from tests.conftest import NewDatabase
from tests.edits import newest_migration
from tests.rendering import Answers, git, render, variant_id
from tests.service import Service
from tests.updates import commit, started

SERVICES: list[Answers] = [
    {"framework": "fastapi", "database": "postgresql", "auth": "none"},
    {"framework": "flask", "database": "mysql", "auth": "none"},
    {"framework": "flask", "database": "sqlite", "auth": "none"},
]
MIGRATION = '''"""Change orders."""

import sqlalchemy as sa
from alembic import op

from app.db.newer import LENGTH

revision = "{name}"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.{action}


def downgrade() -> None:
    pass
'''
ADD = 'add_column("orders", sa.Column("colour", sa.String(LENGTH)))'
DROP = 'drop_column("orders", "note")'


def migrate(service: Service, name: str, before: str, action: str) -> None:
    """Write a migration that needs code which the release before does not have."""
    path = service.directory / "app/db/migrations/versions" / f"{name}.py"
    path.write_text(MIGRATION.format(name=name, before=before, action=action), "utf-8")
    (service.directory / "app/db/newer.py").write_text("LENGTH = 20\n", "utf-8")


@pytest.mark.parametrize("answers", SERVICES, ids=variant_id)
def test_the_release_before_runs_its_tests_on_the_migrated_database(
    template: Path, shared: Path, tmp_path: Path, new_database: NewDatabase, answers: Answers
) -> None:
    directory = started(render(template, tmp_path / "rendered", **answers), tmp_path / "service")
    service = Service(directory, new_database(answers["database"]))
    service.run("uv", "sync", "--quiet")
    compile_bytecode(service.directory / ".venv", shared / "bytecode")
    check = ("uv", "run", "just", "check-compatible")
    assert "There is no commit before this one" in service.run(*check)
    assert "nonsense is no commit" in service.fails(*check, "nonsense")

    (directory / "notes.md").write_text("A change.\n", "utf-8")
    commit(directory, "Change no table")
    assert "No migration was added" in service.run(*check)

    migrate(service, "added", newest_migration(service.directory), ADD)
    commit(directory, "Add a column")
    # All tests once, which take long, and then those of what was changed.
    chosen = () if answers["database"] == "postgresql" else ("HEAD~1", "tests/contract/test_orders.py")
    assert "The tests of" in (printed := service.run(*check, *chosen))
    assert "changed: added.py" in printed
    assert " passed" in printed

    migrate(service, "dropped", "added", DROP)
    failed = service.fails(*check, "HEAD", "tests/contract/test_orders.py")
    assert "FAILED tests/contract/test_orders.py" in failed
    assert "changed: dropped.py" in failed

    # A service of before there was this check.
    git(directory, "rm", "--quiet", "--cached", "tests/compatibility.py")
    git(directory, "commit", "--quiet", "--message", "Be older")
    assert "nothing is checked" in service.run(*check, "HEAD")


def test_the_default_branch_is_fetched_where_a_pipeline_has_its_own_alone(template: Path, tmp_path: Path) -> None:
    answers = {"framework": "flask", "database": "sqlite", "auth": "none", "default_branch": "trunk"}
    origin = started(render(template, tmp_path / "rendered", **answers), tmp_path / "origin")
    git(origin, "branch", "--move", "trunk")
    git(origin, "checkout", "--quiet", "-b", "change")
    for name in ("one", "two"):
        (origin / f"{name}.md").write_text("A change.\n", "utf-8")
        commit(origin, f"Write {name}")
    git(tmp_path, "clone", "--quiet", "--single-branch", "--branch", "change", f"file://{origin}", "clone")
    service = Service(tmp_path / "clone")
    service.run("uv", "sync", "--quiet")
    check = ("sh", "-c", "uv run just check-compatible 2>&1")
    trunk, before = (git(origin, "rev-parse", each).strip() for each in ("trunk", "change~1"))
    assert f"since {trunk}" in service.run(*check)

    git(service.directory, "update-ref", "-d", "refs/remotes/origin/trunk")
    origin.rename(tmp_path / "away")
    alone = service.run(*check)
    assert "origin/trunk cannot be read from here" in alone
    assert f"since {before}" in alone
