"""Section 7: forged access tokens. Every one gets the same 401."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import TYPE_CHECKING, Any

from .authentication import essence
from .registry import check
from .users import ME

if TYPE_CHECKING:
    from .service import Service

ELSEWHERE = "https://elsewhere.example"
NOBODY = "019c0f5e-7a3c-7b1e-8f42-3d5a6b7c8d9e"


def base64url(content: bytes) -> str:
    """Return the content as tokens have it (RFC 7515, 2)."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def opened(part: str) -> dict[str, Any]:
    """Return the object that a part of a token holds."""
    content: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return content


def signed(header: dict[str, Any] | str, claims: dict[str, Any] | str, secret: str, digest: str = "sha256") -> str:
    """Return a token of exactly these parts."""
    texts = [part if isinstance(part, str) else json.dumps(part) for part in (header, claims)]
    signing_input = ".".join(base64url(text.encode()) for text in texts)
    return f"{signing_input}.{base64url(hmac.new(secret.encode(), signing_input.encode(), digest).digest())}"


def without(members: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the members but one."""
    return {key: value for key, value in members.items() if key != name}


def mangled(good: str) -> dict[str, str]:
    """Return what can be made of a token by who has no secret."""
    head, body, signature = good.split(".")
    header, claims = opened(head), opened(body)
    forged = "a" * 32
    algorithms = ("none", "None", "NONE", "nOnE", "")
    unsigned = {f"alg {alg}": signed({**header, "alg": alg}, claims, forged) for alg in algorithms}
    return {
        **{f"{about}, signed by us": token for about, token in unsigned.items()},
        **{f"{about}, not signed": f"{token.rpartition('.')[0]}." for about, token in unsigned.items()},
        "another secret": signed(header, claims, forged),
        "no secret": signed(header, claims, ""),
        "RS256": signed({**header, "alg": "RS256"}, claims, forged),
        "kid is a path": signed({**header, "kid": "../../../../dev/null"}, claims, ""),
        "kid is SQL": signed({**header, "kid": "' UNION SELECT 'a' --"}, claims, "a"),
        "a key of our own": signed({**header, "jwk": {"kty": "oct", "k": base64url(forged.encode())}}, claims, forged),
        "keys of our own": signed({**header, "jku": f"{ELSEWHERE}/keys"}, claims, forged),
        "another's claims": f"{head}.{base64url(json.dumps({**claims, 'sub': NOBODY}).encode())}.{signature}",
        "admin": f"{head}.{base64url(json.dumps({**claims, 'roles': ['admin']}).encode())}.{signature}",
        "without a signature": f"{head}.{body}.",
        "without the last part": f"{head}.{body}",
        "one part more": f"{good}.{signature}",
        "cut": good[:-1],
        "one character more": f"{good}a",
        "padded": f"{good}=",
        "in upper case": good.upper(),
        "twice": f"{good}{good}",
        "oversized": f"{head}.{base64url(b'x' * 5000)}.{signature}",
        "deep": f"{base64url(b'[' * 1000)}.{body}.{signature}",
        "dots": "...",
        "garbage": "garbage",
    }


def wrong_claims(claims: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return claims that no token of the service has."""
    now = int(time.time())
    return {
        **{f"without {name}": without(claims, name) for name in ("iss", "aud", "exp", "nbf", "sub")},
        **{f"{name} is null": {**claims, name: None} for name in ("iss", "aud", "exp", "nbf", "sub")},
        "expired": {**claims, "exp": now - 1},
        "expired long ago": {**claims, "exp": 0},
        "exp is text": {**claims, "exp": str(claims["exp"])},
        "exp is a fraction": {**claims, "exp": claims["exp"] + 0.5},
        "exp is huge": {**claims, "exp": 10**30},
        "exp is infinite": {**claims, "exp": float("inf")},
        "exp is true": {**claims, "exp": True},
        "not yet valid": {**claims, "nbf": now + 300},
        "nbf is text": {**claims, "nbf": "0"},
        "another issuer": {**claims, "iss": ELSEWHERE},
        "another audience": {**claims, "aud": ELSEWHERE},
        "two audiences": {**claims, "aud": [claims["aud"], ELSEWHERE]},
        "a list of one audience": {**claims, "aud": [claims["aud"]]},
        "another user": {**claims, "sub": NOBODY},
        "sub is a number": {**claims, "sub": 1},
        "sub is SQL": {**claims, "sub": "' OR 1=1 --"},
        "a NUL in sub": {**claims, "sub": "\0"},
    }


def wrong_headers(header: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return headers that no token of the service has."""
    return {
        "typ is JWT": {**header, "typ": "JWT"},
        "without typ": without(header, "typ"),
        "without kid": without(header, "kid"),
        "kid is a number": {**header, "kid": 1},
        "kid is a list": {**header, "kid": [header.get("kid")]},
        "crit": {**header, "crit": ["exp"]},
    }


def misused(good: str, secret: str) -> dict[str, str]:
    """Return tokens that are rightly signed and say what they must not."""
    header, claims = (opened(part) for part in good.split(".")[:2])
    twice = json.dumps(claims)[:-1] + f', "sub": "{claims["sub"]}"}}'
    return {
        **{about: signed(header, changes, secret) for about, changes in wrong_claims(claims).items()},
        **{about: signed(changes, claims, secret) for about, changes in wrong_headers(header).items()},
        "SHA-512": signed({**header, "alg": "HS512"}, claims, secret, "sha512"),
        "a claim twice": signed(header, twice, secret),
        "a member of the header twice": signed(json.dumps(header)[:-1] + ', "alg": "none"}', claims, secret),
        "claims are a list": signed(header, "[]", secret),
        "oversized": signed(header, {**claims, "more": "x" * 4000}, secret),
    }


def expect_the_same_401(service: Service, tokens: dict[str, str]) -> None:
    """Expect that each of these is refused as no token at all is."""
    nothing = service.raw("GET", ME)
    service.expect_error(nothing, 401, "no token")
    for about, token in tokens.items():
        answer = service.raw("GET", ME, ("Authorization", f"Bearer {token}"))
        service.expect_error(answer, 401, about)
        if answer.status == 401:
            service.claim(f"{about}: 401 says the same as without a token", essence(answer) == essence(nothing), answer)


def token_of(service: Service) -> str:
    """Return alice's access token."""
    return service.credentials.alice["Authorization"].partition(" ")[2]


@check(orders=False, auth="jwt")
def a_token_is_forged_in_vain(service: Service) -> None:
    expect_the_same_401(service, mangled(token_of(service)))


@check(orders=False, auth="jwt")
def a_token_that_is_signed_and_wrong_is_401(service: Service) -> None:
    if not service.secret:
        return
    good = token_of(service)
    head, body, _ = good.split(".")
    remade = signed(opened(head), opened(body), service.secret)
    answer = service.raw("GET", ME, ("Authorization", f"Bearer {remade}"))
    service.expect(answer, 200, "a token that is made again as it was")
    expect_the_same_401(service, misused(good, service.secret))


@check(orders=False, auth="jwt")
def a_token_belongs_in_its_own_field(service: Service) -> None:
    token = token_of(service)
    for name, value in (
        ("Authorization", token),
        ("Authorization", f"Basic {token}"),
        ("Authorization", f"Bearer {token} x"),
        ("Authorization", f"Bearer, {token}"),
        ("X-API-Key", token),
        ("Cookie", f"access_token={token}"),
    ):
        service.expect_error(service.raw("GET", ME, (name, value)), 401, f"{name}: {value[:12]}…")
    service.expect_error(service.get(f"{ME}?access_token={token}", who={}), 401, "in the query")
    for name, value in (("authorization", f"bearer {token}"), ("AUTHORIZATION", f"  BEARER {token}\t ")):
        service.expect(service.raw("GET", ME, (name, value)), 200, f"{name}: {value[:10]!r}")


@check(orders=False, auth="jwt")
def two_credentials_are_401(service: Service) -> None:
    good, other = (("Authorization", f"Bearer {text}") for text in (token_of(service), "garbage"))
    for fields in ((good, good), (good, other), (other, good), (good, ("authorization", good[1]))):
        service.expect_error(service.raw("GET", ME, *fields), 401, "two fields")


@check(orders=False, auth="jwt")
def a_token_holds_nothing_private(service: Service) -> None:
    claims = opened(token_of(service).split(".")[1])
    shown = json.dumps(claims)
    service.claim(f"no address, password or hash: {sorted(claims)}", "@" not in shown and "argon" not in shown)
    service.claim("it ends within the hour", claims["exp"] - int(time.time()) <= 3600)
    service.claim("its id is its own", claims.get("jti"))
    service.claim("a hash of it is no claim", hashlib.sha256(shown.encode()).hexdigest() not in shown)
