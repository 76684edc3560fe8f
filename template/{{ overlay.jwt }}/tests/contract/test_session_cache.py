"""With AUTH_SESSION_CACHE_SECONDS, the database is asked for a caller once in so many seconds."""

from collections.abc import Generator

import httpx2
import pytest

from app.core.settings import Settings
from app.db.database import Database
from tests.client import open_client
from tests.users import bearer, refresh, register, sign_in

_ME = "/v1/users/me"


@pytest.fixture
def cached(settings: Settings, database: Database) -> Generator[httpx2.Client]:  # noqa: ARG001 - empties the tables
    with open_client(settings.model_copy(update={"auth_session_cache_seconds": 300.0})) as client:
        register(client)
        yield client


def test_a_token_that_was_taken_is_taken_again_though_its_session_has_ended(cached: httpx2.Client) -> None:
    tokens = sign_in(cached).json()
    caller = bearer(cached, tokens)
    statuses = [caller.get(_ME).status_code]
    cached.post("/v1/auth/logout", json={"refresh_token": tokens["refresh_token"]})
    statuses.append(caller.get(_ME).status_code)

    assert statuses == [200, 200]


def test_one_that_was_not_asked_for_is_refused(cached: httpx2.Client) -> None:
    tokens = sign_in(cached).json()
    other = refresh(cached, tokens).json()
    bearer(cached, tokens).get(_ME)
    cached.post("/v1/auth/logout", json={"refresh_token": other["refresh_token"]})

    assert bearer(cached, other).get(_ME).status_code == 401


def test_what_was_refused_is_asked_for_again(cached: httpx2.Client) -> None:
    tokens = sign_in(cached).json()
    forged = {**tokens, "access_token": tokens["access_token"][:-2]}

    assert [bearer(cached, each).get(_ME).status_code for each in (forged, forged, tokens)] == [401, 401, 200]
