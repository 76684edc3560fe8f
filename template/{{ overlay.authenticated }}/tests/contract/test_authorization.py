"""Every route asks for what it declares."""

import re
from collections.abc import Generator
from typing import Any
from uuid import UUID

import httpx2
import pytest

from app.auth.policy import Access, requires
from app.auth.principal import ADMIN
from app.core.scopes import SCOPES
from app.core.settings import Settings
from app.db.database import Database
from app.schemas.health import Health
from tests.callers import OWN, SIGN_IN, headers_for
from tests.client import open_client, routes
from tests.document import Document
from tests.requests import Caller, assert_failed


@requires(role=ADMIN)
def planted() -> Health:
    """Answer admins: a route for services that have none yet which asks for something."""
    return Health(status="ok")


_PUBLIC = {
    "/healthz",
    "/readyz",
    "/docs",
    "/docs/{name}",
    "/openapi.json",
    "/.well-known/security.txt",
    *SIGN_IN,
    # --- public paths of this service go below this line ---
}
_NOWHERE = UUID("01900000-0000-7000-8000-000000000000")
_PLANTED = ("GET", "/planted", Access(roles=frozenset({ADMIN})))
_GUARDED = [_PLANTED, *(route for route in routes() if not route[2].public)]
_GRANTED = [route for route in _GUARDED if route[1] not in OWN]


@pytest.fixture(scope="module")
def opened(settings: Settings) -> Generator[httpx2.Client]:
    with open_client(settings, [("GET", "/planted", planted)]) as client:
        yield client


def _call(caller: httpx2.Client | Caller, method: str, path: str) -> httpx2.Response:
    options: dict[str, Any] = {"json": {}} if method in {"POST", "PUT", "PATCH"} else {}
    return caller.request(method, re.sub(r"\{\w+\}", str(_NOWHERE), path), **options)


def _assert_refused(response: httpx2.Response, status: int, code: str, document: Document) -> None:
    assert_failed(response, status, code)
    if response.url.path != "/planted":
        document.check(response)


def test_only_operations_documentation_and_signing_in_are_public() -> None:
    public = {path for _, path, access in routes() if access.public}

    assert public - _PUBLIC == set(), "if anybody may call these, add them to _PUBLIC in this file"
    assert _PUBLIC - public == set(), "nobody serves these: take them out of _PUBLIC in this file"


@pytest.mark.parametrize(("method", "path", "access"), _GUARDED)
class TestEveryGuardedRoute:
    def test_refuses_a_caller_without_credentials(
        self, opened: httpx2.Client, document: Document, method: str, path: str, access: Access
    ) -> None:
        response = _call(opened, method, path)

        _assert_refused(response, 401, "unauthenticated", document)
        assert response.headers["www-authenticate"]
        assert response.headers["cache-control"] == "no-store"
        assert not access.public


@pytest.mark.parametrize(("method", "path", "access"), _GRANTED)
class TestEveryRouteThatIsNotAboutTheCaller:
    def test_refuses_a_caller_that_was_granted_nothing(
        self, opened: httpx2.Client, database: Database, document: Document, method: str, path: str, access: Access
    ) -> None:
        nobody = Caller(opened, headers_for(database, "nobody"))

        _assert_refused(_call(nobody, method, path), 403, "forbidden", document)
        assert access.scopes | access.roles

    def test_refuses_a_caller_that_lacks_one_grant(
        self, opened: httpx2.Client, database: Database, document: Document, method: str, path: str, access: Access
    ) -> None:
        for missing in access.scopes | access.roles:
            granted = headers_for(database, "nearly", sorted(set(SCOPES) - {missing}), sorted(access.roles - {missing}))

            _assert_refused(_call(Caller(opened, granted), method, path), 403, "forbidden", document)
