import secrets
from collections.abc import Callable

import pytest

from app.auth import checks
from app.auth.settings import DEVELOPMENT_SECRET, AuthSettings
from app.core.errors import SettingsError
from app.core.secret_strength import is_guessable
from app.core.settings import Settings, load_settings

_GOOD = "o7Yk2mQx9Lr4Vb8Zt1Wc6Hs3Jd5Nf0Pg"
_PRODUCTION = {
    "environment": "production",
    "auth_jwt_secret": _GOOD,
    "auth_jwt_issuer": "https://api.example",
    "auth_jwt_audience": "https://api.example",
}


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def load(**overrides: object) -> Settings:
    return load_settings(_env_file=None, **overrides)


class TestProduction:
    def test_it_starts_with_all_that_it_needs(self) -> None:
        checks.check(load(**_PRODUCTION))

    @pytest.mark.parametrize("name", ["auth_jwt_secret", "auth_jwt_issuer", "auth_jwt_audience"])
    def test_what_is_missing_is_named(self, name: str) -> None:
        with pytest.raises(SettingsError, match=f"^{name.upper()} is not set"):
            checks.check(load(**{**_PRODUCTION, name: None}))

    @pytest.mark.parametrize(
        "secret",
        [
            DEVELOPMENT_SECRET,
            "a" * 32,
            "ab" * 32,
            "0123456789abcdef" * 2,
            "o7Yk2mQx9Lr4Vb8Z" * 2,
            "abcdefghijklmnopqrstuvwxyz0123456789",
            "change-me-o7Yk2mQx9Lr4Vb8Zt1Wc6Hs3",
            "CHANGEME-o7Yk2mQx9Lr4Vb8Zt1Wc6Hs3",
            "your-256-bit-secret-o7Yk2mQx9Lr4Vb8",
            f"{_GOOD},{DEVELOPMENT_SECRET}",
        ],
    )
    def test_a_secret_that_can_be_guessed_is_refused_and_not_repeated(self, secret: str) -> None:
        with pytest.raises(SettingsError, match=r"^AUTH_JWT_SECRET is easy to guess") as refusal:
            checks.check(load(**{**_PRODUCTION, "auth_jwt_secret": secret}))

        assert secret not in str(refusal.value)

    @pytest.mark.parametrize(
        "weaker",
        [{"auth_password_memory_kib": 19_455}, {"auth_password_iterations": 1}],
        ids=lambda each: next(iter(each)),
    )
    def test_weaker_hashes_are_refused(self, weaker: dict[str, int]) -> None:
        (name,) = weaker

        with pytest.raises(SettingsError, match=f"^{name.upper()} must be at least"):
            checks.check(load(**_PRODUCTION, **weaker))

    @pytest.mark.parametrize("environment", ["development", "test"])
    def test_elsewhere_nothing_need_be_set(self, environment: str) -> None:
        settings = load(environment=environment)

        checks.check(settings)
        assert settings.jwt_secrets == (DEVELOPMENT_SECRET,)


class TestSecrets:
    @pytest.mark.parametrize("sent", [f"{_GOOD},{'b' * 32}", f" {_GOOD} , {'b' * 32} ,"])
    def test_several_are_separated_by_commas(self, sent: str) -> None:
        assert load(auth_jwt_secret=sent).jwt_secrets == (_GOOD, "b" * 32)

    @pytest.mark.parametrize("sent", ["hunter2", f"{_GOOD},hunter2", ",", " , ", "hunter2" + "x" * 24])
    def test_a_short_one_is_refused_everywhere_and_not_repeated(self, sent: str) -> None:
        with pytest.raises(SettingsError, match=r"^AUTH_JWT_SECRET: .*at least 32 bytes") as refusal:
            load(auth_jwt_secret=sent)

        assert "hunter2" not in str(refusal.value)

    def test_bytes_are_counted_and_not_characters(self) -> None:
        assert load(auth_jwt_secret="ž" * 16).jwt_secrets == ("ž" * 16,)

    def test_they_are_not_shown(self) -> None:
        shown = repr(load(auth_jwt_secret=_GOOD))

        assert _GOOD not in shown


class TestStrength:
    @pytest.mark.parametrize(
        "make",
        [lambda: secrets.token_hex(16), lambda: secrets.token_hex(64), lambda: secrets.token_urlsafe(48)],
        ids=["hex", "long hex", "base64"],
    )
    def test_what_was_drawn_passes(self, make: Callable[[], str]) -> None:
        assert [secret for secret in (make() for _ in range(10)) if is_guessable(secret)] == []

    @pytest.mark.parametrize(
        "secret",
        [
            "qwertyuiopasdfghjklzxcvbnmqwertyuiop98765",
            "Summer2026!Summer2026!CompanyName",
            "the quick brown fox jumps over the lazy dog 1234",
            "correct horse battery staple correct horse",
            "aB3$aB3$aB3$aB3$aB3$aB3$aB3$aB3$",
            "01.02.2026-03.04.2026-05.06.2026-07",
        ],
    )
    def test_refuses_a_typed_secret(self, secret: str) -> None:
        assert is_guessable(secret)


def test_a_limit_that_is_no_rate_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match=r"^RATE_LIMIT_LOGIN: "):
        load(rate_limit_login="10")


def test_the_parameters_of_hashes_are_those_of_owasp() -> None:
    defaults = AuthSettings()

    assert (defaults.auth_password_memory_kib, defaults.auth_password_iterations) == (19 * 1024, 2)
