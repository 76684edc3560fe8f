"""What the command line says of failures of the database."""

from collections.abc import Callable
from unittest.mock import patch

import click
import pytest
from sqlalchemy import text

from app.cli import cli
from app.core.settings import Settings
from app.db.commands import opened_database
from tests.commands import Outcome, assert_refused, run_app
from tests.conftest import Command
from tests.databases import without_database

_HINT = "was it migrated? uv run just migrate"
# A service may have no table yet.
_TABLE = "CREATE TEMPORARY TABLE passing (id INTEGER NOT NULL PRIMARY KEY)"


def _run(run: Callable[..., Outcome], *statements: str) -> Outcome:
    """Return what a command says that runs `statements`."""

    def execute() -> None:
        with opened_database() as database:
            database.write(lambda session: [session.execute(text(statement)) for statement in statements])

    with (
        patch.dict(cli.commands, {"planted": click.Command("planted", callback=execute)}),
        # The log is the process's: it stays where the other tests look for it.
        patch("app.db.commands.configure_logging"),
    ):
        return run("planted")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1 FROM no_such_table",
        "SELECT no_such_column FROM passing",
        "INSERT INTO passing (no_such_column) VALUES (1)",
    ],
)
def test_a_missing_table_or_column_asks_for_migrations(command: Command, statement: str) -> None:
    assert_refused(_run(command, _TABLE, statement), "no_such_", _HINT)


def test_a_constraint_that_was_broken_does_not(command: Command) -> None:
    refused = _run(command, _TABLE, "INSERT INTO passing (id) VALUES (1), (1)")

    assert_refused(refused, "the database refused")
    assert _HINT not in refused.err


def test_a_database_that_is_away_says_why(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    url = without_database(settings).database_url
    assert url is not None
    monkeypatch.setenv("DATABASE_URL", url.get_secret_value())
    refused = _run(run_app, "SELECT 1")

    assert_refused(refused, "cannot reach its database", "OperationalError")
    assert _HINT not in refused.err
