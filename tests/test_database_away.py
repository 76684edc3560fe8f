"""A service starts without its database, says so, and works once it is there; also when it goes and comes back."""

import time

import httpx2
import pytest

from tests.conftest import Install, NewDatabase
from tests.relay import relayed
from tests.servers import free_port
from tests.wire.samples import an_order

CASES = [("fastapi", "postgresql"), ("flask", "mysql")]
LIMIT_SECONDS = 4.0


def expect_away(client: httpx2.Client) -> None:
    """Expect that the service says that its database is away, and lives."""
    for answer in (client.get("/v1/orders"), client.post("/v1/orders", json=an_order())):
        assert (503, "unavailable") == (answer.status_code, answer.json()["code"])
        assert int(answer.headers["retry-after"]) > 0
    readiness = client.get("/readyz")
    assert (503, "unavailable") == (readiness.status_code, readiness.json()["status"])
    assert 200 == client.get("/healthz").status_code


def is_well(client: httpx2.Client) -> bool:
    """Return whether it works, at the latest when it has noticed that its connections are lost."""
    deadline = time.monotonic() + 10 * LIMIT_SECONDS
    while client.get("/readyz").status_code != 200 and time.monotonic() < deadline:
        time.sleep(0.1)
    return [client.post("/v1/orders", json=an_order()).status_code, client.get("/v1/orders").status_code] == [201, 200]


@pytest.mark.parametrize(("framework", "database"), CASES)
def test_it_starts_without_it(install: Install, new_database: NewDatabase, framework: str, database: str) -> None:
    answers = {"framework": framework, "database": database, "auth": "none", "example": True}
    service = install(answers).with_settings(new_database(database))
    service.run("uv", "run", "just", "migrate")
    port, url = free_port(), service.settings["DATABASE_URL"]
    with relayed(url, port) as (_, through):
        pass
    away = service.with_settings({"DATABASE_URL": through, "REQUEST_TIMEOUT_SECONDS": str(LIMIT_SECONDS)})
    with (
        away.serving(probe="/healthz") as base_url,
        httpx2.Client(base_url=base_url, timeout=10 * LIMIT_SECONDS, trust_env=False) as client,
    ):
        expect_away(client)
        for _ in range(2):
            with relayed(url, port):
                assert is_well(client)
            expect_away(client)
