"""Tokens as an attacker makes them: anything may be wrong, the signature too."""

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from app.auth.settings import DEVELOPMENT_SECRET
from app.auth.tokens import key_id


def base64url(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def claims_of(token: str) -> dict[str, Any]:
    """Return the claims of `token`, unchecked."""
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


def header(**changes: Any) -> dict[str, Any]:
    """Return the header of a good token with `changes`; what is changed to None is left out."""
    good = {"alg": "HS256", "typ": "at+jwt", "kid": key_id(DEVELOPMENT_SECRET)}
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def changed(claims: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return `claims` with `changes`; what is changed to None is left out."""
    return {name: value for name, value in {**claims, **changes}.items() if value is not None}


def signed(
    header: dict[str, Any] | str, claims: dict[str, Any] | str, secret: str = DEVELOPMENT_SECRET, digest: str = "sha256"
) -> str:
    """Return a token of exactly these parts; text is taken as it is."""
    parts = [part if isinstance(part, str) else json.dumps(part) for part in (header, claims)]
    signing_input = ".".join(base64url(part.encode()) for part in parts)
    mac = hmac.new(secret.encode(), signing_input.encode(), getattr(hashlib, digest)).digest()
    return f"{signing_input}.{base64url(mac)}"


def forgeries(good: str) -> dict[str, str]:
    """Return tokens that must be refused, by what is wrong with them; `good` is one that is accepted."""
    claims = claims_of(good)
    return {
        **{about: signed(header(), changes) for about, changes in wrong_claims(claims).items()},
        **{about: signed(changes, claims) for about, changes in wrong_headers().items()},
        **wrong_parts(good),
    }


def wrong_claims(claims: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return claims that no token of ours has."""
    now = int(time.time())
    return {
        **{f"without {name}": changed(claims, **{name: None}) for name in claims},
        **{f"{name} is a number": changed(claims, **{name: 7}) for name in ("iss", "aud", "sub", "sid", "jti")},
        **{f"{name} is a list": changed(claims, **{name: [claims[name]]}) for name in claims},
        "expired": changed(claims, exp=now - 1),
        "expires now": changed(claims, exp=now),
        "exp is text": changed(claims, exp=str(claims["exp"])),
        "exp is a fraction": changed(claims, exp=claims["exp"] + 0.5),
        "exp is a float": changed(claims, exp=float(claims["exp"])),
        "exp is huge": changed(claims, exp=10**18),
        "exp has hundreds of digits": changed(claims, exp=10**900),
        "exp is true": changed(claims, exp=True),
        "not yet valid": changed(claims, nbf=now + 60),
        "nbf is text": changed(claims, nbf="0"),
        "nbf is long ago": changed(claims, nbf=0),
        "another issuer": changed(claims, iss="https://elsewhere.example"),
        "another audience": changed(claims, aud="elsewhere"),
        "two audiences": changed(claims, aud=[claims["aud"], "elsewhere"]),
        "another user": changed(claims, sub="019c0f5e-7a3c-7b1e-8f42-3d5a6b7c8d9e"),
        "another session": changed(claims, sid="019c0f5e-7a3c-7b1e-8f42-3d5a6b7c8d9e"),
        "sub in upper case": changed(claims, sub=claims["sub"].upper()),
        "sub is no id": changed(claims, sub="ada"),
    }


def wrong_headers() -> dict[str, dict[str, Any]]:
    """Return headers that no token of ours has."""
    return {
        "alg none": header(alg="none"),
        "alg None": header(alg="None"),
        "alg HS512": header(alg="HS512"),
        "alg RS256": header(alg="RS256"),
        "alg is a list": header(alg=["HS256"]),
        "without alg": header(alg=None),
        "typ JWT": header(typ="JWT"),
        "without typ": header(typ=None),
        "without kid": header(kid=None),
        "kid of nobody": header(kid="0" * 16),
        "kid is a path": header(kid="../../../dev/null"),
        "kid is SQL": header(kid="' OR 1=1 --"),
        "kid is a list": header(kid=[key_id(DEVELOPMENT_SECRET)]),
        "kid is a number": header(kid=0),
        "jku": header(jku="https://elsewhere.example/keys"),
        "jwk": header(jwk={"kty": "oct", "k": base64url(b"x" * 32)}),
        "crit": header(crit=["exp"]),
        "b64": header(b64=False),
    }


def wrong_parts(good: str) -> dict[str, str]:
    """Return tokens that are wrong as a whole."""
    claims, (head, body, signature) = claims_of(good), good.split(".")
    twice = json.dumps(claims)[:-1] + f', "sub": "{claims["sub"]}"}}'
    header_twice = json.dumps(header())[:-1] + ', "alg": "none"}'
    return {
        "alg none, not signed": f"{base64url(json.dumps(header(alg='none')).encode())}.{body}.",
        "another secret": signed(header(), claims, "x" * 32),
        "the empty secret": signed(header(kid=key_id("")), claims, ""),
        "signed with SHA-512": signed(header(alg="HS512"), claims, digest="sha512"),
        "a claim twice": signed(header(), twice),
        "a member of the header twice": signed(header_twice, claims),
        "claims are a list": signed(header(), "[]"),
        "claims are no JSON": signed(header(), "{"),
        "claims are deep": signed(header(), "[" * 900),
        "without a signature": f"{head}.{body}.",
        "without a part": f"{head}.{body}",
        "with a part more": f"{good}.{signature}",
        "cut": good[:-1],
        "of another's claims": f"{head}.{base64url(json.dumps(changed(claims, sid='x')).encode())}.{signature}",
        # 43 characters hold two bits more than a signature has.
        "another spelling of the signature": good[:-1] + _next(good[-1]),
        "padded": f"{good}=",
        "with a character that is none": f"{head}.{body}.{signature[:5]}!{signature[5:]}",
        "oversized": signed(header(), {**claims, "more": "x" * 10_000}),
        "garbage": "garbage",
        "dots": "..",
    }


def _next(letter: str) -> str:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    position = letters.index(letter)
    return letters[position ^ 1]
