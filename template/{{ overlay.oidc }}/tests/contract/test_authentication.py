"""What opens the service, and what is said when nothing can."""

import time
from collections.abc import Generator

import httpx2
import pytest

from app.core.settings import Settings
from tests.client import open_client
from tests.guarded import PATH, PLANTED, call, guarded_service, provider_with_many_keys, refusal
from tests.provider import LoopbackProvider
from tests.requests import assert_failed
from tests.tokens import AUDIENCE, claims_of, ec_key, ed_key, encoded, jwk, rsa_key, signed

_HEADER = {"alg": "RS256", "kid": "first"}
_NOW = int(time.time())
_KEY = rsa_key("first")
_STRANGER = rsa_key("stranger")


@pytest.fixture(scope="module")
def provider() -> Generator[LoopbackProvider]:
    with provider_with_many_keys() as provider:
        yield provider


@pytest.fixture(scope="module")
def client(provider: LoopbackProvider, settings: Settings) -> Generator[httpx2.Client]:
    with guarded_service(settings, provider) as client:
        yield client


class TestAccepted:
    def test_a_token_of_the_provider_opens(self, client: httpx2.Client, provider: LoopbackProvider) -> None:
        response = call(client, provider.token(sub="auth0|ada"))

        assert response.status_code == 200, response.text
        assert response.headers["x-subject"] == "auth0|ada"

    @pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer "])
    def test_the_scheme_knows_no_case(self, client: httpx2.Client, provider: LoopbackProvider, scheme: str) -> None:
        response = client.get(PATH, headers={"Authorization": f"{scheme} {provider.token()}"})

        assert response.status_code == 200

    @pytest.mark.parametrize("kind", ["JWT", "jwt", "at+jwt", "application/at+jwt", "AT+JWT"])
    def test_the_type_of_an_access_token_is_known(
        self, client: httpx2.Client, provider: LoopbackProvider, kind: str
    ) -> None:
        token = signed({**_HEADER, "typ": kind}, claims_of(provider.issuer), _KEY)

        assert call(client, token).status_code == 200

    @pytest.mark.parametrize(
        ("algorithm", "key_id", "key"),
        [
            ("PS256", "first", _KEY),
            ("PS256", "pss", rsa_key("pss")),
            ("ES256", "curve", ec_key("curve")),
            ("EdDSA", "edwards", ed_key("edwards")),
        ],
    )
    def test_every_allowed_algorithm(
        self, client: httpx2.Client, provider: LoopbackProvider, algorithm: str, key_id: str, key: object
    ) -> None:
        token = signed({"alg": algorithm, "kid": key_id}, claims_of(provider.issuer), key, algorithm)

        assert call(client, token).status_code == 200

    @pytest.mark.parametrize("times", [{"exp": _NOW - 1}, {"nbf": _NOW + 2}, {"iat": _NOW + 2}, {"iat": ...}])
    def test_clocks_may_differ_a_little(
        self, client: httpx2.Client, provider: LoopbackProvider, times: dict[str, int]
    ) -> None:
        times = {name: value if value is ... else value + int(time.time()) - _NOW for name, value in times.items()}

        assert call(client, provider.token(**times)).status_code == 200

    def test_a_token_may_be_for_others_too(self, client: httpx2.Client, provider: LoopbackProvider) -> None:
        assert call(client, provider.token(aud=["account", AUDIENCE])).status_code == 200

    def test_a_key_id_may_be_missing_where_one_key_fits(
        self, client: httpx2.Client, provider: LoopbackProvider
    ) -> None:
        token = signed({"alg": "ES256"}, claims_of(provider.issuer), ec_key("curve"), "ES256")

        assert call(client, token).status_code == 200

    def test_where_a_token_says_its_key_is_does_not_matter(
        self, client: httpx2.Client, provider: LoopbackProvider
    ) -> None:
        seen = len(provider.requests)
        header = {**_HEADER, "jku": f"{provider.issuer}/evil", "x5u": f"{provider.issuer}/evil", "jwk": jwk(_STRANGER)}

        assert call(client, signed(header, claims_of(provider.issuer), _KEY)).status_code == 200
        assert "/evil" not in provider.requests[seen:]


