"""Sections 4, 8 and 12: what a request body may be, before its fields are looked at."""

from __future__ import annotations

import json
import time
from itertools import repeat
from typing import TYPE_CHECKING

from . import sockets
from .answers import Request
from .registry import check
from .samples import an_item, an_order, listing, unique

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .service import Service

LIMIT = 1024 * 1024
JSON = {"Content-Type": "application/json"}
ORDERS = "/v1/orders"

NOT_JSON = {
    "only spaces": b"  \n ",
    "a truncated object": b'{"reference": "a"',
    "two documents": b"{} {}",
    "a trailing comma": b'{"reference": "a",}',
    "a comment": b"{} // no",
    "single quotes": b"{'reference': 'a'}",
    "a bare word": b"orders",
    "a leading zero": b'{"reference": 01}',
    "a plus sign": b'{"reference": +1}',
    "a hexadecimal number": b'{"reference": 0x10}',
    "a no-break space before": "\N{NO-BREAK SPACE}{}".encode(),
    "a form": b"reference=a&currency=EUR",
    "a raw NUL": b"\x00",
    "a bad escape": b'{"reference": "\\x41"}',
    "a cut escape": b'{"reference": "\\u00"}',
}
NOT_UTF8 = {
    "a byte that is never UTF-8": b"\xff",
    "Latin-1": "é".encode("latin-1"),
    "an overlong NUL": b"\xc0\x80",
    "an encoded surrogate": b"\xed\xa0\x80",
    "a cut sequence": b"\xe2\x82",
    "beyond Unicode": b"\xf4\x90\x80\x80",
}
OTHER_ENCODINGS = ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")
NOT_OBJECTS = (b"[]", b'"a"', b"null", b"1", b"true", b"[{}]", b"1.5", b'""')


@check()
def an_empty_body_is_400(service: Service) -> None:
    service.expect_error(service.post(ORDERS, headers=JSON), 400, "Content-Type, no body")
    sized = service.raw("POST", ORDERS, *service.credentials.alice.items(), *JSON.items(), ("Content-Length", "0"))
    service.expect_error(sized, 400, "Content-Length: 0")
    order = service.create()
    service.expect_error(service.patch(f"{ORDERS}/{order['id']}", headers=JSON), 400, "PATCH")


@check()
def a_body_that_is_not_json_is_400(service: Service) -> None:
    for about, text in NOT_JSON.items():
        service.expect_error(service.post(ORDERS, content=text, headers=JSON), 400, about)


@check()
def invalid_utf_8_is_400(service: Service) -> None:
    for about, text in NOT_UTF8.items():
        body = json.dumps(an_order(note="@")).encode().replace(b"@", text)
        service.expect_error(service.post(ORDERS, content=body, headers=JSON), 400, about)


@check()
def another_encoding_or_a_byte_order_mark_is_400(service: Service) -> None:
    for encoding in OTHER_ENCODINGS:
        body = json.dumps(an_order()).encode(encoding)
        service.expect_error(service.post(ORDERS, content=body, headers=JSON), 400, encoding)


@check()
def json_that_is_no_object_is_422(service: Service) -> None:
    for body in NOT_OBJECTS:
        service.expect_error(service.post(ORDERS, content=body, headers=JSON), 422, body.decode())
    order = service.create()
    for body in NOT_OBJECTS:
        answer = service.patch(f"{ORDERS}/{order['id']}", content=body, headers=JSON)
        service.expect_error(answer, 422, f"PATCH {body.decode()}")


@check()
def nan_and_infinity_are_refused(service: Service) -> None:
    # Section 12 says 422; as JSON has no such words, 400 is right too.
    for word in ("NaN", "Infinity", "-Infinity", "1e999", "-1e999"):
        for name in ("quantity", "unit_price"):
            body = json.dumps(an_order(items=[an_item(**{name: "@"})])).replace('"@"', word).encode()
            service.expect_error(service.post(ORDERS, content=body, headers=JSON), {400, 422}, f"{name}: {word}")


@check()
def duplicate_keys_are_422(service: Service) -> None:
    text = json.dumps(an_order(note="one"))
    twice = {
        "at the top": text[:-1] + ', "note": "two"}',
        "with the same value": text[:-1] + ', "note": "one"}',
        "written with an escape": text[:-1] + ', "n\\u006fte": "two"}',
        "in an item": text.replace('"quantity": 2', '"quantity": 2, "quantity": 3'),
    }
    for about, body in twice.items():
        service.expect_error(service.post(ORDERS, content=body.encode(), headers=JSON), 422, about)
    order = service.create()
    answer = service.patch(f"{ORDERS}/{order['id']}", content=b'{"note": "a", "note": "b"}', headers=JSON)
    service.expect_error(answer, 422, "PATCH")


