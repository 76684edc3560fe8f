"""Each security event is in the log once it has happened, with whom it is about."""

import json
from typing import Any

import httpx2
import pytest

from app.core.settings import Settings
from app.limits import counters
from tests.callers import PASSWORD
from tests.client import open_client
from tests.commands import run_process
from tests.conftest import Events
from tests.users import EMAIL, bearer, refresh, register, sign_in, tokens_of

_ME = "/v1/users/me"


def names(events: list[dict[str, Any]]) -> list[str]:
    return [event["event"] for event in events]


def test_registering_and_signing_in(client: httpx2.Client, events: Events) -> None:
    user = register(client)
    tokens_of(client)

    created, signed_in = events()
    assert names([created, signed_in]) == ["user_created", "authn_login_success"]
    assert {(event["account"], event["user"]) for event in (created, signed_in)} == {(EMAIL, user["id"])}
    assert (signed_in["route"], signed_in["level"]) == ("/v1/auth/token", "info")


def test_failing_to(client: httpx2.Client, events: Events) -> None:
    user = register(client)
    events()
    for account, password in ((EMAIL.upper(), "wrong"), ("eve@example.com", PASSWORD), (PASSWORD, "x")):
        sign_in(client, account, password)
    bearer(client, {"access_token": "none"}).get(_ME)
    refresh(client, {"refresh_token": "none"})
    client.get(_ME)

    found = events()
    assert names(found) == ["authn_login_fail"] * 5
    assert [event["account"] for event in found] == [EMAIL.upper(), "eve@example.com", None, None, None]
    assert [event.get("user") for event in found[:2]] == [user["id"], None]


def test_a_session(client: httpx2.Client, events: Events) -> None:
    register(client)
    first = tokens_of(client)
    events()
    second = refresh(client, first).json()
    for _ in range(2):
        client.post("/v1/auth/logout", json={"refresh_token": second["refresh_token"]})
    other = tokens_of(client)
    refresh(client, other)
    refresh(client, other)

    found = events()
    ended = ["session_renewed", "authn_token_revoked", "authn_login_success", "session_renewed", "authn_token_reuse"]
    assert names(found) == [*ended, "authn_login_fail"]
    assert len({event["session_id"] for event in found[:5]}) == 2


def test_changes_of_oneself(client: httpx2.Client, events: Events) -> None:
    user = register(client)
    caller = bearer(client, tokens_of(client))
    events()
    caller.patch(_ME, json={"password": "another password", "current_password": "wrong"})
    caller.patch(_ME, json={"password": "another password", "current_password": PASSWORD})
    caller.patch(_ME, json={"email": "Ada@example.org", "current_password": "another password"})

    failed, changed, revoked, moved = found = events()
    assert names(found) == [
        *("authn_password_change_fail", "authn_password_change", "authn_token_revoked", "user_updated"),
    ]
    assert revoked["sessions"] == 0
    assert (moved["account"], moved["new_account"]) == (EMAIL, "Ada@example.org")
    assert {event["user"] for event in (failed, changed, revoked, moved)} == {user["id"]}
    assert {event["principal"] for event in found} == {user["id"]}


def test_too_many_attempts(settings: Settings, client: httpx2.Client, events: Events) -> None:  # noqa: ARG001 - empties the tables
    counters.forget()
    limits = {"rate_limit_enabled": True, "rate_limit_login": "2/hour", "trusted_proxies": ("*",)}
    with open_client(settings.model_copy(update=limits)) as limited:
        limited.headers["X-Forwarded-For"] = "192.0.2.7"
        for _ in range(4):
            sign_in(limited, EMAIL, "wrong")
    counters.forget()

    found = events()
    assert names(found) == ["authn_login_fail"] * 2 + ["excess_rate_limit_exceeded"] * 2
    assert {event["source_ip"] for event in found} == {"192.0.2.7"}
    assert {event["limit"] for event in found[2:]} == {"token"}


def test_commands(settings: Settings, client: httpx2.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    user = register(client)
    assert settings.database_url is not None
    monkeypatch.setenv("DATABASE_URL", settings.database_url.get_secret_value())
    outcome = run_process("users", "grant", EMAIL, "admin")

    (line,) = outcome.err.splitlines()
    event = json.loads(line)
    assert (event["event"], event["principal"]) == ("authz_change", "command line")
    assert (event["user"], event["old_roles"], event["new_roles"]) == (user["id"], [], ["admin"])
    assert outcome.out == f"{EMAIL} has the role admin.\n"
