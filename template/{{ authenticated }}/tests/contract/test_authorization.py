"""Every route asks for what it declares."""

import re
from typing import Any
from uuid import UUID

import httpx2
import pytest

from app.auth.policy import Access
from app.core.scopes import SCOPES
from app.db.database import Database
from tests.callers import OWN, SIGN_IN, headers_for
from tests.client import routes
from tests.requests import Caller, assert_failed

_NOWHERE = UUID("01900000-0000-7000-8000-000000000000")
_GUARDED = [route for route in routes() if not route[2].public]
_GRANTED = [route for route in _GUARDED if route[1] not in OWN]


def _path(template: str) -> str:
    return re.sub(r"\{\w+\}", str(_NOWHERE), template)


def _options(method: str) -> dict[str, Any]:
    return {"json": {}} if method in {"POST", "PUT", "PATCH"} else {}


def test_only_operations_and_signing_in_are_public() -> None:
    assert {path for _, path, access in routes() if access.public} == {"/healthz", "/readyz", *SIGN_IN}


@pytest.mark.parametrize(("method", "path", "access"), _GUARDED)
class TestEveryGuardedRoute:
    def test_refuses_a_caller_without_credentials(
        self, client: httpx2.Client, method: str, path: str, access: Access
    ) -> None:
        response = client.request(method, _path(path), **_options(method))

        assert_failed(response, 401, "unauthenticated")
        assert response.headers["www-authenticate"]
        assert response.headers["cache-control"] == "no-store"
        assert not access.public


@pytest.mark.parametrize(("method", "path", "access"), _GRANTED)
class TestEveryRouteThatIsNotAboutTheCaller:
    def test_refuses_a_caller_that_was_granted_nothing(
        self, client: httpx2.Client, database: Database, method: str, path: str, access: Access
    ) -> None:
        nobody = Caller(client, headers_for(database, "nobody"))
        response = nobody.request(method, _path(path), **_options(method))

        assert_failed(response, 403, "forbidden")
        assert access.scopes | access.roles

    def test_refuses_a_caller_that_lacks_one_grant(
        self, client: httpx2.Client, database: Database, method: str, path: str, access: Access
    ) -> None:
        for missing in access.scopes | access.roles:
            granted = headers_for(database, "nearly", sorted(set(SCOPES) - {missing}), sorted(access.roles - {missing}))
            response = Caller(client, granted).request(method, _path(path), **_options(method))

            assert_failed(response, 403, "forbidden")
