"""Every variant is started by its production command, called over HTTP and stopped by SIGTERM."""

import json
import os
import signal
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import httpx2
import pytest

from tests.conftest import Install, NewDatabase
from tests.identity import NewProvider
from tests.rendering import Answers, choices, variant_cases
from tests.servers import free_port
from tests.service import UNLIMITED, Service
from tests.wire import Credentials, check_service

BOTH = "orders:read,orders:write"
CALLERS = {
    "alice": (BOTH, ""),
    "bob": (BOTH, ""),
    "reader": ("orders:read", ""),
    "nobody": ("", ""),
    "admin": (BOTH, "admin"),
}
SECRET = "Vq3Zt8Lw1Xr6Mb9Kc4Yd7Gh2Jf5Np0Ts"  # made for these tests
PASSWORD = "correct horse battery staple"
SETTINGS = {
    "jwt": {
        "AUTH_JWT_SECRET": SECRET,
        "AUTH_JWT_ISSUER": "https://issuer.example",
        "AUTH_JWT_AUDIENCE": "https://audience.example",
        # The checks sign in more often than anybody should; how that is limited has a test of its own.
        "RATE_LIMIT_LOGIN": "1000000/minute",
    }
}


def keys(service: Service, answers: Answers, base_url: str) -> Credentials:
    """Make the admin's key by the service's own command line, and with it a key for each other caller."""
    granted = {name: scopes if answers["example"] else "" for name, (scopes, _) in CALLERS.items()}
    create = ["app", "keys", "create", "--owner", "admin", "--scopes", granted.pop("admin"), "--roles", "admin"]
    headers = {"admin": {"X-API-Key": service.run("uv", "run", *create).splitlines()[-1]}}
    for owner, scopes in granted.items():
        body = {"owner": owner, "scopes": scopes.split(",") if scopes else []}
        made = httpx2.post(f"{base_url}/v1/keys", headers=headers["admin"], json=body).raise_for_status()
        headers[owner] = {"X-API-Key": made.json()["key"]}
    return Credentials(**headers)


def tokens(service: Service, answers: Answers, base_url: str) -> Credentials:
    """Register each caller, grant what only the command line grants, and sign in with no more than the caller has."""
    headers = {}
    for name, (scopes, role) in CALLERS.items():
        user = {"email": f"{name}@example.com", "password": PASSWORD}
        assert 201 == httpx2.post(f"{base_url}/v1/users", json=user).status_code
        if role:
            service.run("uv", "run", "app", "users", "grant", user["email"], role)
        if not scopes:
            service.run("uv", "run", "app", "users", "limit", user["email"], "")
        asked = {"scope": scopes.replace(",", " ")} if answers["example"] else {}
        form = {"username": user["email"], "password": PASSWORD, **asked}
        made = httpx2.post(f"{base_url}/v1/auth/token", data=form).raise_for_status().json()
        headers[name] = {"Authorization": f"Bearer {made['access_token']}"}
    return Credentials(**headers)


def credentials(service: Service, answers: Answers, base_url: str) -> Credentials:
    """Make what each caller identifies itself with."""
    if answers["auth"] == "none":
        return Credentials()
    return keys(service, answers, base_url) if answers["auth"] == "api_key" else tokens(service, answers, base_url)


def secrets_in(log: Path, callers: Credentials) -> list[str]:
    """Return which of the secrets that the checks have sent or set stand in the service's log."""
    sent = [value.rpartition(" ")[2] for headers in asdict(callers).values() for value in headers.values()]
    text = log.read_text("utf-8")
    assert "request" in text, "the log holds no request"
    return [secret for secret in (*sent, PASSWORD, SECRET) if secret in text]


@pytest.mark.parametrize("answers", variant_cases())
def test_keeps_the_contract(
    install: Install, new_database: NewDatabase, new_provider: NewProvider, answers: Answers
) -> None:
    auth, example = answers["auth"], answers["example"]
    settings = {**new_database(answers["database"]), **UNLIMITED, **SETTINGS.get(auth, {})}
    service = install(answers).with_settings(settings)
    service.run("uv", "run", "just", "migrate")
    with ExitStack() as stack:
        if auth == "oidc":
            provider = stack.enter_context(new_provider().running())
            base_url = stack.enter_context(service.with_settings(provider.settings).serving())
            callers = provider.credentials(scopes=example)
        else:
            base_url = stack.enter_context(service.serving())
            callers = credentials(service, answers, base_url)
        secret = settings.get("AUTH_JWT_SECRET", "")
        check_service(base_url, auth=auth, credentials=callers, example=example, secret=secret)
    assert [] == secrets_in(service.directory / "serve.log", callers)


