"""A migration waits for a table that an idle transaction holds, and no request waits long for the migration."""

import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlsplit

import httpx2
import psycopg
import pymysql
import pytest

from tests.conftest import Install, NewDatabase
from tests.edits import newest_migration
from tests.service import UNLIMITED, Service
from tests.wire.samples import an_order

LONGEST_SECONDS = 2.0
WAITS = 3
PATIENCE_SECONDS = 120
MIGRATION = '''"""Add a column."""

import sqlalchemy as sa
from alembic import op

revision = "under_load"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("colour", sa.String(20)))


def downgrade() -> None:
    op.drop_column("orders", "colour")
'''
WAITING = {
    "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'ALTER%' "
    "AND wait_event_type = 'Lock'",
    "mysql": "SELECT count(*) FROM information_schema.processlist WHERE db = DATABASE() AND info LIKE 'ALTER%' "
    "AND state LIKE 'Waiting for table metadata lock'",
}

# Of psycopg or PyMySQL: what is used here, both have.
Connection = Any


def connected(url: str) -> Connection:
    if url.startswith("postgresql"):
        return psycopg.connect(url)
    parts = urlsplit(url)
    return pymysql.connect(
        host=parts.hostname, port=parts.port or 3306, user=parts.username, database=parts.path.removeprefix("/")
    )


def asked(connection: Connection, statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        (value,) = cursor.fetchone() or (0,)
    return value


@pytest.mark.parametrize(("framework", "database"), [("fastapi", "postgresql"), ("flask", "mysql")])
def test_a_migration_that_waits(install: Install, new_database: NewDatabase, framework: str, database: str) -> None:
    answers = {"framework": framework, "database": database, "auth": "none", "example": True}
    service = install(answers).with_settings({**UNLIMITED, **new_database(database)})
    service.run("uv", "run", "just", "migrate")
    url = service.settings["DATABASE_URL"]
    with service.serving() as base, planted(service), loaded(base) as answered, ThreadPoolExecutor(1) as aside:
        with closing(connected(url)) as idle, closing(connected(url)) as watch:
            asked(idle, "SELECT count(*) FROM orders")
            migration = aside.submit(service.run, "uv", "run", "app", "migrate")
            wait_until_it_has_waited(watch, WAITING[database])
            assert not migration.done()
            idle.rollback()
            assert "The database is at head." in migration.result()
        ready = httpx2.get(f"{base}/readyz", trust_env=False)
    # The service is older than the schema now, which rolling updates have to bear.
    assert (200, "ok") == (ready.status_code, ready.json()["checks"]["migrations"])
    assert {200, 201} == {status for status, _ in answered}
    assert max(seconds for _, seconds in answered) < LONGEST_SECONDS
    with closing(connected(url)) as connection:
        assert len([status for status, _ in answered if status == 201]) == asked(
            connection, "SELECT count(*) FROM orders"
        )


@contextmanager
def planted(service: Service) -> Generator[Path]:
    file = service.directory / "app/db/migrations/versions/under_load.py"
    file.write_text(MIGRATION.format(before=newest_migration(service.directory)), "utf-8")
    try:
        yield file
    finally:
        file.unlink()


@contextmanager
def loaded(base: str) -> Generator[list[tuple[int, float]]]:
    """Read and write all the time, and yield the list of statuses, and seconds that each took."""
    answered: list[tuple[int, float]] = []
    stop = Event()

    def load() -> None:
        with httpx2.Client(base_url=base, timeout=PATIENCE_SECONDS, trust_env=False) as client:
            while not stop.is_set():
                for call in (lambda: client.get("/v1/orders"), lambda: client.post("/v1/orders", json=an_order())):
                    started = time.monotonic()
                    status = call().status_code
                    answered.append((status, time.monotonic() - started))
                time.sleep(0.05)

    with ThreadPoolExecutor(2) as threads:
        loads = [threads.submit(load) for _ in range(2)]
        try:
            yield answered
        finally:
            stop.set()
            for each in loads:
                each.result()


def wait_until_it_has_waited(watch: Connection, waiting: str) -> None:
    """Return once the migration has waited WAITS times, and given way in between."""
    seen, deadline = [0], time.monotonic() + PATIENCE_SECONDS
    while seen.count(1) < WAITS:
        assert time.monotonic() < deadline, "the migration does not wait"
        now = min(1, asked(watch, waiting))
        # Where a statement's own view of the others is kept until the transaction ends.
        watch.rollback()
        if now != seen[-1]:
            seen.append(now)
        time.sleep(0.02)
