"""A service that could not check tokens, or not safely, does not start in production."""

import gc
from threading import Thread
from threading import enumerate as threads
from typing import Any

import pytest

from app.auth import checks, scheme
from app.auth.principal import Credentials
from app.core.errors import SettingsError, Unauthenticated
from app.core.settings import Settings, load_settings
from app.db.database import Database
from tests.tokens import AUDIENCE

_ISSUER = "https://id.example"
_URLS = ("auth_oidc_issuer", "auth_oidc_discovery_url")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def load(**values: Any) -> Settings:
    return load_settings(_env_file=None, _secrets_dir=None, **values)


def production(**values: Any) -> Settings:
    named = {"auth_oidc_issuer": _ISSUER, "auth_oidc_audience": AUDIENCE, **values}
    return load(environment="production", **named)


class TestProduction:
    @pytest.mark.parametrize("issuer", [_ISSUER, "http://127.0.0.1:8080", "http://localhost/realms/a"])
    def test_a_provider_that_can_be_trusted_is_enough(self, issuer: str) -> None:
        checks.check(production(auth_oidc_issuer=issuer))

    @pytest.mark.parametrize("name", ["AUTH_OIDC_ISSUER", "AUTH_OIDC_AUDIENCE"])
    def test_what_is_missing_is_named_with_what_to_do(self, name: str) -> None:
        with pytest.raises(SettingsError, match=rf"^{name} is not set\. Set it to "):
            checks.check(production(**{name.lower(): None}))

    @pytest.mark.parametrize("name", _URLS)
    @pytest.mark.parametrize("url", ["http://id.example", "http://10.0.0.1:8080", "http://localhost.evil.example"])
    def test_without_tls_it_does_not_start(self, name: str, url: str) -> None:
        with pytest.raises(SettingsError, match=rf"^{name.upper()} must start with https://"):
            checks.check(production(**{name: url}))

    @pytest.mark.parametrize("name", _URLS)
    @pytest.mark.parametrize(
        "url", ["http://127.9.9.9", "http://[::1]:80", "http://keycloak:8080/realms/a", "https://id.example"]
    )
    def test_this_machine_and_hosts_that_are_named_need_no_tls(self, name: str, url: str) -> None:
        checks.check(production(plaintext_hosts=("keycloak",), **{name: url}))

    @pytest.mark.parametrize("issuer", ["id.example", "https://id.example?tenant=1", "https://"])
    def test_what_is_no_issuer_is_refused(self, issuer: str) -> None:
        with pytest.raises(SettingsError, match=r"^AUTH_OIDC_ISSUER is not "):
            checks.check(production(auth_oidc_issuer=issuer))

    @pytest.mark.parametrize("url", ["id.example", "/config", "https://id.example/c#x", "ftp://id.example", "https://"])
    def test_what_is_no_discovery_url_is_refused(self, url: str) -> None:
        with pytest.raises(SettingsError, match=r"^AUTH_OIDC_DISCOVERY_URL is not "):
            checks.check(production(auth_oidc_discovery_url=url))

    def test_a_discovery_url_may_have_a_query(self) -> None:
        checks.check(production(auth_oidc_discovery_url="https://id.example/v2.0/config?p=sign-in"))


class TestDevelopment:
    def test_nothing_has_to_be_set(self) -> None:
        checks.check(load())

    def test_a_provider_without_tls_is_enough(self) -> None:
        checks.check(load(auth_oidc_issuer="http://keycloak:8080/realms/a", auth_oidc_audience=AUDIENCE))

    @pytest.mark.parametrize(
        "values",
        [{"auth_oidc_issuer": _ISSUER}, {"auth_oidc_audience": AUDIENCE}, {"auth_oidc_discovery_url": _ISSUER}],
    )
    def test_half_of_it_is_refused(self, values: dict[str, str]) -> None:
        with pytest.raises(SettingsError, match=r"^AUTH_OIDC_\w+ is not set\."):
            checks.check(load(**values))


class TestAlgorithms:
    def test_they_are_split_at_commas(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AUTH_OIDC_ALGORITHMS", "ES256, PS512")

        assert load().auth_oidc_algorithms == ("ES256", "PS512")

    @pytest.mark.parametrize("value", ["none", "HS256", "RS256,HS512", "rs256", "ES256K", ",", "RS256 ES256"])
    def test_only_those_with_two_keys_are_taken(self, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AUTH_OIDC_ALGORITHMS", value)

        with pytest.raises(SettingsError, match=r"^AUTH_OIDC_ALGORITHMS"):
            load()


class TestBounds:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            *(("AUTH_OIDC_LEEWAY_SECONDS", value) for value in ("-1", "301", "x")),
            *(("AUTH_OIDC_KEYS_FLOOR_SECONDS", value) for value in ("0", "nan")),
            ("AUTH_OIDC_KEYS_STALE_SECONDS", "inf"),
            ("AUTH_OIDC_TIMEOUT_SECONDS", "0"),
            ("AUTH_OIDC_SCOPES_CLAIM", "x" * 201),
            *(("AUTH_OIDC_TOKEN_TYPE", value) for value in ("AT+JWT", "JWT", "id_token")),
        ],
    )
    def test_they_are_named(self, name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(name, value)

        with pytest.raises(SettingsError, match=rf"^{name}: "):
            load()


def _key_threads() -> set[Thread]:
    return {thread for thread in threads() if thread.name == "oidc-keys"}


def test_the_thread_ends_with_its_service(settings: Settings) -> None:
    before = _key_threads()
    database = Database(settings)
    with pytest.raises(Unauthenticated):
        scheme.authenticate(database, Credentials(("Bearer eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.e30.e30",)))
    (started,) = _key_threads() - before
    database.dispose()
    del database
    gc.collect()
    started.join(5)

    assert not started.is_alive()
