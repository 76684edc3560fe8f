"""Section 7: tokens in `Authorization: Bearer`, forged without the key that signs them. Every one gets the same 401."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

from .authentication import ORDERS, essence
from .registry import check
from .samples import listing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .service import Service

LONGEST_LINE = 8100  # what a server with a limit of 8 KiB a line still takes
RSA = bytes.fromhex("300d06092a864886f70d0101010500")  # the algorithm's name in a SubjectPublicKeyInfo


def token_of(service: Service, caller: str = "alice") -> str:
    """Return a caller's token."""
    return getattr(service.credentials, caller)["Authorization"].partition(" ")[2]


def decoded(part: str) -> dict[str, Any]:
    """Return the object in one part of a token."""
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def encoded(part: Mapping[str, object] | bytes) -> str:
    """Return one part of a token."""
    data = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def der(tag: int, content: bytes) -> bytes:
    """Return one value of ASN.1 in DER."""
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([0x82]) + size.to_bytes(2, "big")
    return bytes([tag]) + length + content


def pem(label: str, content: bytes) -> bytes:
    """Return DER as PEM."""
    text = base64.b64encode(content).decode()
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]).encode()


def spellings(jwk: Mapping[str, str]) -> dict[str, bytes]:
    """Return the ways to write a public RSA key down, each of which could be taken for a shared secret."""
    numbers = (base64.urlsafe_b64decode(jwk[name] + "==") for name in ("n", "e"))
    pkcs1 = der(0x30, b"".join(der(2, b"\0" + number if number[0] & 0x80 else number) for number in numbers))
    spki = der(0x30, RSA + der(3, b"\0" + pkcs1))
    return {
        "DER": spki,
        "PEM": pem("PUBLIC KEY", spki),
        "PEM without its last line break": pem("PUBLIC KEY", spki).strip(),
        "PKCS 1 in DER": pkcs1,
        "PKCS 1 in PEM": pem("RSA PUBLIC KEY", pkcs1),
        "its JWK": json.dumps(jwk).encode(),
        "its modulus": jwk["n"].encode(),
    }


def secrets(service: Service, issuer: str) -> dict[str, bytes]:
    """Return what a forger would sign with: what is guessed, and what the issuer publishes."""
    guesses = {
        "nothing": b"",
        "a word": b"secret",
        "a famous one": b"your-256-bit-secret",
        "the issuer": issuer.encode(),
    }
    if service.auth != "oidc":
        return guesses
    document = service.client.get(f"{issuer}/.well-known/openid-configuration").json()
    keys = service.client.get(document["jwks_uri"]).json()["keys"]
    return guesses | {name: secret for key in keys if key["kty"] == "RSA" for name, secret in spellings(key).items()}


def expect_refusals(service: Service, tokens: Mapping[str, str]) -> None:
    """Record a failure for each token that is not refused as if there were none."""
    first = service.raw("GET", ORDERS)
    service.expect_error(first, 401, "no token")
    challenge = first.header("www-authenticate") or ""
    service.claim(f"a bearer token is asked for, not {challenge}", challenge.lower().startswith("bearer"), first)
    for about, token in tokens.items():
        answer = service.raw("GET", ORDERS, ("Authorization", f"Bearer {token}"))
        service.expect_error(answer, 401, about)
        if answer.status == 401:
            service.claim(f"{about}: 401 says the same as without a token", essence(answer) == essence(first), answer)


@check(auth="bearer")
def a_token_without_a_signature_is_401(service: Service) -> None:
    header, claims, signature = token_of(service).split(".")
    tokens = {}
    for algorithm in ("none", "None", "NONE", "nOnE", "", None, 0, [], {}):
        forged = encoded({**decoded(header), "alg": algorithm})
        tokens |= {
            f"alg {algorithm!r}, no signature": f"{forged}.{claims}.",
            f"alg {algorithm!r}, two parts": f"{forged}.{claims}",
            f"alg {algorithm!r}, the signature of another": f"{forged}.{claims}.{signature}",
            f"alg {algorithm!r}, some signature": f"{forged}.{claims}.AAAA",
        }
    twice = b'{"alg": "none", ' + json.dumps(decoded(header)).encode()[1:]
    tokens["two algorithms"] = f"{encoded(twice)}.{claims}."
    expect_refusals(service, tokens)


@check(auth="bearer")
def a_signature_by_what_everybody_knows_is_401(service: Service) -> None:
    header, claims, _ = token_of(service).split(".")
    tokens = {}
    for about, secret in secrets(service, str(decoded(claims)["iss"])).items():
        for algorithm in ("HS256", "HS384", "HS512"):
            content = f"{encoded({**decoded(header), 'alg': algorithm})}.{claims}"
            digest = hmac.digest(secret, content.encode(), getattr(hashlib, f"sha{algorithm[2:]}"))
            tokens[f"{algorithm} with {about}"] = f"{content}.{encoded(digest)}"
    expect_refusals(service, tokens)


