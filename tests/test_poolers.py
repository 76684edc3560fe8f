"""A service behind PgBouncer, whose settings are its defaults, in session and in transaction mode."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import httpx2
import psycopg
import pytest

from tests.conftest import Install, NewDatabase
from tests.pgbouncer import pooled
from tests.servers import ServerMissingError
from tests.wire.samples import an_order

LIMIT_SECONDS = 4.0
THREADS = 8
REQUESTS = 200
_SLOW = "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(20); RETURN NEW; END $$"
_RUNS_AWAY = "CREATE TRIGGER slow BEFORE INSERT ON orders EXECUTE FUNCTION slow()"
_RUNNING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'"


@pytest.mark.parametrize("mode", ["transaction", "session"])
@pytest.mark.parametrize("framework", ["fastapi", "flask"])
def test_a_service_works_behind_a_pooler(
    install: Install, new_database: NewDatabase, framework: str, mode: str
) -> None:
    answers = {"framework": framework, "database": "postgresql", "auth": "none", "example": True}
    service, direct = install(answers), new_database("postgresql")["DATABASE_URL"]
    with ExitStack() as stack:
        try:
            url = stack.enter_context(pooled(direct, mode))
        except ServerMissingError as missing:
            pytest.skip(str(missing))
        behind = service.with_settings({"DATABASE_URL": url, "REQUEST_TIMEOUT_SECONDS": str(LIMIT_SECONDS)})
        refused = behind.fails("uv", "run", "app", "migrate")
        assert "DATABASE_MIGRATION_URL must lead to the database itself" in refused
        behind.with_settings({"DATABASE_MIGRATION_URL": direct}).run("uv", "run", "app", "migrate")
        base = stack.enter_context(behind.serving())
        client = stack.enter_context(httpx2.Client(base_url=base, timeout=10 * LIMIT_SECONDS, trust_env=False))
        every_request_succeeds(client)
        what_runs_away_is_stopped(client, direct)
        assert 200 == client.get("/readyz").status_code


def every_request_succeeds(client: httpx2.Client) -> None:
    def turn(_: int) -> list[int]:
        created = client.post("/v1/orders", json=an_order())
        place = created.headers.get("Location", "/v1/orders/none")
        seen = client.get(place)
        changed = client.patch(place, json={"note": "later"}, headers={"If-Match": seen.headers.get("ETag", "*")})
        return [each.status_code for each in (created, seen, changed, client.get("/v1/orders"))]

    with ThreadPoolExecutor(THREADS) as threads:
        statuses = Counter(status for turn in threads.map(turn, range(REQUESTS // 4)) for status in turn)
    assert {201: REQUESTS // 4, 200: 3 * REQUESTS // 4} == statuses


def what_runs_away_is_stopped(client: httpx2.Client, direct: str) -> None:
    with closing(psycopg.connect(direct, autocommit=True)) as connection:
        connection.execute(_SLOW)
        connection.execute(_RUNS_AWAY)
        assert 504 == client.post("/v1/orders", json=an_order()).status_code
        # The server stops it itself, long before it would end: nothing but this question is left.
        deadline = time.monotonic() + LIMIT_SECONDS
        while (running := connection.execute(_RUNNING).fetchone()) != (1,):
            assert time.monotonic() < deadline, f"{running} statements run"
            time.sleep(0.1)
        connection.execute("DROP FUNCTION slow CASCADE")
        assert 201 == client.post("/v1/orders", json=an_order()).status_code
