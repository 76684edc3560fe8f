"""Adopting the template in a service that has a database with tables already, as the how-to for fleets says."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.conftest import Render
from tests.edits import MODEL, REVISION, migration, newest_migration
from tests.service import Service

TABLE = "SELECT sql FROM sqlite_master WHERE name = 'invoices'"
ROW = "INSERT INTO invoices VALUES ('2026-1', 'a', '2026-01-01', '2026-01-01')"


def test_the_tables_of_an_older_service_are_taken_over_with_their_rows(render: Render, tmp_path: Path) -> None:
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    service = Service(render(framework="flask", database="sqlite", auth="api_key", example=False))
    service.run("uv", "sync", "--quiet")
    on_old = service.with_settings({"DATABASE_URL": f"sqlite:///{old}"})
    on_new = service.with_settings({"DATABASE_URL": f"sqlite:///{new}"})
    describe_the_old_tables(service.directory)

    # What a database looks like that the older service has made.
    on_new.run("uv", "run", "just", "migrate")
    with closing(sqlite3.connect(new)) as made, closing(sqlite3.connect(old)) as database:
        database.execute(made.execute(TABLE).fetchone()[0])
        database.execute(ROW)
        database.commit()

    on_old.run("uv", "run", "app", "migrate", newest_migration(service.directory))
    on_old.run("uv", "run", "alembic", "stamp", REVISION)

    assert "Nothing to do" in on_old.run("uv", "run", "app", "migrate", "--dry-run")
    assert "No new upgrade operations" in on_old.run("uv", "run", "alembic", "check")
    with closing(sqlite3.connect(old)) as database:
        assert [("2026-1",)] == database.execute("SELECT number FROM invoices").fetchall()
        assert [(0,)] == database.execute("SELECT count(*) FROM api_keys").fetchall()


def describe_the_old_tables(project: Path) -> None:
    """Write the model of a table that is there already, and the migration that makes it in a new database."""
    versions = project / "app/db/migrations/versions"
    (project / "app/db/models/invoices.py").write_text(MODEL, "utf-8")
    (versions / "20261201_invoices.py").write_text(migration(newest_migration(project)), "utf-8")
