"""Each security event is in the log once it has happened, with whom it is about."""

import json

import httpx2
import pytest

from app.auth.principal import ADMIN
from app.core.settings import Settings
from app.db.database import Database
from tests.callers import headers_for
from tests.commands import run_process
from tests.conftest import Events
from tests.requests import Caller


def test_a_key_is_made_and_revoked(client: httpx2.Client, database: Database, events: Events) -> None:
    admin = Caller(client, headers_for(database, "ops", roles=[ADMIN]))
    events()
    key = admin.post("/v1/keys", json={"owner": "billing"}).json()
    for _ in range(2):
        admin.delete(f"/v1/keys/{key['id']}")

    created, revoked = events()
    assert (created["event"], revoked["event"]) == ("authn_token_created", "authn_token_revoked")
    assert {(event["owner"], event["key_id"], event["principal"]) for event in (created, revoked)} == {
        ("billing", key["id"], "ops")
    }


def test_a_refusal(client: httpx2.Client, database: Database, events: Events) -> None:
    caller = Caller(client, headers_for(database, "billing"))
    events()
    caller.get("/v1/keys")
    Caller(client, {"X-API-Key": "none"}).get("/v1/keys")
    client.get("/v1/keys")

    forbidden, unknown = events()
    assert (forbidden["event"], forbidden["principal"]) == ("authz_fail", "billing")
    assert forbidden["missing_roles"] == [ADMIN]
    assert (unknown["event"], unknown["principal"], unknown["route"]) == ("authn_login_fail", None, "/v1/keys")


def test_commands(settings: Settings, monkeypatch: pytest.MonkeyPatch, database: Database) -> None:  # noqa: ARG001 - empties the tables
    assert settings.database_url is not None
    monkeypatch.setenv("DATABASE_URL", settings.database_url.get_secret_value())
    outcome = run_process("keys", "create", "--owner", "billing", "--scopes", "")

    (event,) = [json.loads(line) for line in outcome.err.splitlines() if line.startswith("{")]
    assert (event["event"], event["principal"], event["owner"]) == ("authn_token_created", "command line", "billing")
    assert outcome.out.splitlines()[-1] not in outcome.err
