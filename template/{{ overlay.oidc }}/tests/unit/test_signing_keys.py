"""Which published keys may check which signatures."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import RSAAlgorithm

from app.auth.signing_keys import KeySet
from tests.tokens import ec_key, ed_key, jwk, rsa_key

_ALL = ("RS256", "RS512", "PS256", "ES256", "ES384", "ES512", "EdDSA")
_RSA = jwk(rsa_key("first"), "first")
_EC = jwk(ec_key("curve"), "curve")


def algorithms(*keys: dict[str, Any], allowed: tuple[str, ...] = _ALL) -> list[list[str]]:
    return [sorted(key.algorithms) for key in KeySet.read({"keys": list(keys)}, allowed).keys]


class TestUsable:
    @pytest.mark.parametrize(
        ("key", "expected"),
        [
            (_RSA, ["PS256", "RS256", "RS512"]),
            ({**_RSA, "alg": "RS256"}, ["RS256"]),
            ({**_RSA, "use": "sig", "key_ops": ["verify"]}, ["PS256", "RS256", "RS512"]),
            (_EC, ["ES256"]),
            (jwk(ec_key("wide", ec.SECP521R1)), ["ES512"]),
            (jwk(ed_key("edwards")), ["EdDSA"]),
        ],
    )
    def test_a_key_fits_the_algorithms_of_its_kind(self, key: dict[str, Any], expected: list[str]) -> None:
        assert [expected] == algorithms(key)

    def test_only_what_the_operator_allows(self) -> None:
        assert algorithms(_RSA, _EC, allowed=("ES256",)) == [["ES256"]]

    @pytest.mark.parametrize(
        "key",
        [
            {**_RSA, "use": "enc"},
            {**_RSA, "use": None},
            {**_RSA, "key_ops": ["sign"]},
            {**_RSA, "key_ops": "verify"},
            {**_RSA, "alg": "RSA-OAEP"},
            {**_RSA, "alg": "HS256"},
            {**_RSA, "alg": None},
            {**_RSA, "kid": 1},
            {**_RSA, "n": 1},
            {**_RSA, "n": "!"},
            {**_RSA, "e": "AA"},
            {"kty": "RSA"},
            {"kty": "oct", "k": "c2VjcmV0"},
            {"kty": "oct", "k": "c2VjcmV0", "alg": "RS256"},
            {**_EC, "alg": "ES384"},
            {**_EC, "crv": "P-384"},
            {**_EC, "crv": "secp256k1"},
            {**_EC, "crv": ["P-256"]},
            {**_EC, "x": _EC["y"]},
            {**jwk(ed_key("edwards")), "crv": "Ed448"},
            {**jwk(ed_key("edwards")), "crv": "X25519"},
            jwk(rsa_key("small", 1024), "small"),
        ],
    )
    def test_any_other_is_left_out(self, key: dict[str, Any]) -> None:
        assert algorithms(key, jwk(ec_key("wide", ec.SECP521R1))) == [["ES512"]]

    def test_of_a_private_key_only_the_public_half_is_kept(self) -> None:
        private = {**RSAAlgorithm.to_jwk(rsa_key("first"), as_dict=True), "key_ops": ["verify"]}
        (key,) = KeySet.read({"keys": [private]}, _ALL).keys

        assert not hasattr(key.public, "private_numbers")

    def test_a_set_without_end_is_cut(self) -> None:
        assert len(algorithms(*[_EC] * 5000)) == 100


class TestFind:
    def test_a_key_is_known_by_its_name(self) -> None:
        keys = KeySet.read({"keys": [_RSA, _EC]}, _ALL)

        assert keys.find("curve", "ES256") is keys.keys[1]
        for name, algorithm in (("x", "ES256"), ("", "ES256"), ("curve", "RS256"), ("curve", "")):
            assert keys.find(name, algorithm) is None

    def test_one_name_for_two_keys_is_none(self) -> None:
        keys = KeySet.read({"keys": [_EC, jwk(ec_key("other curve"), "curve"), _RSA]}, _ALL)

        assert keys.find("curve", "ES256") is None
        assert keys.find("first", "RS256")

    def test_one_name_may_be_for_two_kinds_of_keys(self) -> None:
        keys = KeySet.read({"keys": [{**_RSA, "kid": "same"}, {**_EC, "kid": "same"}]}, _ALL)

        assert (keys.find("same", "RS256"), keys.find("same", "ES256")) == keys.keys

    def test_without_a_name_there_must_be_one_that_fits(self) -> None:
        keys = KeySet.read({"keys": [_RSA, jwk(rsa_key("pss"), "pss"), _EC]}, _ALL)

        assert keys.find(None, "ES256") is keys.keys[2]
        assert keys.find(None, "RS256") is None
