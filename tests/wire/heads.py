"""Section 13: heads. They are bounded, and a header is called what it is called."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from . import sockets
from .answers import Request
from .registry import check
from .samples import an_order

if TYPE_CHECKING:
    from .answers import Headers
    from .service import Service

ORDERS = "/v1/orders"
JSON = {"Content-Type": "application/json"}
KIB = 1024
LARGEST = 32 * KIB
CLOSE = ("Connection", "close")
SPELLINGS = ("SCRIPT_NAME", "Script-Name", "script-name", "Script_Name", "X-Script-Name", "HTTP_SCRIPT_NAME")


def many(number: int, size: int) -> Headers:
    """Return as many headers of that size, all told."""
    return tuple((f"X-Many-{each:04}", "a" * (size - len("X-Many-0000: \r\n"))) for each in range(number))


@check(orders=False)
def a_head_over_32_kib_is_431(service: Service) -> None:
    for about, headers in {
        "one long value": (("X-Long", "a" * LARGEST),),
        "one long name": (("X-" + "a" * LARGEST, "1"),),
        "90 headers": many(90, LARGEST // 90 + 1),
        "a long cookie": (("Cookie", "a=" + "b" * LARGEST),),
    }.items():
        heard = sockets.converse(service.base_url, Request("GET", "/healthz", (*headers, CLOSE)))
        statuses = [answer.status for answer in heard.answers]
        service.claim(f"{about}: 431, not {statuses}", statuses == [431], *heard.answers)


@check(orders=False)
def a_head_far_over_32_kib_is_431_and_ends_the_connection(service: Service) -> None:
    for about, headers in {
        "one long value": (("X-Long", "a" * (200 * KIB)),),
        "one long name": (("X-" + "a" * (200 * KIB), "1"),),
        "90 headers": many(90, KIB),
        "1000 headers": many(1000, 100),
        "3000 headers": many(3000, 20),
    }.items():
        heard = sockets.converse(service.base_url, Request("GET", "/healthz", headers))
        statuses = [answer.status for answer in heard.answers]
        service.claim(f"{about}: 431, not {statuses}", statuses == [431], *heard.answers)
        service.claim(f"{about}: the connection is closed", heard.closed)


@check(orders=False)
def a_request_line_over_32_kib_is_refused(service: Service) -> None:
    for about, target in {"path": "/" + "a" * LARGEST, "query": "/healthz?a=" + "b" * LARGEST}.items():
        heard = sockets.converse(service.base_url, Request("GET", target, (CLOSE,)))
        statuses = [answer.status for answer in heard.answers]
        # RFC 9112, 3: 414 for the line; 431 for the head that it is a part of; 400 for no request at all.
        service.claim(f"a long {about}: 414, 431 or 400, not {statuses}", statuses in ([414], [431], [400]))


@check(orders=False)
def a_head_of_16_kib_is_read(service: Service) -> None:
    for about, headers in {"one header": many(1, 16 * KIB), "90 headers": many(90, 16 * KIB // 90)}.items():
        service.expect(service.raw("GET", "/healthz", *headers), 200, about)
    service.expect(service.raw("GET", "/healthz", ("Cookie", "a=" + "b" * (16 * KIB))), 200, "a cookie")


@check(orders=False)
def a_script_name_does_not_move_the_paths(service: Service) -> None:
    for name in SPELLINGS:
        for value in ("/moved", "/healthz", "/v1", "//evil.example"):
            answer = service.raw("GET", "/healthz", (name, value))
            service.expect(answer, 200, f"{name}: {value}")
            service.expect_error(service.raw("GET", f"{value}/nope", (name, value)), 404, f"{name}: {value}")
        service.expect_error(service.raw("GET", "/moved/healthz", (name, "/moved")), 404, f"{name}: /moved")
        document = service.raw("GET", "/openapi.json", (name, "/moved")).body
        service.claim(f"{name}: the document does not repeat it", b"/moved" not in document)


@check()
def a_script_name_does_not_move_a_location(service: Service) -> None:
    alice = tuple(service.credentials.alice.items())
    for name in SPELLINGS:
        body = json.dumps(an_order()).encode()
        answer = service.raw("POST", ORDERS, *alice, *JSON.items(), (name, "/moved"), body=body)
        service.expect_order(answer, 201, name)
        location = answer.header("location") or ""
        service.claim(f"{name}: the Location {location} is not moved", "moved" not in location, answer)


@check(orders=False)
def a_request_id_with_an_underscored_name_is_not_taken(service: Service) -> None:
    for name in ("X_Request_ID", "X-Request_ID", "x_request-id"):
        answer = service.raw("GET", "/healthz", (name, "underscored"))
        service.claim(f"{name} is not X-Request-ID", answer.header("x-request-id") != "underscored", answer)
        both = service.raw("GET", "/healthz", (name, "underscored"), ("X-Request-ID", "hyphened"))
        service.claim(f"{name} does not add to X-Request-ID", both.header("x-request-id") == "hyphened", both)


@check()
def an_underscored_name_is_not_that_of_a_header(service: Service) -> None:
    alice = tuple(service.credentials.alice.items())
    order = service.create()
    path, body = f"{ORDERS}/{order['id']}", json.dumps({"note": "x"}).encode()
    typed = service.raw("PATCH", path, *alice, ("Content_Type", "application/json"), body=body)
    service.expect_error(typed, 415, "Content_Type")
    twice = service.raw("PATCH", path, *alice, *JSON.items(), ("Content_Type", "text/plain"), body=body)
    service.expect_order(twice, 200, "Content-Type and Content_Type")
    matched = service.raw("PATCH", path, *alice, *JSON.items(), ("If_Match", '"stale"'), body=body)
    service.expect_order(matched, 200, "If_Match")
    key = ("Idempotency_Key", "underscored")
    for _ in range(2):
        sent = json.dumps(an_order()).encode()
        made = service.raw("POST", ORDERS, *alice, *JSON.items(), key, body=sent)
        service.expect_order(made, 201, "Idempotency_Key")


@check(auth="api_key")
def a_key_under_an_underscored_name_is_401(service: Service) -> None:
    key = service.credentials.alice["X-API-Key"]
    for name in ("X_API_Key", "X-API_Key", "X_API-Key", "HTTP_X_API_KEY", "x_api_key"):
        service.expect_error(service.raw("GET", ORDERS, (name, key)), 401, name)
        both = service.raw("GET", ORDERS, (name, "garbage"), ("X-API-Key", key))
        service.expect(both, 200, f"{name} beside X-API-Key")


@check(auth="bearer")
def a_token_under_another_name_is_401(service: Service) -> None:
    token = service.credentials.alice["Authorization"]
    for name in ("HTTP_AUTHORIZATION", "X_Authorization", "Proxy-Authorization", "Authorization_"):
        service.expect_error(service.raw("GET", ORDERS, (name, token)), 401, name)
        both = service.raw("GET", ORDERS, (name, "Bearer garbage"), ("Authorization", token))
        service.expect(both, 200, f"{name} beside Authorization")
