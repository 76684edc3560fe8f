"""Whatever a provider answers, it is keys or one sentence for whoever runs the service."""

import itertools
import json
import ssl
import time
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import CertificateBuilder, IPAddress, Name, NameAttribute, SubjectAlternativeName
from cryptography.x509.oid import NameOID

from app.auth.discovery import MAX_BYTES, ProviderError, fetch_keys, problem_with_issuer
from tests.provider import DISCOVERY, KEYS, LoopbackProvider, running_provider
from tests.tokens import ec_key, jwk, rsa_key

_ALLOWED = ("RS256",)


@pytest.fixture
def provider() -> Generator[LoopbackProvider]:
    with running_provider() as provider:
        yield provider


def _problem(provider: LoopbackProvider, issuer: str | None = None, seconds: float = 5) -> str:
    with pytest.raises(ProviderError) as failure:
        fetch_keys(issuer or provider.issuer, _ALLOWED, seconds)
    assert "\n" not in str(failure.value)
    return str(failure.value)


class TestFetch:
    def test_keys_are_where_the_provider_says(self, provider: LoopbackProvider) -> None:
        assert [key.key_id for key in fetch_keys(provider.issuer, _ALLOWED, 5).keys] == ["first"]
        assert provider.requests == [DISCOVERY, KEYS]

    def test_an_issuer_may_have_a_path_with_a_slash_at_its_end(self, provider: LoopbackProvider) -> None:
        issuer = f"{provider.issuer}/realms/a/"
        content = json.dumps({**provider.document, "issuer": issuer}).encode()
        provider.answers[f"/realms/a{DISCOVERY}"] = (200, {}, [content])

        assert fetch_keys(issuer, _ALLOWED, 5).keys

    @pytest.mark.parametrize("issuer", ["https://evil.example", "", None, ["x"]])
    def test_the_document_must_be_of_the_issuer(self, provider: LoopbackProvider, issuer: object) -> None:
        provider.document["issuer"] = issuer

        assert "AUTH_OIDC_ISSUER" in _problem(provider)

    def test_a_slash_more_is_another_issuer(self, provider: LoopbackProvider) -> None:
        assert "AUTH_OIDC_ISSUER" in _problem(provider, f"{provider.issuer}/")

    @pytest.mark.parametrize(
        "url",
        [
            *(None, "", 1, "keys", "/keys", "http://elsewhere.example/keys", "file:///etc/passwd", "ftp://x/keys"),
            *("https://", "https://ada@id.example/keys", "http://[::1]/keys", "gopher://127.0.0.1/", "http://\0"),
        ],
    )
    def test_keys_from_a_place_that_nobody_protects_are_not_fetched(
        self, provider: LoopbackProvider, url: object
    ) -> None:
        provider.document["jwks_uri"] = url

        assert "jwks_uri" in _problem(provider)

    def test_nobody_there_is_a_sentence(self, provider: LoopbackProvider) -> None:
        assert "cannot be reached" in _problem(provider, "http://127.0.0.1:9")


class TestElsewhere:
    """The discovery document is not where the issuer says, or the issuer is reached at another address."""

    def test_the_document_is_fetched_from_there(self, provider: LoopbackProvider) -> None:
        content = json.dumps({**provider.document, "issuer": "https://id.example"}).encode()
        provider.answers["/config?p=sign-in"] = (200, {}, [content])
        keys = fetch_keys("https://id.example", _ALLOWED, 5, f"{provider.issuer}/config?p=sign-in").keys

        assert [key.key_id for key in keys] == ["first"]
        assert provider.requests == ["/config?p=sign-in", KEYS]

    def test_it_must_be_of_the_issuer_all_the_same(self, provider: LoopbackProvider) -> None:
        with pytest.raises(ProviderError, match="AUTH_OIDC_ISSUER"):
            fetch_keys("https://id.example", _ALLOWED, 5, f"{provider.issuer}{DISCOVERY}")

        assert provider.requests == [DISCOVERY]

    def test_keys_without_tls_are_fetched_only_from_beside_the_document(self, provider: LoopbackProvider) -> None:
        provider.document = {"issuer": "http://id.example", "jwks_uri": "http://id.example/keys"}
        with pytest.raises(ProviderError, match="jwks_uri"):
            fetch_keys("http://id.example", _ALLOWED, 5, f"{provider.issuer}{DISCOVERY}")


