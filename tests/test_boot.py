"""Every variant is started by its production command, called over HTTP and stopped by SIGTERM."""

from contextlib import ExitStack

import httpx2
import pytest

from tests.conftest import Install, NewDatabase
from tests.identity import NewProvider
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
def test_keeps_the_contract(
    install: Install, new_database: NewDatabase, new_provider: NewProvider, answers: Answers
) -> None:
    service = install(answers).with_settings(new_database(answers["database"]))
    service.run("uv", "run", "just", "migrate")
    with ExitStack() as stack:
        if answers["auth"] == "oidc":
            provider = stack.enter_context(new_provider().running())
            service = service.with_settings(provider.settings)
            callers = provider.credentials(scopes=answers["example"])
        else:
            callers = credentials(service, answers)
        base_url = stack.enter_context(service.serving())
        check_service(base_url, auth=answers["auth"], credentials=callers, example=answers["example"])


@pytest.mark.parametrize("framework", choices("framework"))
def test_sigterm_ends_the_service_with_success(install: Install, framework: str) -> None:
    service = install({"framework": framework, "database": "sqlite", "auth": "none", "example": True})
    with service.serving("uv", "run", "app", "serve", codes=[0]) as base_url:
        assert 200 == httpx2.get(f"{base_url}/healthz").status_code
