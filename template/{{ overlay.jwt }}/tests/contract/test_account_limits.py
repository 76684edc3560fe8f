"""Guessing is slow, and says when to go on."""

from collections.abc import Generator
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from app.core.settings import Settings
from app.limits import counters
from tests.callers import PASSWORD
from tests.client import open_client
from tests.requests import Caller, assert_failed
from tests.users import EMAIL, bearer, refresh, register, sign_in, tokens_of

# The tests' clients have no address, so one counter holds them all. Proxies are trusted: they can pretend to have.
_LIMITED = {"rate_limit_enabled": True, "rate_limit_login": "3/hour", "trusted_proxies": ("*",)}


@pytest.fixture(scope="module")
def limited_service(settings: Settings) -> Generator[httpx2.Client]:
    with open_client(settings.model_copy(update=_LIMITED)) as limited:
        yield limited


@pytest.fixture
def limited(limited_service: httpx2.Client, client: httpx2.Client) -> Generator[httpx2.Client]:  # noqa: ARG001 - empties the tables
    counters.forget()
    yield limited_service
    counters.forget()


def _from(client: httpx2.Client, address: str) -> Any:
    return Caller(client, {"X-Forwarded-For": address})


def _guess(client: Any, email: str = EMAIL, password: str = "wrong") -> httpx2.Response:
    response: httpx2.Response = client.post("/v1/auth/token", data={"username": email, "password": password})
    return response


class TestHeaders:
    def test_every_answer_says_what_is_left(self, limited: httpx2.Client) -> None:
        left = [_guess(limited, f"{number}@example.com").headers for number in range(3)]

        assert {'"token";q=3;w=3600'} == {each["ratelimit-policy"].split(",")[0] for each in left}
        assert [each["ratelimit"].split(";t=")[0] for each in left] == ['"token";r=2', '"token";r=1', '"token";r=0']

    def test_answers_429_with_retry_after(self, limited: httpx2.Client) -> None:
        for number in range(3):
            _guess(limited, f"{number}@example.com")
        response = _guess(limited)

        assert_failed(response, 429, "rate_limited")
        assert 3590 <= int(response.headers["retry-after"]) <= 3600
        assert response.headers["ratelimit"] == f'"token";r=0;t={response.headers["retry-after"]}'

    def test_what_is_not_limited_says_nothing(self, limited: httpx2.Client) -> None:
        assert "ratelimit" not in limited.get("/healthz").headers


class TestOrder:
    """Limits come after the media type and the caller, and before the body."""

    def test_a_body_that_is_wrong_counts(self, limited: httpx2.Client) -> None:
        seen = [limited.post("/v1/users", json={}).status_code for _ in range(4)]

        assert seen == [422, 422, 422, 429]

    def test_another_media_type_does_not(self, limited: httpx2.Client) -> None:
        seen = [limited.post("/v1/users", data={"a": "b"}).status_code for _ in range(4)]

        assert seen == [415] * 4

    def test_unauthenticated_calls_are_not_counted(self, limited: httpx2.Client) -> None:
        seen = [limited.patch("/v1/users/me", json={}).status_code for _ in range(4)]

        assert seen == [401] * 4


class TestAddresses:
    def test_each_has_its_own_count(self, limited: httpx2.Client) -> None:
        for number in range(4):
            last = _guess(_from(limited, "1.2.3.4"), f"{number}@example.com")

        assert last.status_code == 429
        assert _guess(_from(limited, "1.2.3.5")).status_code == 401

    def test_many_networks_of_one_site_have_one_count_too(self, limited: httpx2.Client) -> None:
        seen = [
            _guess(_from(limited, f"2001:db8:0:{number:x}::1"), f"{number}@example.com").status_code
            for number in range(13)
        ]

        assert seen == [401] * 12 + [429]

    def test_each_kind_of_request_has_its_own(self, limited: httpx2.Client) -> None:
        for number in range(4):
            _guess(limited, f"{number}@example.com")

        register(limited)
        assert limited.post("/v1/auth/refresh", json={"refresh_token": "x"}).status_code == 401

    def test_registering_is_limited(self, limited: httpx2.Client) -> None:
        for number in range(3):
            register(limited, f"{number}@example.com")

        assert_failed(limited.post("/v1/users", json={"email": EMAIL, "password": PASSWORD}), 429, "rate_limited")

    def test_refreshing_is_limited(self, limited: httpx2.Client) -> None:
        seen = [refresh(limited, {"refresh_token": "x"}).status_code for _ in range(4)]

        assert seen == [401, 401, 401, 429]


class TestAccounts:
    def test_nobody_can_lock_out_a_user_who_is_elsewhere(self, limited: httpx2.Client) -> None:
        register(limited)
        for number in range(10):
            for _ in range(4):
                _guess(_from(limited, f"1.2.3.{number}"))

        assert _guess(_from(limited, "5.6.7.8"), password=PASSWORD).status_code == 200

    def test_an_unknown_account_is_limited_like_a_known_one(self, limited: httpx2.Client) -> None:
        register(limited)
        seen = [
            [_guess(_from(limited, "1.2.3.4"), email).status_code for _ in range(4)]
            for email in (EMAIL, "eve@example.com")
        ]

        assert seen == [[401, 401, 401, 429], [429] * 4]

    def test_who_is_signed_in_stays_so(self, limited: httpx2.Client) -> None:
        register(limited)
        tokens = tokens_of(limited)
        for number in range(4):
            _guess(_from(limited, f"1.2.3.{number}"))

        assert bearer(limited, tokens).get("/v1/users/me").status_code == 200
        assert refresh(limited, tokens).status_code == 200

    def test_guessing_the_password_with_a_token_is_slow_too(self, limited: httpx2.Client) -> None:
        register(limited)
        caller = bearer(limited, tokens_of(limited))
        change = {"password": "a better password", "current_password": "wrong"}
        seen = [caller.patch("/v1/users/me", json=change).status_code for _ in range(4)]

        assert seen == [403, 403, 403, 429]


class TestSettings:
    def test_limits_can_be_turned_off(self, settings: Settings, client: httpx2.Client) -> None:
        assert not settings.rate_limit_enabled
        assert {401} == {sign_in(client).status_code for _ in range(5)}

    def test_without_the_shared_storage_each_process_counts(
        self, settings: Settings, client: httpx2.Client, capfd: pytest.CaptureFixture[str]
    ) -> None:
        # Nothing listens on port 1.
        away = {**_LIMITED, "rate_limit_storage_url": SecretStr("redis://:hunter2@127.0.0.1:1/0")}
        register(client)
        with open_client(settings.model_copy(update=away)) as limited:
            seen = [sign_in(limited, password=sent).status_code for sent in ("x", PASSWORD, "x", "x")]

        assert seen == [401, 200, 401, 429]
        log = capfd.readouterr().out
        assert "rate_limit_storage_away" in log
        assert "hunter2" not in log