@pytest.mark.parametrize("framework", choices("framework"))
def test_guessing_a_password_is_slow_from_the_start(install: Install, framework: str) -> None:
    service = install({"framework": framework, "database": "sqlite", "auth": "jwt", "example": False})
    service.run("uv", "run", "just", "migrate")
    settings = {"LOG_CLIENT_ADDRESS": "true", "LOG_PERSONAL_DATA_KEY": SECRET}
    with service.with_settings(settings).serving("uv", "run", "app", "serve", codes=[0]) as base_url:
        forms = [{"username": "ada@example.com", "password": f"guess {number}"} for number in range(12)]
        guesses = [httpx2.post(f"{base_url}/v1/auth/token", data=form) for form in forms]
    assert [401] * 10 + [429] * 2 == [guess.status_code for guess in guesses]
    assert 0 < int(guesses[-1].headers["retry-after"]) <= 60
    assert "rate_limited" == guesses[-1].json()["code"]
    log = (service.directory / "serve.log").read_text("utf-8")
    lines = [json.loads(line) for line in log.splitlines()]
    failed = [line for line in lines if line["event"] == "authn_login_fail"]
    assert 10 == len(failed)
    assert 2 == sum(line["event"] == "excess_rate_limit_exceeded" for line in lines)
    # Each of one account, from one address, that the requests came from; and nobody reads which.
    assert 1 == len({(line["account"], line["source_ip"]) for line in failed})
    asked = [line for line in lines if line["event"] == "request" and line["route"] == "/v1/auth/token"]
    assert {failed[0]["source_ip"]} == {line["source_ip"] for line in asked}
    assert not {text for text in ("ada@example.com", "127.0.0.1", SECRET) if text in log.replace(base_url, "")}


@pytest.mark.parametrize("framework", choices("framework"))
def test_production_does_not_start_with_the_secret_of_development(install: Install, framework: str) -> None:
    service = install({"framework": framework, "database": "sqlite", "auth": "jwt", "example": False})
    production = service.with_settings({"ENVIRONMENT": "production", "DATABASE_URL": "sqlite:////tmp/none.db"})
    with pytest.raises(AssertionError, match="AUTH_JWT_SECRET is not set"):
        production.run("uv", "run", "app", "serve")


@pytest.mark.parametrize("framework", choices("framework"))
def test_sigterm_ends_the_service_with_success(install: Install, framework: str) -> None:
    service = install({"framework": framework, "database": "sqlite", "auth": "none", "example": True})
    with service.serving("uv", "run", "app", "serve", codes=[0]) as base_url:
        assert 200 == httpx2.get(f"{base_url}/healthz").status_code


@pytest.mark.parametrize("framework", choices("framework"))
def test_operations_have_a_port_of_their_own_if_asked_to(install: Install, framework: str) -> None:
    service = install({"framework": framework, "database": "sqlite", "auth": "none", "example": True})
    service.run("uv", "run", "just", "migrate")
    own = free_port()
    settings = {
        "OPERATIONS_PORT": str(own),
        "READINESS_DETAILS": "false",
        "SHUTDOWN_DELAY_SECONDS": "1",
        "WORKERS": "2",
    }
    operations, orders = f"http://127.0.0.1:{own}", "/v1/orders"
    with service.with_settings(settings).serving(ready=operations, codes=[0, 143]) as base_url:
        assert {"status": "ready"} == httpx2.get(f"{operations}/readyz").json()
        assert {"status": "ok"} == httpx2.get(f"{operations}/healthz").json()
        answers = [httpx2.get(f"{operations}{orders}")]
        answers += [httpx2.get(f"{base_url}{path}") for path in ("/healthz", "/readyz")]
        assert [(404, "not_found")] * 3 == [(answer.status_code, answer.json()["code"]) for answer in answers]
        assert 200 == httpx2.get(f"{base_url}{orders}").status_code
        service.with_settings(settings).run("uv", "run", "python", "-m", "app.health", "/readyz")
        taken = service.with_settings({"PORT": str(own), "HOST": "127.0.0.1"}).fails("uv", "run", "app", "serve")
        assert "PORT" in taken
    same = service.with_settings({"PORT": "9000", "OPERATIONS_PORT": "9000"}).fails("uv", "run", "app", "serve")
    assert "OPERATIONS_PORT" in same


@pytest.mark.parametrize("framework", choices("framework"))
def test_a_worker_that_is_lost_is_replaced_and_the_log_says_so(install: Install, framework: str) -> None:
    service = install({"framework": framework, "database": "sqlite", "auth": "none", "example": True})
    service.run("uv", "run", "just", "migrate")
    with service.with_settings({"WORKERS": "2"}).serving("uv", "run", "app", "serve", codes=[0]) as base_url:
        # One of the two is enough to be ready, and would be the one that is killed.
        wait_for(service, "Started worker-", times=2)
        spawned = "Spawning worker-1 with PID: "
        (worker,) = (event.removeprefix(spawned) for event in events(service) if event.startswith(spawned))
        os.kill(int(worker), signal.SIGKILL)
        wait_for(service, spawned, times=2)
        assert 200 == httpx2.get(f"{base_url}/healthz").status_code
    assert {"Unexpected exit from worker-1", "Respawning worker-1"} <= {*events(service)}


def wait_for(service: Service, beginning: str, times: int) -> None:
    """Return once so many events in the service's log have this beginning."""
    deadline = time.monotonic() + 30
    while sum(event.startswith(beginning) for event in events(service)) < times:
        assert time.monotonic() < deadline, events(service)
        time.sleep(0.01)


def events(service: Service) -> list[str]:
    """Return what the lines of the service's log say: each is JSON, the server's own too."""
    lines = (service.directory / "serve.log").read_text("utf-8").splitlines()
    return [json.loads(line)["event"] for line in lines]
