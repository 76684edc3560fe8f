"""Section 13: what makes no sense gets a small answer, however much of it there is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from . import sockets
from .answers import Request
from .registry import check
from .samples import an_email, an_item, an_order, listing

if TYPE_CHECKING:
    from .answers import Answer, Json
    from .service import Service

ORDERS = "/v1/orders"
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
KIB = 1024
MOST_BYTES = 16 * KIB
MOST_DETAILS = 20
MOST_CHARACTERS = 200
LONG = ("a" * (8 * KIB), "a" * (200 * KIB), "\N{GRINNING FACE}" * (8 * KIB), "\\" * (8 * KIB), '"' * (200 * KIB))


def unknown(size: int) -> dict[str, int]:
    """Return as many unknown members as fit into that many bytes of JSON."""
    return {f"k{number:06}": 0 for number in range(size // len('"k000000": 0, '))}


def expect_small(service: Service, answer: Answer, about: str, *status: int) -> None:
    """Expect such an error, no larger than it has to be."""
    service.expect_error(answer, status or (413, 422), about)
    size, details = len(answer.body), answer.member("details") or []
    service.claim(f"{about}: an answer of less than 16 KiB, not {size} bytes", size < MOST_BYTES, answer)
    service.claim(f"{about}: at most 20 details, not {len(details)}", len(details) <= MOST_DETAILS, answer)
    longest = max((len(text) for each in details for text in each.values()), default=0)
    service.claim(f"{about}: at most 200 characters, not {longest}", longest <= MOST_CHARACTERS, answer)
    message = answer.member("message") or ""
    service.claim(f"{about}: a short message", len(message) <= MOST_CHARACTERS, answer)


def expect_count(service: Service, answer: Answer, number: int, about: str) -> None:
    """Expect 20 details of the problems, and that the message says how many more there are."""
    expect_small(service, answer, about, 422)
    details, message = answer.member("details") or [], answer.member("message") or ""
    service.claim(f"{about}: 20 details, not {len(details)}", len(details) == MOST_DETAILS, answer)
    said = [int(digits) for digits in re.findall(r"\d+", message)]
    service.claim(f"{about}: {number - MOST_DETAILS} more, not {message!r}", number - MOST_DETAILS in said, answer)


def nonsense() -> dict[str, Json]:
    """Return bodies that are no order, far from being one."""
    return {
        "1 MiB of unknown keys": unknown(1000 * KIB),
        "an order with 1 MiB of unknown keys": an_order(**unknown(1000 * KIB)),
        "unknown keys in an item": an_order(items=[an_item(**unknown(900 * KIB))]),
        "unknown keys in each item": an_order(items=[an_item(**unknown(KIB)) for _ in range(100)]),
        "unknown keys in an unknown key": an_order(extra=unknown(900 * KIB)),
        "thousands of items that are none": an_order(items=[0] * 200_000),
        "thousands of empty items": an_order(items=[{}] * 200_000),
        "thousands of bad items": an_order(items=[an_item(quantity=0)] * 10_000),
        "a hundred empty items": an_order(items=[{}] * 100),
        "text for a number": an_order(items=[an_item(quantity="9" * (500 * KIB))]),
        "long texts": an_order(reference="r" * (500 * KIB), note="n" * (400 * KIB)),
        "a long currency": an_order(currency="E" * (900 * KIB)),
        "a long address": an_order(customer_email="a" * (900 * KIB) + "@example.com"),
        "a long price": an_order(items=[an_item(unit_price="1" * (900 * KIB))]),
    }


@check()
def a_body_of_nonsense_gets_a_small_answer(service: Service) -> None:
    for about, body in nonsense().items():
        expect_small(service, service.post(ORDERS, json=body), about)
    path = f"{ORDERS}/{service.create()['id']}"
    for about, body in (("PATCH", unknown(1000 * KIB)), ("PATCH of items", {"items": [{}] * 200_000})):
        expect_small(service, service.patch(path, json=body), about)


@check()
def a_long_name_is_cut(service: Service) -> None:
    for name in LONG:
        about = f"a key of {len(name)} times {name[0]!r}"
        expect_small(service, service.post(ORDERS, json=an_order(**{name: 1})), about, 413, 422)
        expect_small(service, service.post(ORDERS, json=an_order(items=[an_item(**{name: 1})])), f"{about} in an item")
    expect_small(service, service.get(f"{ORDERS}?{'a' * (8 * KIB)}=1"), "a parameter of 8 KiB", 422)
    expect_small(service, service.get(f"{ORDERS}?{'%F0%9F%99%82' * 700}=1"), "a parameter of emojis", 422)


@check()
def a_long_value_of_a_parameter_is_cut(service: Service) -> None:
    for name in ("status", "limit", "sort", "created_after", "min_total", "currency", "cursor", "customer_email"):
        answer = service.get(listing(**{name: "9" * (8 * KIB)}))
        expect_small(service, answer, f"{name} of 8 KiB", 400, 422)
    expect_small(service, service.get(listing(*[("status", "x")] * 1000)), "a thousand statuses", 422)
    expect_small(service, service.get(f"{ORDERS}/{'a' * (8 * KIB)}"), "an id of 8 KiB", 404, 422)


@check()
def thousands_of_unknown_parameters_get_a_small_answer(service: Service) -> None:
    names = [f"{number:x}" for number in range(1700)]
    for about, query in {"with values": "=&".join(names), "bare": "&".join(names)}.items():
        expect_count(service, service.get(f"{ORDERS}?{query}"), len(names), about)
    repeated = service.get(f"{ORDERS}?{'&'.join(['limit=1'] * 1000)}")
    expect_small(service, repeated, "a known one repeated", 422)


@check()
def problems_beyond_twenty_are_counted(service: Service) -> None:
    for number in (21, 60, 100):
        items = [an_item(quantity=0) for _ in range(number)]
        expect_count(service, service.post(ORDERS, json=an_order(items=items)), number, f"{number} bad items")
    answer = service.post(ORDERS, json=an_order(items=[an_item(quantity=0) for _ in range(MOST_DETAILS)]))
    expect_small(service, answer, "20 bad items", 422)
    service.claim("20 problems are listed", len(answer.member("details") or []) == MOST_DETAILS, answer)
    service.claim("nothing is left to count", not re.search(r"\d", answer.member("message") or ""), answer)


@check(orders=False)
def nonsense_in_a_path_or_a_query_gets_a_small_answer(service: Service) -> None:
    expect_small(service, service.get("/" + "a" * (8 * KIB)), "a path of 8 KiB", 404)
    names = "&".join(f"{number:x}" for number in range(1700))
    for target in ("/healthz", "/readyz", "/openapi.json", "/nope"):
        answer = service.get(f"{target}?{names}")
        if service.expect(answer, {200, 404, 422}, target) and answer.status != 200:
            expect_small(service, answer, target, 404, 422)


@check(auth="jwt", orders=False)
def nonsense_about_an_account_gets_a_small_answer(service: Service) -> None:
    for about, body in {
        "unknown keys": unknown(1000 * KIB),
        "a few unknown keys": unknown(4 * KIB),
        "a long password": {"email": an_email(), "password": "p" * (6 * KIB)},
        "a long address": {"email": "a" * (6 * KIB), "password": "correct horse battery staple"},
        "a long name": {"a" * (6 * KIB): 1},
    }.items():
        expect_small(service, service.post("/v1/users", json=body, who={}), f"POST /v1/users, {about}")
        expect_small(service, service.post("/v1/auth/refresh", json=body, who={}), f"refresh, {about}")
        form = "&".join(f"{name}={value}" for name, value in body.items()).encode()
        answer = service.post("/v1/auth/token", content=form, headers=FORM, who={})
        expect_small(service, answer, f"token, {about}", 401, 413, 422)


@check(auth="api_key", orders=False)
def nonsense_about_a_key_gets_a_small_answer(service: Service) -> None:
    admin = service.credentials.admin
    for about, body in {
        "unknown keys": unknown(1000 * KIB),
        "thousands of scopes": {"owner": "x", "scopes": ["nope"] * 100_000},
        "a long scope": {"owner": "x", "scopes": ["n" * (900 * KIB)]},
        "a long owner": {"owner": "o" * (900 * KIB), "scopes": []},
    }.items():
        expect_small(service, service.post("/v1/keys", json=body, who=admin), about)


@check(orders=False)
def a_huge_head_of_nonsense_gets_a_small_answer(service: Service) -> None:
    for about, headers in {
        "hosts": (("Host", "h" * (16 * KIB)),),
        "media types": (("Accept", ", ".join(["a/b;q=0.1"] * 1400)),),
        "a request id": (("X-Request-ID", "a" * (16 * KIB)),),
        "a trace": (("traceparent", "0" * (16 * KIB)),),
        "tags": (("If-None-Match", ", ".join(['"a"'] * 3000)),),
        "credentials": (("Authorization", "Bearer " + "." * (16 * KIB)), ("X-API-Key", "." * 1000)),
    }.items():
        answer = sockets.exchange(service.base_url, Request("GET", ORDERS, headers))
        service.claim(f"{about}: {answer.status}", answer.status < 500, answer)
        service.claim(f"{about}: a small answer, not {len(answer.body)} bytes", len(answer.body) < MOST_BYTES, answer)