@check(auth="bearer")
def a_changed_token_is_401(service: Service) -> None:
    header, claims, signature = token_of(service).split(".")
    said = decoded(claims)
    changes: dict[str, object] = {
        "sub": "bob",
        "roles": ["admin"],
        "scope": "admin",
        "exp": 2**40,
        "iss": "x",
        "aud": "x",
    }
    tokens = {
        f"{name} changed": f"{header}.{encoded({**said, name: value})}.{signature}" for name, value in changes.items()
    }
    for members in (
        {"kid": "../../../../dev/null"},
        {"kid": "' OR 1=1 --"},
        {"kid": "k" * 3000},
        {"kid": 1},
        {"kid": None},
    ):
        tokens[f"header with {str(members)[:40]}"] = f"{encoded({**decoded(header), **members})}.{claims}.{signature}"
    for members in ({"jku": "http://127.0.0.1:9/"}, {"jwk": {"kty": "oct", "k": "AA"}}, {"crit": ["x"]}, {"typ": "x"}):
        tokens[f"header with {members}"] = f"{encoded({**decoded(header), **members})}.{claims}.{signature}"
    _, bobs, bobs_signature = token_of(service, "bob").split(".")
    tokens |= {"bob's claims": f"{header}.{bobs}.{signature}", "bob's signature": f"{header}.{claims}.{bobs_signature}"}
    expect_refusals(service, tokens)


@check(auth="bearer")
def a_token_in_pieces_is_401(service: Service) -> None:
    token = token_of(service)
    header, claims, signature = token.split(".")
    expect_refusals(
        service,
        {
            "nothing": "",
            "garbage": "garbage",
            "dots": "..",
            "not base64": "!.!.!",
            "no objects": f"{encoded(b'[]')}.{encoded(b'[]')}.{signature}",
            "nested deeply": f"{encoded(b'[' * 3000)}.{claims}.{signature}",
            "the header alone": header,
            "without a signature": f"{header}.{claims}",
            "one part more": f"{token}.{signature}",
            "a dot more": f"{token}.",
            "cut": token[:-10],
            "one character less": token[:-1],
            "one character more": f"{token}A",
            "padded": f"{token}=",
            "the signature backwards": f"{header}.{claims}.{signature[::-1]}",
            "the parts in another order": f"{claims}.{header}.{signature}",
            "a space inside": f"{header} .{claims}.{signature}",
            "twice, joined": f"{token},{token}",
            "in quotes": f'"{token}"',
            "not ASCII": f"{token}\N{LATIN SMALL LETTER E WITH ACUTE}",
            "very long": "a" * LONGEST_LINE,
            "very long, in three parts": f"{header}.{'a' * (LONGEST_LINE - len(header) - len(signature))}.{signature}",
        },
    )


@check(auth="bearer")
def a_token_belongs_in_its_own_field(service: Service) -> None:
    token = token_of(service)
    for name, value in (
        ("Authorization", token),
        ("Authorization", f"Basic {token}"),
        ("Authorization", f"Token {token}"),
        ("Authorization", f"Bearer{token}"),
        ("Authorization", f"Bearer Bearer {token}"),
        ("X-API-Key", token),
        ("Cookie", f"access_token={token}"),
        ("Authorization_", f"Bearer {token}"),
    ):
        service.expect_error(service.raw("GET", ORDERS, (name, value)), {400, 401}, f"{name}: {value[:12]}")
    for name in ("access_token", "token"):
        service.expect_error(service.get(listing((name, token)), who={}), 401, f"?{name}=")
    # Neither the field's name nor the scheme knows a case (RFC 9110, 5.1 and 11.1).
    for name, value in (
        ("authorization", f"Bearer {token}"),
        ("Authorization", f"bearer {token}"),
        ("AUTHORIZATION", f"BEARER {token}"),
    ):
        service.expect(service.raw("GET", ORDERS, (name, value)), 200, f"{name}: {value[:6]}")


@check(auth="bearer")
def two_tokens_are_401(service: Service) -> None:
    right, other = f"Bearer {token_of(service)}", f"Bearer {token_of(service, 'bob')}"
    for second in (right, other, "Bearer x", "Basic YTpi", ""):
        for pair in ((right, second), (second, right)):
            fields = tuple(("Authorization", value) for value in pair)
            service.expect_error(service.raw("GET", ORDERS, *fields), 401, f"two fields, one with {second[:8]}")
