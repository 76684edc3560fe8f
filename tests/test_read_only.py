"""A database that takes no changes for a while: a primary that has become a replica, or is about to."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httpx2
import pytest

from tests.conftest import Install, NewDatabase
from tests.servers import create_database, execute, start_mysql, started
from tests.wire.samples import an_order

Switch = Callable[[str], None]


def postgresql(new_database: NewDatabase) -> tuple[str, Switch]:
    """Return the URL of a new database, and what makes it read-only: "on" for new connections, "off" for them alone."""
    url = new_database("postgresql")["DATABASE_URL"]
    name = urlsplit(url).path.removeprefix("/")
    elsewhere = urlunsplit(urlsplit(url)._replace(path="/postgres"))

    def switch(state: str) -> None:
        execute(elsewhere, f"ALTER DATABASE {name} SET default_transaction_read_only = {state}")
        if state == "on":
            connections = f"pg_stat_activity WHERE datname = '{name}'"
            execute(elsewhere, f"SELECT pg_terminate_backend(pid, 5000) FROM {connections}")  # noqa: S608 - our own

    return url, switch


def mysql(shared: Path) -> tuple[str, Switch]:
    """Return the URL of a new database on a server of its own, for a user who may not write when others may not."""
    server = started("read-only-mysql", shared, start_mysql).url
    url = create_database(server)
    execute(server, "CREATE USER app@'127.0.0.1'")
    execute(server, f"GRANT ALL ON {urlsplit(url).path.removeprefix('/')}.* TO app@'127.0.0.1'")
    return url.replace("root@", "app@"), lambda state: execute(server, f"SET GLOBAL read_only = {state}")


@pytest.mark.parametrize(
    ("framework", "database", "auth"), [("fastapi", "postgresql", "api_key"), ("flask", "mysql", "none")]
)
def test_a_service_lives_through_it(
    install: Install, new_database: NewDatabase, shared: Path, framework: str, database: str, auth: str
) -> None:
    url, switch = postgresql(new_database) if database == "postgresql" else mysql(shared)
    answers = {"framework": framework, "database": database, "auth": auth, "example": True}
    service = install(answers).with_settings({"DATABASE_URL": url})
    service.run("uv", "run", "just", "migrate")
    new_key = ("uv", "run", "app", "keys", "create", "--owner", "ada", "--scopes", "orders:read,orders:write")
    # The use of one that was never used is written down.
    one, other = (service.run(*new_key).split()[-1] if auth == "api_key" else "" for _ in range(2))
    with service.serving() as base, httpx2.Client(base_url=base, trust_env=False) as client:
        client.headers["X-API-Key"] = one
        assert 201 == client.post("/v1/orders", json=an_order()).status_code

        switch("on")
        refused = client.post("/v1/orders", json=an_order())
        assert (503, "unavailable") == (refused.status_code, refused.json()["code"])
        assert refused.headers["Retry-After"].isdigit()
        readiness = client.get("/readyz")
        assert (503, "read_only") == (readiness.status_code, readiness.json()["checks"]["database"])
        assert 200 == client.get("/v1/orders").status_code
        assert 200 == client.get("/v1/orders", headers={"X-API-Key": other}).status_code

        switch("off")
        assert 201 == client.post("/v1/orders", json=an_order()).status_code
        assert 200 == client.get("/readyz").status_code
