"""Tokens, right ones and wrong ones, byte by byte where a library would not write them."""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms

AUDIENCE = "https://api.example"

Part = Mapping[str, object] | bytes


@cache
def rsa_key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:  # noqa: ARG001 - one key for each name
    """Return the RSA key called `name`, made once: that takes long."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ec_key(name: str, curve: type[ec.EllipticCurve] = ec.SECP256R1) -> ec.EllipticCurvePrivateKey:  # noqa: ARG001
    """Return the key called `name` on `curve`, made once."""
    return ec.generate_private_key(curve())


@cache
def ed_key(name: str) -> ed25519.Ed25519PrivateKey:  # noqa: ARG001 - one key for each name
    """Return the Ed25519 key called `name`, made once."""
    return ed25519.Ed25519PrivateKey.generate()


def jwk(key: Any, key_id: str | None = None, **members: object) -> dict[str, object]:
    """Return the public half of `key` as a provider publishes it."""
    kind = {rsa.RSAPrivateKey: "RS256", ec.EllipticCurvePrivateKey: "ES256", ed25519.Ed25519PrivateKey: "EdDSA"}
    (algorithm,) = (name for each, name in kind.items() if isinstance(key, each))
    public = type(get_default_algorithms()[algorithm]).to_jwk(key.public_key(), as_dict=True)
    public.pop("key_ops", None)
    named = {} if key_id is None else {"kid": key_id}
    return {**public, **named, **members}


def encoded(part: Part) -> str:
    """Return one part of a token."""
    data = part if isinstance(part, bytes) else json.dumps(part).encode()
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(header: Part, claims: Part, key: Any, algorithm: str = "RS256") -> str:
    """Return a token of exactly these parts, signed by `key` with `algorithm`, whatever its header says."""
    content = f"{encoded(header)}.{encoded(claims)}"
    return f"{content}.{encoded(jwt.get_algorithm_by_name(algorithm).sign(content.encode(), key))}"


def claims_of(issuer: str, **changes: object) -> dict[str, object]:
    """Return the claims of a token that is valid now; those that are `...` are left out."""
    now = int(time.time())
    claims = {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": "ada",
        "iat": now,
        "exp": now + 300,
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not ...}