@check()
def huge_numbers_are_refused(service: Service) -> None:
    for about, digits, accepted in (
        ("2**31", str(2**31), {422}),
        ("2**63", str(2**63), {422}),
        ("-2**63-1", str(-(2**63) - 1), {422}),
        ("10**400", "1" + "0" * 400, {422}),
        # Beyond what a parser need hold (RFC 8259, section 9), either refusal is right.
        ("5000 digits", "9" * 5000, {400, 422}),
        ("1e400", "1e400", {400, 422}),
        ("1e100000000", "1e100000000", {400, 422}),
    ):
        for name in ("quantity", "unit_price"):
            body = json.dumps(an_order(items=[an_item(**{name: "@"})])).replace('"@"', digits).encode()
            service.expect_error(service.post(ORDERS, content=body, headers=JSON), accepted, f"{name}: {about}")


@check()
def deep_nesting_is_refused(service: Service) -> None:
    for depth in (200, 2000, 100_000):
        opened, closed = b"[" * depth, b"]" * depth
        for about, body in (
            ("lists", opened + closed),
            ("unclosed lists", opened),
            ("objects", b'{"a":' * depth + b"1" + b"}" * depth),
            ("in an unknown field", b'{"extra":' + opened + closed + b"}"),
            ("in a known field", b'{"items":' + opened + closed + b"}"),
        ):
            answer = service.post(ORDERS, content=body, headers=JSON)
            service.expect_error(answer, {400, 422}, f"{about}, {depth} deep")


@check()
def white_space_and_escapes_are_read_as_json_says(service: Service) -> None:
    order = an_order(reference=unique("é\N{GRINNING FACE}"))
    body = ("\r\n\t " + json.dumps(order, ensure_ascii=True, indent=2) + " \n").encode()
    answer = service.post(ORDERS, content=body, headers={"Content-Type": "Application/JSON; Charset=UTF-8"})
    service.expect_order(answer, 201)
    service.claim("escapes are decoded", answer.member("reference") == order["reference"], answer)


@check()
def a_body_of_exactly_the_limit_is_read(service: Service) -> None:
    body = json.dumps(an_order()).encode()
    service.expect_order(service.post(ORDERS, content=body.ljust(LIMIT), headers=JSON), 201, "1 MiB")
    too_long = json.dumps(an_order()).encode().ljust(LIMIT + 1)
    service.expect_error(service.post(ORDERS, content=too_long, headers=JSON), 413, "1 MiB and a byte")


@check()
def a_declared_length_over_the_limit_is_413_before_the_body_is_sent(service: Service) -> None:
    for length in (LIMIT + 1, 10**11, 10**30):
        fields = (*service.credentials.alice.items(), *JSON.items(), ("Content-Length", str(length)))
        # A length that no machine integer holds may be refused by the server itself (RFC 9112, 6.3).
        accepted = {413} if length < 10**12 else {400, 413}
        # Nothing comes after the head: one that waited for it would answer 504.
        answer = service.raw("POST", ORDERS, *fields)
        if service.expect(answer, accepted, f"Content-Length: {length}") and answer.status == 413:
            service.expect_error(answer, 413)


@check()
def a_chunked_body_over_the_limit_is_413_before_it_ends(service: Service) -> None:
    fields = (*service.credentials.alice.items(), *JSON.items(), ("Transfer-Encoding", "chunked"))
    answer, sent = sockets.stream(service.base_url, Request("POST", ORDERS, fields), endless_spaces())
    service.expect_error(answer, 413, "chunked")
    service.claim(f"the answer comes soon after 1 MiB, not after {sent} bytes", sent <= 2 * LIMIT, answer)


def endless_spaces() -> Iterator[bytes]:
    """Yield the start of a body and then 8 MiB of spaces, slower past the limit than the service can read."""
    yield b'{"reference":'
    for number, chunk in enumerate(repeat(b" " * 65536, 128)):
        if number * 65536 > LIMIT:
            time.sleep(0.1)
        yield chunk


@check()
def a_chunked_body_within_the_limit_is_read(service: Service) -> None:
    body = json.dumps(an_order()).encode()
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    fields = (*service.credentials.alice.items(), *JSON.items(), ("Transfer-Encoding", "chunked"))
    request = Request("POST", ORDERS, fields, chunks)
    service.expect_order(sockets.exchange(service.base_url, request), 201)


@check()
def nothing_is_written_by_a_refused_body(service: Service) -> None:
    order = an_order(extra=1)
    service.expect_error(service.post(ORDERS, json=order), 422)
    body = service.page(listing(reference=order["reference"]))
    service.claim(f"a refused order is not there, unlike {body['data']}", body["data"] == [])
