"""Section 7: who the caller is. Every wrong credential gets the same 401."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .registry import check
from .samples import UNKNOWN_ID, an_order, listing
from .service import NOTHING

if TYPE_CHECKING:
    from .answers import Answer
    from .service import Service

ORDERS = "/v1/orders"
Fields = tuple[tuple[str, str], ...]


def replaced(text: str, position: int) -> str:
    """Return the text with one character replaced by another letter."""
    other = "b" if text[position] == "a" else "a"
    return text[:position] + other + text[position + 1 :]


def wrong_keys(key: str) -> dict[str, str]:
    """Return values of X-API-Key that are nobody's key, by what is wrong with them."""
    longest = len(key) - 1
    return {
        "nothing": "",
        "garbage": "garbage",
        "the last character changed": replaced(key, longest),
        "a character of the secret changed": replaced(key, longest * 3 // 4),
        "the first character changed": replaced(key, 0),
        "a character of the id changed": replaced(key, len(key) // 5),
        "the start alone": key[: len(key) // 2],
        "the end alone": key[len(key) // 2 :],
        "one character more": key + "a",
        "one character less": key[:-1],
        "in upper case": key.upper() if key.upper() != key else key.lower(),
        "twice, joined": f"{key},{key}",
        "in quotes": f'"{key}"',
        "with Bearer": f"Bearer {key}",
        "very long": "a" * 4000,
        "only punctuation": "._-:$%",
        "a percent sign": "%00",
        "SQL": "' OR 1=1 --",
        "not ASCII": "k\N{LATIN SMALL LETTER E WITH ACUTE}y",
        "an emoji": "\N{GRINNING FACE}",
    }


def key_of(service: Service) -> str:
    """Return alice's key."""
    return next(iter(service.credentials.alice.values()))


def essence(answer: Answer) -> tuple[object, ...]:
    """Return what must be the same in every 401."""
    body = {**answer.json(), "trace_id": None}
    return answer.status, answer.header("www-authenticate"), answer.header("content-type"), tuple(body.items())


@check(auth="any")
def without_credentials_every_order_path_is_401(service: Service) -> None:
    one = f"{ORDERS}/{UNKNOWN_ID}"
    targets = [("GET", ORDERS), ("POST", ORDERS), *((method, one) for method in ("GET", "PUT", "PATCH", "DELETE"))]
    targets += [("POST", f"{one}/{action}") for action in ("submit", "pay", "ship", "cancel")]
    for method, target in targets:
        writes = method in {"PUT", "PATCH"} or (method, target) == ("POST", ORDERS)
        answer = service.call(method, target, who={}, json=an_order() if writes else NOTHING)
        service.expect_error(answer, 401, f"{method} {target}")
        service.claim("401 has WWW-Authenticate", answer.header("www-authenticate"), answer)
    headed = service.call("HEAD", ORDERS, who={})
    service.expect(headed, 401, "HEAD")
    service.claim("401 has WWW-Authenticate", headed.header("www-authenticate"), headed)


@check(orders=False, auth="api_key")
def every_wrong_key_gets_the_same_401(service: Service) -> None:
    first = service.raw("GET", "/v1/keys")
    service.expect_error(first, 401, "no key")
    for about, key in wrong_keys(key_of(service)).items():
        answer = service.raw("GET", "/v1/keys", ("X-API-Key", key))
        service.expect_error(answer, 401, about)
        if answer.status == 401:
            service.claim(f"{about}: 401 says the same as without a key", essence(answer) == essence(first), answer)


@check(auth="api_key")
def a_key_belongs_in_its_own_field(service: Service) -> None:
    key = key_of(service)
    for name, value in (
        ("Authorization", f"Bearer {key}"),
        ("Authorization", key),
        ("X-Api-Token", key),
        ("Cookie", f"X-API-Key={key}"),
    ):
        service.expect_error(service.raw("GET", ORDERS, (name, value)), 401, name)
    for name in ("api_key", "X-API-Key", "key"):
        service.expect_error(service.get(listing((name, key)), who={}), 401, f"?{name}=")
    # Field names know no case (RFC 9110, 5.1), and white space around a value is none of it (5.5).
    for name, value in (("x-api-key", key), ("X-API-KEY", key), ("X-API-Key", f"  {key}"), ("X-API-Key", f"{key}\t ")):
        service.expect(service.raw("GET", ORDERS, (name, value)), 200, f"{name}, {len(value)} characters")


@check(auth="api_key")
def two_credentials_are_401(service: Service) -> None:
    key, other = key_of(service), next(iter(service.credentials.bob.values()))
    api_key = ("X-API-Key", key)
    pairs: dict[str, Fields] = {
        "one key twice": (api_key, api_key),
        "two keys": (api_key, ("X-API-Key", other)),
        "a key and garbage": (api_key, ("X-API-Key", "garbage")),
        "garbage and a key": (("X-API-Key", "garbage"), api_key),
        "a key and nothing": (api_key, ("X-API-Key", "")),
        "nothing and a key": (("X-API-Key", ""), api_key),
        "in two cases": (api_key, ("x-api-key", key)),
    }
    for about, fields in pairs.items():
        service.expect_error(service.raw("GET", ORDERS, *fields), 401, f"GET with {about}")
        answer = service.raw("POST", ORDERS, *fields, ("Content-Type", "application/json"), body=b"{}")
        service.expect_error(answer, 401, f"POST with {about}")


@check(auth="api_key")
def a_look_alike_field_is_no_key(service: Service) -> None:
    # A WSGI server that maps - and _ to one name would take one for the other.
    service.expect_error(service.raw("GET", ORDERS, ("X_API_Key", key_of(service))), {400, 401}, "X_API_Key")
    fields = (("X-API-Key", key_of(service)), ("X_API_Key", "garbage"))
    service.expect(service.raw("GET", ORDERS, *fields), {200, 400, 401}, "both")


@check(orders=False, auth="any")
def operations_paths_need_no_credentials(service: Service) -> None:
    for target in ("/healthz", "/readyz", "/openapi.json", "/docs"):
        service.expect(service.get(target, who={}), 200, target)
        service.expect(service.get(target, who={"X-API-Key": "garbage"}), 200, f"{target} with a wrong key")


@check(auth="any")
def a_401_has_the_fields_of_every_answer(service: Service) -> None:
    answer = service.get(ORDERS, who={})
    service.expect_error(answer, 401)
    service.claim("X-Request-ID", answer.header("x-request-id"), answer)
    service.claim("nosniff", answer.header("x-content-type-options") == "nosniff", answer)
