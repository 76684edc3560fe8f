"""Every variant is started by its production command, called over HTTP and stopped by SIGTERM."""

import httpx2
import pytest

from tests.conftest import Install, NewDatabase
from tests.rendering import Answers, choices, variant_cases
from tests.service import Service
from tests.wire import Credentials, check_service

BOTH = "orders:read,orders:write"
CALLERS = {
    "alice": (BOTH, ""),
    "bob": (BOTH, ""),
    "reader": ("orders:read", ""),
    "nobody": ("", ""),
    "admin": (BOTH, "admin"),
}


def credentials(service: Service, answers: Answers) -> Credentials:
    """Make what each caller identifies itself with, by the service's own command line."""
    if answers["auth"] == "none":
        return Credentials()
    headers = {}
    for owner, (scopes, roles) in CALLERS.items():
        granted = scopes if answers["example"] else ""
        create = ["app", "keys", "create", "--owner", owner, "--scopes", granted, "--roles", roles]
        headers[owner] = {"X-API-Key": service.run("uv", "run", *create).splitlines()[-1]}
    return Credentials(**headers)


@pytest.mark.parametrize("answers", variant_cases())
def test_keeps_the_contract(install: Install, new_database: NewDatabase, answers: Answers) -> None:
    service = install(answers).with_settings(new_database(answers["database"]))
    service.run("uv", "run", "just", "migrate")
    callers = credentials(service, answers)
    with service.serving() as base_url:
        check_service(base_url, auth=answers["auth"], credentials=callers, example=answers["example"])


@pytest.mark.parametrize("framework", choices("framework"))
def test_sigterm_ends_the_service_with_success(install: Install, framework: str) -> None:
    service = install({"framework": framework, "database": "sqlite", "auth": "none", "example": True})
    with service.serving("uv", "run", "app", "serve", codes=[0]) as base_url:
        assert 200 == httpx2.get(f"{base_url}/healthz").status_code
