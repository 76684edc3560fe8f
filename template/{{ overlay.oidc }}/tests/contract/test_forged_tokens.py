"""What does not open the service: all with one answer, which does not tell one case from another."""

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Generator

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.core.settings import Settings
from tests.guarded import PATH, call, guarded_service, provider_with_many_keys, refusal
from tests.provider import LoopbackProvider
from tests.tokens import AUDIENCE, claims_of, ec_key, encoded, jwk, rsa_key, signed

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


def hs256(header: dict[str, object], claims: dict[str, object], secret: bytes) -> str:
    content = f"{encoded(header)}.{encoded(claims)}"
    return f"{content}.{encoded(hmac.digest(secret, content.encode(), hashlib.sha256))}"


class Refused:
    """Every class below: nothing opens, and all answers are alike."""

    @pytest.fixture(autouse=True)
    def _all_alike(self, client: httpx2.Client) -> None:
        self.client = client
        self.expected = refusal(client.get(PATH))

    def refuses(self, token: str) -> None:
        assert self.expected == refusal(call(self.client, token))


class TestHeaders(Refused):
    @pytest.mark.parametrize(
        "value",
        [
            *("", "Bearer", "Bearer ", "Basic YWRhOmFkYQ==", "garbage", "Bearer garbage", "Bearer a.b", "Bearer a.b.c"),
            *("Bearer ..", "Bearer a.b.c.d", "Bearer é.é.é", "Bearer e30.e30.e30", "Bearer " + "a" * 30_000),
            *("Bearer a.b.c" + "." * 5000, f"Bearer {encoded(b'[]')}.e30.e30", f"Bearer {encoded(b'null')}.e30.e30"),
            f"Bearer {encoded(b'[' * 4000)}.e30.e30",
        ],
        ids=lambda value: value[:24],
    )
    def test_what_is_no_token(self, value: str) -> None:
        assert self.expected == refusal(self.client.get(PATH, headers={b"Authorization": value.encode()}))

    def test_a_token_in_another_header_or_place(self, provider: LoopbackProvider) -> None:
        token = provider.token()

        assert self.expected == refusal(self.client.get(PATH, headers={"X-Token": token}))
        assert self.expected == refusal(self.client.get(PATH, headers={"Cookie": f"access_token={token}"}))
        assert self.expected == refusal(self.client.get(f"{PATH}?access_token={token}"))

    @pytest.mark.parametrize("other", ["", "Bearer x", "same"])
    def test_two_headers(self, provider: LoopbackProvider, other: str) -> None:
        value = f"Bearer {provider.token()}"
        twice = [("Authorization", value), ("Authorization", value if other == "same" else other)]

        assert self.expected == refusal(self.client.get(PATH, headers=twice))
        assert self.expected == refusal(self.client.get(PATH, headers=twice[::-1]))


