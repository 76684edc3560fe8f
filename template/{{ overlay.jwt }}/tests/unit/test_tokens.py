from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.auth import tokens
from app.auth.settings import DEVELOPMENT_SECRET, AuthSettings
from app.core import clock
from app.core.errors import Unauthenticated
from tests.forge import changed, claims_of, header, signed

_USER = UUID("019c0f5e-7a3c-7b1e-8f42-3d5a6b7c8d9e")
_SESSION = UUID("019c0f5e-7a3c-7b1e-8f42-000000000000")
_NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.time = _NOW

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def settings() -> AuthSettings:
    return AuthSettings(auth_jwt_issuer="https://api.example", auth_jwt_audience="api")


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    time = Clock()
    monkeypatch.setattr(clock, "now", time)
    return time


class TestIssue:
    def test_the_claims_say_who_whom_and_when(self, settings: AuthSettings, time: Clock) -> None:
        claims = claims_of(tokens.issue(settings, _USER, _SESSION))

        assert UUID(claims.pop("jti")).version == 4
        now = int(time.time.timestamp())
        assert claims == {
            "iss": "https://api.example",
            "aud": "api",
            "sub": str(_USER),
            "sid": str(_SESSION),
            "iat": now,
            "nbf": now - 30,
            "exp": now + 900,
        }

    def test_no_two_are_alike(self, settings: AuthSettings) -> None:
        assert tokens.issue(settings, _USER, _SESSION) != tokens.issue(settings, _USER, _SESSION)

    def test_the_name_of_a_key_does_not_tell_it(self) -> None:
        assert tokens.key_id(DEVELOPMENT_SECRET) not in DEVELOPMENT_SECRET
        assert len(tokens.key_id("x" * 1000)) == 16


class TestRead:
    @pytest.mark.parametrize("seconds", [0, 1, 899])
    def test_a_token_is_read_until_it_expires(self, settings: AuthSettings, time: Clock, seconds: int) -> None:
        token = tokens.issue(settings, _USER, _SESSION)
        time.time += timedelta(seconds=seconds)

        assert tokens.read(settings, token)[:2] == (_USER, _SESSION)

    def test_it_is_read_by_a_host_whose_clock_is_behind(self, settings: AuthSettings, time: Clock) -> None:
        token = tokens.issue(settings, _USER, _SESSION)
        time.time -= timedelta(seconds=30)

        assert tokens.read(settings, token)[:2] == (_USER, _SESSION)

    def test_the_clock_of_this_machine_does_not_count(self, settings: AuthSettings, time: Clock) -> None:
        time.time = datetime.now(UTC) + timedelta(seconds=20)
        token = tokens.issue(settings, _USER, _SESSION)
        time.time -= timedelta(seconds=20)

        assert tokens.read(settings, token)[:2] == (_USER, _SESSION)

    @pytest.mark.parametrize("seconds", [900, 901, 10**6, -31, -(10**6)])
    def test_refuses_a_token_before_or_after_its_time(self, settings: AuthSettings, time: Clock, seconds: int) -> None:
        token = tokens.issue(settings, _USER, _SESSION)
        time.time += timedelta(seconds=seconds)

        with pytest.raises(Unauthenticated):
            tokens.read(settings, token)

    def test_none_lasts_longer_than_any_setting_allows(self, settings: AuthSettings, time: Clock) -> None:
        claims = claims_of(tokens.issue(settings, _USER, _SESSION))
        longest = claims["nbf"] + 86_400 + 30

        assert time.time == _NOW
        assert tokens.read(settings, signed(header(), changed(claims, exp=longest)))[:2] == (_USER, _SESSION)
        with pytest.raises(Unauthenticated):
            tokens.read(settings, signed(header(), changed(claims, exp=longest + 1)))

    @pytest.mark.parametrize("field", ["auth_jwt_issuer", "auth_jwt_audience"])
    def test_a_token_for_another_service_is_not_read(self, settings: AuthSettings, field: str) -> None:
        token = tokens.issue(settings.model_copy(update={field: "elsewhere"}), _USER, _SESSION)

        with pytest.raises(Unauthenticated):
            tokens.read(settings, token)

    @pytest.mark.parametrize("text", ["", ".", "..", "...", "a.b.c", "é.é.é", "\ud800.a.b", "." * 2048, "A" * 2048])
    def test_refuses_a_malformed_token(self, settings: AuthSettings, text: str) -> None:
        with pytest.raises(Unauthenticated):
            tokens.read(settings, text)
