"""What a deployment with Compose must not let anybody do, and what it must say."""

import json
import ssl

import httpx2
import pytest

from tests.compose import Stack
from tests.wire.samples import an_order

# What the account that serves must not do: the code runs in its container, with its settings.
SQL = """
import sys
from sqlalchemy import text
from app.core.settings import get_settings
from app.db.database import make_engine
from app.db.url import database_url
settings = get_settings()
with make_engine(database_url(settings), settings, "write").connect() as connection:
    connection.execute(text(sys.argv[1]))
"""
FORBIDDEN = (
    "CREATE TABLE planted (a INT)",
    "CREATE TEMPORARY TABLE planted (a INT)",
    "DROP TABLE orders",
    "ALTER TABLE orders ADD a INT",
    "DELETE FROM alembic_version",
    "UPDATE alembic_version SET version_num = 'planted'",
    "INSERT INTO alembic_version VALUES ('planted')",
)
FORBIDDEN_IN = {
    "postgresql": ("SELECT lo_create(0)", "SELECT lo_from_bytea(0, 'x')"),
    "mysql": ("SELECT * FROM mysql.user", "CREATE DATABASE planted"),
}


def refused(stack: Stack, statement: str) -> bool:
    """Return whether the database does not let the account that serves run a statement."""
    run = ["exec", "-T", "api", "sh", "-c", 'python -c "$1" "$2" 2>&1 || true', "sh", SQL, statement]
    printed = stack.compose(*run)
    return any(sign in printed for sign in ("permission denied", "must be owner", "command denied", "Access denied"))


def published(stack: Stack) -> set[str]:
    """Return which services publish ports on this machine."""
    shown = (json.loads(line) for line in stack.compose("ps", "--format", "json").splitlines())
    return {each["Service"] for each in shown if any(port["PublishedPort"] for port in each["Publishers"] or [])}


def containers(stack: Stack) -> list[dict[str, dict[str, object]]]:
    """Return what the engine knows of all containers."""
    return json.loads(stack.docker.run("inspect", *stack.compose("ps", "--all", "--quiet").split()))


def expect_tls(stack: Stack) -> None:
    """Expect that clients are told to use HTTPS, and that nobody trusts its certificate unasked."""
    plain = httpx2.post(f"http://localhost:{stack.http_port}/v1/orders", json=an_order())
    with pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx2.get(f"{stack.base_url}/healthz", verify=ssl.create_default_context())
    assert (403, "Use HTTPS.") == (plain.status_code, plain.text)
    assert "location" not in plain.headers


def expect_hardened(stack: Stack) -> None:
    """Expect that no container can write or may do what it need not."""
    assert {"proxy"} == published(stack)
    for container in containers(stack):
        host = container["HostConfig"]
        limits = host["ReadonlyRootfs"], host["CapDrop"], host["SecurityOpt"], host["Memory"] != 0
        assert (True, ["ALL"], ["no-new-privileges:true"], True) == limits, container["Name"]


def expect_accounts(stack: Stack, database: str) -> None:
    """Expect that the service may only read and write rows, and that the proxy does not even find the database."""
    for statement in ("SELECT count(*) FROM orders", "SELECT count(*) FROM alembic_version"):
        assert not refused(stack, statement), statement
    for statement in (*FORBIDDEN, *FORBIDDEN_IN[database]):
        assert refused(stack, statement), statement
    # The engine passes what it does not know on to this machine's servers of names, which it does not reach.
    look_up = 'RES_OPTIONS="timeout:1 attempts:1" getent hosts "$1" >/dev/null && echo found || echo unknown'
    find = ["exec", "-T", "proxy", "sh", "-c", look_up, "sh"]
    assert ["found", "unknown"] == [stack.compose(*find, name).strip() for name in ("api", "database")]
    dry_run = stack.compose("run", "--rm", "migrate", "app", "migrate", "--dry-run")
    assert "Nothing to do" in dry_run


def expect_apart(stack: Stack, auth: str) -> None:
    """Expect that the service has no way to the internet unless its identity provider is there."""
    api = json.loads(stack.docker.run("inspect", stack.container("api")))[0]
    networks = json.loads(stack.docker.run("network", "inspect", *api["NetworkSettings"]["Networks"]))
    assert {auth != "oidc"} == {network["Internal"] for network in networks if not network["Name"].endswith("_data")}


def expect_metrics(stack: Stack) -> None:
    """Expect that metrics are there for the network of the service, and not for the public."""
    ask = "from urllib.request import urlopen; print(urlopen('http://api:9000/metrics').read().decode())"
    with stack.client() as client:
        assert 404 == client.get("/metrics").status_code
    assert "orders_created_total 1.0" in stack.execute("python", "-c", ask)


def expect_access_log(stack: Stack) -> None:
    """Expect that the proxy logs who asked for what, and neither credentials nor queries."""
    with stack.client() as client:
        client.get("/v1/orders?customer_email=planted%40example.com", headers={"X-API-Key": "planted-key"})
    lines = stack.compose("logs", "--no-log-prefix", "proxy").splitlines()
    (entry,) = (json.loads(line) for line in lines if '"/v1/orders"' in line and '"GET"' in line)
    assert entry["request"]["remote_ip"]
    assert not [line for line in lines if "planted" in line]