class TestSignatures(Refused):
    def test_no_signature(self, provider: LoopbackProvider) -> None:
        claims = encoded(claims_of(provider.issuer))
        for algorithm in ("none", "None", "NONE", "nOnE", "", None, 1, ["RS256"]):
            header = encoded({**_HEADER, "alg": algorithm})
            for signature in ("", "e30", provider.token().rpartition(".")[2]):
                self.refuses(f"{header}.{claims}.{signature}")

    @pytest.mark.parametrize(
        ("encoding", "form"),
        [
            (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            (Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            (Encoding.PEM, PublicFormat.PKCS1),
            (Encoding.DER, PublicFormat.PKCS1),
        ],
        ids=str,
    )
    @pytest.mark.parametrize("algorithm", ["HS256", "RS256"])
    def test_the_public_key_as_a_secret(
        self, provider: LoopbackProvider, encoding: Encoding, form: PublicFormat, algorithm: str
    ) -> None:
        public = _KEY.public_key().public_bytes(encoding, form)
        for secret in (public, public.strip(), json.dumps(jwk(_KEY, "first")).encode()):
            self.refuses(hs256({**_HEADER, "alg": algorithm}, claims_of(provider.issuer), secret))

    @pytest.mark.parametrize(
        "header",
        [
            {"alg": "RS256", "kid": "first", "jwk": jwk(_STRANGER, "first")},
            {"alg": "RS256", "kid": "stranger", "jwk": jwk(_STRANGER, "stranger")},
            {"alg": "RS256", "jwk": jwk(_STRANGER)},
            {"alg": "RS256", "kid": "first", "x5c": ["MIIB"]},
            {"alg": "RS256", "kid": "first"},
        ],
    )
    def test_the_signature_of_a_stranger(self, provider: LoopbackProvider, header: dict[str, object]) -> None:
        self.refuses(signed(header, claims_of(provider.issuer), _STRANGER))

    def test_a_key_that_the_token_says_where_to_find(self, provider: LoopbackProvider) -> None:
        seen = len(provider.requests)
        for name in ("jku", "x5u"):
            header = {"alg": "RS256", "kid": "first", name: f"{provider.issuer}/evil"}
            self.refuses(signed(header, claims_of(provider.issuer), _STRANGER))

        assert "/evil" not in provider.requests[seen:]

    @pytest.mark.parametrize(
        "key_id",
        [
            *("../../../../dev/null", "/dev/null", "x' UNION SELECT 'secret' --", "first\0", " first", "FIRST", ""),
            *("k" * 257, 1, None, ["first"], {"first": 1}, "\ud800", "http://127.0.0.1/keys"),
        ],
        ids=lambda value: str(value)[:20].encode("ascii", "replace").decode(),
    )
    def test_a_key_id_that_is_none(self, provider: LoopbackProvider, key_id: object) -> None:
        for key in (_STRANGER, _KEY):
            self.refuses(signed({"alg": "RS256", "kid": key_id}, claims_of(provider.issuer), key))

    @pytest.mark.parametrize(
        ("algorithm", "key_id", "key"),
        [
            ("RS256", "small", rsa_key("small", 1024)),
            ("RS256", "encrypts", rsa_key("encrypts")),
            ("RS256", "pss", rsa_key("pss")),
            ("ES384", "curve", ec_key("curve")),
            ("ES256", "other", ec_key("other", ec.SECP384R1)),
            ("ES384", "other", ec_key("other", ec.SECP384R1)),
            ("RS512", "first", _KEY),
            ("RS256", "curve", _KEY),
        ],
    )
    def test_a_key_that_must_not_check_it(
        self, provider: LoopbackProvider, algorithm: str, key_id: str, key: object
    ) -> None:
        self.refuses(signed({"alg": algorithm, "kid": key_id}, claims_of(provider.issuer), key, algorithm))

    def test_one_of_several_keys_without_its_name(self, provider: LoopbackProvider) -> None:
        self.refuses(signed({"alg": "PS256"}, claims_of(provider.issuer), _KEY, "PS256"))


class TestParts(Refused):
    @pytest.mark.parametrize(
        "members",
        [
            *({"crit": ["exp"]}, {"crit": []}, {"crit": ["b64"], "b64": False}, {"b64": False}, {"b64": True}),
            *({"typ": kind} for kind in ("id_token+jwt", "logout+jwt", "dpop+jwt", "refresh+jwt", "JWE", "", 1, None)),
        ],
        ids=str,
    )
    def test_a_header_of_another_kind(self, provider: LoopbackProvider, members: dict[str, object]) -> None:
        self.refuses(signed({**_HEADER, **members}, claims_of(provider.issuer), _KEY))

    @pytest.mark.parametrize(
        "changes",
        [
            *({"exp": value} for value in (..., None, str(_NOW + 300), _NOW - 60.5, 10**30, -1, True, [_NOW + 300])),
            *({"exp": value} for value in (_NOW - 60, 0, 253_402_300_800)),
            *({"nbf": value} for value in (_NOW + 3600, str(_NOW), None, _NOW + 3600.5, 10**30)),
            *({"iat": value} for value in (_NOW + 3600, "now", None)),
            *({"iss": value} for value in (..., None, "", "https://evil.example", ["x"])),
            *({"aud": value} for value in (..., None, "", "things", f"{AUDIENCE}/", AUDIENCE.upper(), [], {}, 1)),
            *({"aud": value} for value in (["other"], [AUDIENCE, 1], [[AUDIENCE]], {AUDIENCE: 1})),
            *({"sub": value} for value in (..., None, "", 1, "a\0", "a\nb", "a" * 129, ["ada"], "\x85")),
            *({"nonce": "n"}, {"at_hash": "h"}, {"c_hash": "h"}, {"events": {}}, {"typ": "ID"}, {"typ": "Refresh"}),
            *({"token_use": "id"}, {"typ": ["Bearer"]}, {"cnf": {"jkt": "x"}}),
        ],
    )
    def test_wrong_claims(self, provider: LoopbackProvider, changes: dict[str, object]) -> None:
        self.refuses(provider.token(**changes))

    def test_an_issuer_that_is_nearly_ours(self, provider: LoopbackProvider) -> None:
        for issuer in (f"{provider.issuer}/", provider.issuer.upper(), f"{provider.issuer} ", [provider.issuer]):
            self.refuses(provider.token(iss=issuer))

    @pytest.mark.parametrize(
        "claims",
        [
            b"",
            *(b"null", b"[]", b"{", b'"text"', b"{}", b"\xff", b"[" * 5000, b'{"exp": NaN}', b'{"exp": 1e999}'),
            *(b'{"exp": Infinity}', b'{"exp": ' + b"9" * 5000 + b"}"),
        ],
        ids=lambda value: value[:12].decode("ascii", "replace"),
    )
    def test_claims_that_are_no_object(self, claims: bytes) -> None:
        self.refuses(signed(_HEADER, claims, _KEY))

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
    def test_claims_that_are_not_utf_8(self, provider: LoopbackProvider, encoding: str) -> None:
        self.refuses(signed(_HEADER, json.dumps(claims_of(provider.issuer)).encode(encoding), _KEY))

    def test_members_that_stand_there_twice(self, provider: LoopbackProvider) -> None:
        claims = json.dumps(claims_of(provider.issuer)).encode()
        for twice in (b'{"sub": "bob", ' + claims[1:], claims[:-1] + b', "exp": 99999999999}'):
            self.refuses(signed(_HEADER, twice, _KEY))
        for header in (b'{"alg": "none", "alg": "RS256", "kid": "first"}', b'{"alg":"RS256","kid":"x","kid":"first"}'):
            self.refuses(signed(header, claims, _KEY))

    def test_a_token_that_was_changed(self, provider: LoopbackProvider) -> None:
        header, claims, signature = provider.token().split(".")
        admin = encoded(claims_of(provider.issuer, roles=["admin"]))
        changed = [
            f"{header}.{admin}.{signature}",
            f"{header}.{claims}.{signature[::-1]}",
            f"{header}.{claims}.",
            f"{header}.{claims}",
            f"{header}.{claims}.{signature[:-4]}",
            f"{header}.{claims[:-4]}.{signature}",
            f"{header}.{claims}.{signature}=",
            f"{header}.{claims}.{signature}.",
            f"{header}.{claims}.{signature}AAAA",
            f"{header} .{claims}.{signature}",
            f"{header}.{claims}.{signature},x",
            f"{encoded(b'{}')}.{claims}.{signature}",
        ]
        for token in changed:
            self.refuses(token)

    def test_another_spelling_of_the_same_signature(self, provider: LoopbackProvider) -> None:
        # The last character of 256 bytes holds two bits that mean nothing.
        token = provider.token()
        last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".index(token[-1])
        other = urlsafe_b64encode(bytes([0, 0, last ^ 1])).decode()[-1]

        self.refuses(token[:-1] + other)

    def test_a_token_that_is_too_long(self, provider: LoopbackProvider) -> None:
        self.refuses(provider.token(padding="x" * 8000))

    @pytest.mark.parametrize("claims", [{"nonce": "n-0S6_WzA2Mj"}, {"auth_time": _NOW}, {"email": "ada@example.com"}])
    def test_an_id_token(self, provider: LoopbackProvider, claims: dict[str, object]) -> None:
        self.refuses(provider.token(azp=AUDIENCE, roles=["admin"], **claims))

    @pytest.mark.parametrize("kind", ["JWT", "application/jwt", "at+jwt x", ...])
    def test_another_type_where_only_at_jwt_is_taken(
        self, provider: LoopbackProvider, settings: Settings, kind: object
    ) -> None:
        header = _HEADER if kind is ... else {**_HEADER, "typ": kind}
        strict = settings.model_copy(update={"auth_oidc_token_type": "at+jwt"})
        with guarded_service(strict, provider) as self.client:
            self.refuses(signed(header, claims_of(provider.issuer, scope="a", client_id="b"), _KEY))
