"""`app oidc check`: what is wrong between this service and its provider, in one sentence."""

from collections.abc import Generator
from io import StringIO

import pytest

from tests.commands import assert_refused, run_app
from tests.provider import LoopbackProvider, running_provider
from tests.tokens import AUDIENCE


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Generator[LoopbackProvider]:
    with running_provider() as provider:
        monkeypatch.setenv("AUTH_OIDC_ISSUER", provider.issuer)
        monkeypatch.setenv("AUTH_OIDC_AUDIENCE", AUDIENCE)
        yield provider


class TestCheck:
    def test_it_lists_the_keys(self, provider: LoopbackProvider) -> None:
        outcome = run_app("oidc", "check")

        assert outcome == (0, "Key first: PS256, RS256\n", "")
        assert provider.fetches == 1

    def test_it_says_who_a_token_is(self, provider: LoopbackProvider, monkeypatch: pytest.MonkeyPatch) -> None:
        token = provider.token(scope="b a", roles=["admin"])
        monkeypatch.setattr("sys.stdin", StringIO(f"{token}\n"))

        told = "Key first: PS256, RS256\nSubject: ada\nScopes: a b\nRoles: admin\n"
        assert run_app("oidc", "check", "--token") == (0, told, "")

    def test_it_says_why_a_token_is_refused(self, provider: LoopbackProvider, monkeypatch: pytest.MonkeyPatch) -> None:
        token = provider.token(aud="other")
        monkeypatch.setattr("sys.stdin", StringIO(token))
        outcome = run_app("oidc", "check", "--token")

        assert (outcome.code, outcome.err) == (1, "Error: The token is refused: its audience is another.\n")
        assert token not in outcome.out

    def test_a_provider_that_is_away_is_an_error(
        self, provider: LoopbackProvider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert provider.issuer
        monkeypatch.setenv("AUTH_OIDC_ISSUER", "http://127.0.0.1:9")

        assert_refused(run_app("oidc", "check"), "cannot be reached")

    def test_a_provider_without_a_key_that_fits_is_an_error(self, provider: LoopbackProvider) -> None:
        provider.keys = []

        assert_refused(run_app("oidc", "check"), "AUTH_OIDC_ALGORITHMS")

    def test_without_a_provider_it_says_what_to_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AUTH_OIDC_ISSUER", "")

        assert_refused(run_app("oidc", "check"), "AUTH_OIDC_ISSUER")