class TestGranted:
    def test_scopes_and_roles_are_those_of_the_token(self, client: httpx2.Client, provider: LoopbackProvider) -> None:
        nothing, reader = provider.token(), provider.token(scope="openid things:read unknown")
        admin = provider.token(roles=["admin"])

        assert_failed(call(client, nothing, f"{PATH}/readers"), 403, "forbidden")
        assert call(client, reader, f"{PATH}/readers").status_code == 200
        assert_failed(call(client, reader, f"{PATH}/admins"), 403, "forbidden")
        assert call(client, admin, f"{PATH}/admins").status_code == 200
        assert_failed(call(client, admin, f"{PATH}/readers"), 403, "forbidden")


class TestKinds:
    @pytest.mark.parametrize("kind", ["at+jwt", "application/at+jwt", "AT+JWT", "Application/At+Jwt"])
    def test_only_at_jwt_may_be_asked_for(self, provider: LoopbackProvider, settings: Settings, kind: str) -> None:
        strict = settings.model_copy(update={"auth_oidc_token_type": "at+jwt"})
        token = signed({**_HEADER, "typ": kind}, claims_of(provider.issuer, nonce="n", auth_time=_NOW), _KEY)
        with guarded_service(strict, provider) as client:
            assert call(client, token).status_code == 200

    def test_an_access_token_that_says_so_may_have_a_nonce(
        self, client: httpx2.Client, provider: LoopbackProvider
    ) -> None:
        assert call(client, provider.token(nonce="n", typ="Bearer")).status_code == 200
        assert call(client, provider.token(nonce="n", token_use="access")).status_code == 200


class TestUnreached:
    def test_while_the_provider_was_never_reached_callers_are_told_to_come_back(
        self, provider: LoopbackProvider, settings: Settings, capfd: pytest.CaptureFixture[str]
    ) -> None:
        token = provider.token()
        nowhere = settings.model_copy(update={"auth_oidc_issuer": "http://127.0.0.1:9"})
        with open_client(nowhere, PLANTED) as client:
            answers = [call(client, token) for _ in range(3)]
            refused = [client.get(PATH), call(client, "garbage"), call(client, f"{encoded({'alg': 'none'})}.e30.e30")]
            health = [client.get(path).status_code for path in ("/healthz", "/readyz")]

        for answer in answers:
            assert_failed(answer, 503, "unavailable")
            assert int(answer.headers["retry-after"]) > 0
            assert "database" not in answer.text
        assert [response.status_code for response in refused] == [401, 401, 401]
        assert health == [200, 200]
        assert capfd.readouterr().out.count("identity provider not reached") == 1


class TestUnconfigured:
    def test_without_a_provider_every_token_is_refused(
        self, provider: LoopbackProvider, settings: Settings, capfd: pytest.CaptureFixture[str]
    ) -> None:
        nobody = settings.model_copy(update={"auth_oidc_issuer": None, "auth_oidc_audience": None})
        with open_client(nobody, PLANTED) as client:
            for _ in range(2):
                refusal(call(client, provider.token()))
            assert client.get("/healthz").status_code == 200

        assert capfd.readouterr().out.count("AUTH_OIDC_ISSUER") == 1


def test_the_log_has_no_token(
    client: httpx2.Client, provider: LoopbackProvider, capfd: pytest.CaptureFixture[str]
) -> None:
    token = provider.token()
    for sent in (token, f"{token}x", token[:-10]):
        call(client, sent)
        client.get(f"{PATH}?access_token={sent}")
    log = capfd.readouterr().out

    assert log
    assert [part for part in token.split(".") if part in log] == []
