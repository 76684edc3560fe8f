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
    @pytest.mark.parametrize(
        "url",
        [
            "redis://:hunter2@cache.example/0",
            "redis://:hunter2@cache.example/0?ssl_cert_reqs=required",
            "redis://:hunter2@/0?host=cache.example",
            "rediss://:hunter2@cache.example/0?ssl_cert_reqs=none",
            "rediss://:hunter2@cache.example/0?ssl_check_hostname=false",
        ],
    )
    def test_redis_on_another_machine_has_to_prove_who_it_is(self, url: str) -> None:
        with pytest.raises(SettingsError, match=r"^RATE_LIMIT_STORAGE_URL: ") as failure:
            checks.check(load(**_PRODUCTION, rate_limit_storage_url=url))
        assert "hunter2" not in str(failure.value)

        checks.check(load(**_PRODUCTION, rate_limit_storage_url=url, plaintext_hosts=("cache.example",)))

    @pytest.mark.parametrize(
        "url",
        [
            "memory://",
            "redis://localhost/0",
            "redis://127.0.0.1:6379/0",
            "redis+unix:///var/run/redis.sock",
            "rediss://:hunter2@cache.example/0",
        ],
    )
    def test_other_storages_are_taken(self, url: str) -> None:
        checks.check(load(**_PRODUCTION, rate_limit_storage_url=url))

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
        shown = repr(load(auth_jwt_secret=_GOOD, rate_limit_storage_url="redis://:hunter2@cache.example/0"))

        assert _GOOD not in shown
        assert "hunter2" not in shown


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


class TestLimits:
    @pytest.mark.parametrize("rate", ["1/second", "10/minute", "1000000/hour", "5/day"])
    def test_a_rate_is_a_number_and_a_time(self, rate: str) -> None:
        assert load(rate_limit_login=rate).rate_limit_login == rate

    @pytest.mark.parametrize(
        "rate", ["0/minute", "10", "10/fortnight", "-1/minute", "ten/minute", "1/minute;2/hour", ""]
    )
    def test_anything_else_is_refused_by_name(self, rate: str) -> None:
        with pytest.raises(SettingsError, match=r"^RATE_LIMIT_LOGIN: "):
            load(rate_limit_login=rate)

    @pytest.mark.parametrize("url", ["hunter2", "memcached://hunter2", "redis:hunter2"])
    def test_a_storage_that_is_not_known_is_refused_by_name(self, url: str) -> None:
        with pytest.raises(SettingsError, match=r"^RATE_LIMIT_STORAGE_URL: ") as refusal:
            load(rate_limit_storage_url=url)

        assert "hunter2" not in str(refusal.value)


def test_the_parameters_of_hashes_are_those_of_owasp() -> None:
    defaults = AuthSettings()

    assert (defaults.auth_password_memory_kib, defaults.auth_password_iterations) == (19 * 1024, 2)