@pytest.mark.parametrize("path", [DISCOVERY, KEYS])
class TestGarbage:
    @pytest.mark.parametrize("status", [204, 301, 302, 307, 308, 401, 404, 429, 500, 503])
    def test_another_status(self, provider: LoopbackProvider, path: str, status: int) -> None:
        provider.answers[path] = (status, {"Location": f"{provider.issuer}/elsewhere"}, [])

        assert f"answers {status}" in _problem(provider)
        assert "/elsewhere" not in provider.requests

    @pytest.mark.parametrize(
        "content",
        [b"", b"<html>", b"[]", b"null", b"{", b'{"a": 1, "a": 2}', b"\xff\xfe{}", b'{"a": NaN}', b"[" * 9999],
    )
    def test_what_is_no_object(self, provider: LoopbackProvider, path: str, content: bytes) -> None:
        provider.answers[path] = (200, {"Content-Type": "application/json"}, [content])

        assert "does not answer with JSON" in _problem(provider)

    def test_an_answer_without_end(self, provider: LoopbackProvider, path: str) -> None:
        provider.answers[path] = (200, {}, itertools.repeat(b" " * 65536))

        assert str(MAX_BYTES) in _problem(provider)

    def test_a_compressed_answer_is_not_unpacked(self, provider: LoopbackProvider, path: str) -> None:
        provider.answers[path] = (200, {"Content-Encoding": "gzip"}, [b"\x1f\x8b"])

        assert "does not answer with JSON" in _problem(provider)

    def test_an_answer_that_does_not_come(self, provider: LoopbackProvider, path: str) -> None:
        provider.goes_on.clear()
        if path == KEYS:
            provider.answers[DISCOVERY] = (200, {}, [json.dumps(provider.document).encode()])

        assert "within 0.1 seconds" in _problem(provider, seconds=0.1)

    def test_an_answer_that_comes_drop_by_drop(self, provider: LoopbackProvider, path: str) -> None:
        def drops() -> Generator[bytes]:
            for _ in range(100):
                time.sleep(0.05)
                yield b" "

        provider.answers[path] = (200, {}, drops())
        began = time.monotonic()

        assert "within 0.2 seconds" in _problem(provider, seconds=0.2)
        assert time.monotonic() - began < 4

    def test_what_is_not_http(self, provider: LoopbackProvider, path: str) -> None:
        provider.answers[path] = (200, {"Content-Length": "nonsense"}, [b"{}"])

        assert "cannot be reached" in _problem(provider)


class TestKeys:
    @pytest.mark.parametrize("content", [{}, {"keys": None}, {"keys": {}}, {"keys": "x"}])
    def test_a_document_without_keys_is_no_answer(self, provider: LoopbackProvider, content: object) -> None:
        provider.answers[KEYS] = (200, {}, [json.dumps(content).encode()])

        assert "does not answer with keys" in _problem(provider)

    def test_keys_that_are_none_are_left_out(self, provider: LoopbackProvider) -> None:
        provider.keys = [1, {}, {"kty": 1}, {"kty": ["RSA"]}, *provider.keys, jwk(rsa_key("first"), alg=1)]  # ty: ignore[invalid-assignment]

        assert len(fetch_keys(provider.issuer, _ALLOWED, 5).keys) == 1


class TestTls:
    def test_a_provider_with_a_certificate_of_nobody_is_not_believed(self, tmp_path: Path) -> None:
        key, name = ec_key("tls"), Name([NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
        now = datetime.now(UTC)
        certificate = (
            CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
            .add_extension(SubjectAlternativeName([IPAddress(ip_address("127.0.0.1"))]), critical=False)
            .sign(key, SHA256())
        )
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (tmp_path / "tls.pem").write_bytes(private + certificate.public_bytes(Encoding.PEM))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(tmp_path / "tls.pem")
        with running_provider(context) as provider:
            assert provider.issuer.startswith("https://")
            assert "cannot be reached: ConnectError" in _problem(provider)
            assert provider.requests == []


class TestIssuers:
    @pytest.mark.parametrize("issuer", ["https://id.example", "https://id.example/realms/a", "http://localhost:8080"])
    def test_a_url_can_be_one(self, issuer: str) -> None:
        assert problem_with_issuer(issuer) is None

    @pytest.mark.parametrize(
        "issuer",
        [
            *("id.example", "ftp://id.example", "https://", "https://ada:x@id.example", "https://id.example?a=b"),
            *("https://id.example#x", "https://id.example?", "https://id.ex ample", "https://[::1", "https://x:y"),
        ],
    )
    def test_anything_else_cannot(self, issuer: str) -> None:
        assert problem_with_issuer(issuer)
