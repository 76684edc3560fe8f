"""A provider's public keys (RFC 7517), and which signatures each of them may check."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK, PyJWTError
from jwt.algorithms import AllowedPublicKeys

_CONSIDERED: Final = 100
# RFC 7518, 3.3 asks for 2048 bits at least; checking a signature by a very large key takes very long.
_RSA_BITS: Final = range(2048, 8193)
_RSA: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_ALGORITHMS: Final[dict[tuple[object, object], tuple[str, ...]]] = {
    ("RSA", None): _RSA,
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
    ("OKP", "Ed25519"): ("EdDSA",),
}
# The public members alone: a private key that was published by mistake is still only asked to check.
_MEMBERS: Final[dict[object, tuple[str, ...]]] = {
    "RSA": ("kty", "n", "e"),
    "EC": ("kty", "crv", "x", "y"),
    "OKP": ("kty", "crv", "x"),
}


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key, its name, and the algorithms that it may be used with."""

    key_id: str | None
    algorithms: frozenset[str]
    public: AllowedPublicKeys


class KeySet:
    """The keys that a provider publishes, without those that this service must not use."""

    def __init__(self, keys: Iterable[SigningKey]) -> None:
        self.keys = tuple(keys)

    @classmethod
    def read(cls, document: Mapping[str, object], allowed: Collection[str]) -> "KeySet":
        """Return the usable keys of a JWK set; `allowed` are the algorithms that the operator permits.

        A key that is of no use here, or that is not understood, is left out (RFC 7517, 5).

        Raises:
            ValueError: `document` is no JWK set.
        """
        members = document.get("keys")
        if not isinstance(members, list):
            raise ValueError("it is no JWK set")  # noqa: TRY004 - one kind of failure for what was fetched
        keys = (_usable(member, allowed) for member in members[:_CONSIDERED] if isinstance(member, dict))
        return cls(key for key in keys if key is not None)

    def find(self, key_id: str | None, algorithm: str) -> SigningKey | None:
        """Return the one key that is meant, or None where there is no such key or more than one.

        A token may leave `kid` out if its issuer has only one key for the algorithm (OpenID Connect Core, 10.1).
        """
        found = [key for key in self.keys if algorithm in key.algorithms and key_id in {None, key.key_id}]
        return found[0] if len(found) == 1 else None


def _usable(jwk: Mapping[str, Any], allowed: Collection[str]) -> SigningKey | None:
    algorithms = _algorithms(jwk) & set(allowed)
    key_id = jwk.get("kid")
    if not algorithms or not (key_id is None or isinstance(key_id, str)) or not _may_check_signatures(jwk):
        return None
    members = {name: jwk.get(name) for name in _MEMBERS[jwk["kty"]]}
    if not all(isinstance(value, str) for value in members.values()):
        return None
    try:
        public: AllowedPublicKeys = PyJWK(members, min(algorithms)).key
    except (PyJWTError, ValueError, TypeError, UnsupportedAlgorithm):
        return None
    if isinstance(public, RSAPublicKey) and public.key_size not in _RSA_BITS:
        return None
    return SigningKey(key_id, frozenset(algorithms), public)


def _algorithms(jwk: Mapping[str, object]) -> set[str]:
    """Return the algorithms that fit the key's type and curve, and what it says itself."""
    kty, curve = jwk.get("kty"), jwk.get("crv")
    if not isinstance(kty, str) or not (curve is None or isinstance(curve, str)):
        return set()
    fitting = set(_ALGORITHMS.get((kty, curve), ()))
    return fitting & {jwk["alg"]} if isinstance(jwk.get("alg"), str) else fitting if "alg" not in jwk else set()


def _may_check_signatures(jwk: Mapping[str, object]) -> bool:
    operations = jwk.get("key_ops", ["verify"])
    return jwk.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations
