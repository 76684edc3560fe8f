"""Sections 4 and 12: media types both ways, codings, and fields sent twice."""

from __future__ import annotations

import gzip
import json
from contextlib import closing
from typing import TYPE_CHECKING

from . import sockets
from .answers import Request
from .registry import check
from .samples import an_order, listing

if TYPE_CHECKING:
    from .service import Service

ORDERS = "/v1/orders"
JSON = ("Content-Type", "application/json")
OTHER_TYPES = (
    *("text/plain", "text/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"),
    *("application/xml", "application/jsonp", "application/json-seq", "json", "*/*", "application/*"),
    *("application/octet-stream", "/", ";"),
)
ACCEPTABLE = (
    *("application/json", "*/*", "application/*", "Application/JSON", "text/html, application/json;q=0.5"),
    *("text/html, */*;q=0.1", "application/json;q=0.001", "application/json , text/plain"),
    "text/html;q=1,application/*;q=0.2",
)
UNACCEPTABLE = (
    *("text/html", "text/*", "application/xml", "application/json;q=0", "text/html, application/json;q=0.0"),
    *("*/*;q=0", "application/json;q=0, */*", "image/png, text/plain;q=0.5", "application/jsonp"),
)


@check()
def a_body_of_another_type_is_415(service: Service) -> None:
    order = service.create()
    for value in OTHER_TYPES:
        for method, target in (
            ("POST", ORDERS),
            ("PUT", f"{ORDERS}/{order['id']}"),
            ("PATCH", f"{ORDERS}/{order['id']}"),
        ):
            answer = service.call(
                method, target, content=json.dumps(an_order()).encode(), headers={"Content-Type": value}
            )
            service.expect_error(answer, 415, f"{method} {value}")
    service.claim("the order is untouched", service.read(order["id"]) == order)


@check()
def a_body_without_a_type_is_415(service: Service) -> None:
    order = service.create()
    body = json.dumps(an_order()).encode()
    for method, target in (("POST", ORDERS), ("PUT", f"{ORDERS}/{order['id']}"), ("PATCH", f"{ORDERS}/{order['id']}")):
        answer = service.raw(method, target, *service.credentials.alice.items(), body=body)
        service.expect_error(answer, 415, f"{method} without Content-Type")
        empty = service.raw(method, target, *service.credentials.alice.items(), ("Content-Type", ""), body=body)
        service.expect_error(empty, 415, f"{method} with an empty Content-Type")
    # No body and no type: it is malformed, of no known type, or invalid; any of these is fair.
    service.expect_error(service.raw("POST", ORDERS, *service.credentials.alice.items()), {400, 411, 415, 422})


@check()
def a_json_type_with_parameters_is_read(service: Service) -> None:
    for value in (
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "APPLICATION/JSON",
        "application/json ;x=y",
    ):
        body = json.dumps(an_order()).encode()
        answer = service.raw("POST", ORDERS, *service.credentials.alice.items(), ("Content-Type", value), body=body)
        service.expect_order(answer, 201, value)
    # Another charset may be refused as a type or as text; it may not be guessed at.
    latin = json.dumps(an_order(note="é"), ensure_ascii=False).encode("latin-1")
    fields = (*service.credentials.alice.items(), ("Content-Type", "application/json; charset=iso-8859-1"))
    service.expect_error(service.raw("POST", ORDERS, *fields, body=latin), {400, 415})


@check()
def a_coded_body_is_415(service: Service) -> None:
    body = json.dumps(an_order()).encode()
    for coding, coded in (
        ("gzip", gzip.compress(body)),
        ("gzip", body),
        ("deflate", body),
        ("br", body),
        ("gzip, identity", body),
        ("x", body),
    ):
        fields = (*service.credentials.alice.items(), JSON, ("Content-Encoding", coding))
        service.expect_error(service.raw("POST", ORDERS, *fields, body=coded), 415, coding)
    # `identity` is no coding, though it should not be sent (RFC 9110, 8.4.1).
    fields = (*service.credentials.alice.items(), JSON, ("Content-Encoding", "identity"))
    service.expect(service.raw("POST", ORDERS, *fields, body=body), {201, 415})


@check()
def what_accepts_json_gets_json(service: Service) -> None:
    order = service.create()
    for value in ACCEPTABLE:
        for target in (ORDERS + "?limit=1", f"{ORDERS}/{order['id']}"):
            service.expect(service.get(target, headers={"Accept": value}), 200, f"Accept: {value}")
    alice = service.credentials.alice.items()
    service.expect(service.raw("GET", f"{ORDERS}/{order['id']}", *alice), 200, "no Accept")
    # An empty list of ranges accepts nothing or everything, by how one reads it; a garbled one may be ignored.
    for value in ("", "garbage", "application/json;q=x", ";;;", "a/b/c"):
        service.expect_survival(service.get(f"{ORDERS}/{order['id']}", headers={"Accept": value}), f"Accept: {value}")
    lines = (("Accept", "text/html"), ("Accept", "application/json"))
    service.expect(service.raw("GET", f"{ORDERS}/{order['id']}", *alice, *lines), 200, "Accept on two lines")


@check()
def what_does_not_accept_json_gets_406(service: Service) -> None:
    order = service.create()
    for value in UNACCEPTABLE:
        for target in (ORDERS, f"{ORDERS}/{order['id']}"):
            service.expect_error(service.get(target, headers={"Accept": value}), 406, f"Accept: {value}")
    changes = (("DELETE", f"{ORDERS}/{order['id']}"), ("POST", f"{ORDERS}/{order['id']}/submit"))
    for method, target in changes:
        answer = service.call(method, target, headers={"Accept": "text/html"})
        service.expect(answer, {406, 204} if method == "DELETE" else {406}, method)


@check()
def nothing_is_written_by_what_gets_406(service: Service) -> None:
    order = an_order()
    service.expect_error(service.post(ORDERS, json=order, headers={"Accept": "text/html"}), 406)
    found = service.page(listing(reference=order["reference"]))["data"]
    service.claim("the order is not there", found == [])


@check()
def fields_sent_twice_never_break_the_service(service: Service) -> None:
    body = json.dumps(an_order()).encode()
    alice = service.credentials.alice.items()
    for about, fields, accepted in (
        ("two Content-Types", (JSON, ("Content-Type", "text/plain")), {400, 415}),
        ("the same Content-Type twice", (JSON, JSON), {201, 400, 415}),
        ("two Accepts", (JSON, ("Accept", "text/html"), ("Accept", "text/plain")), {406}),
        ("two codings", (JSON, ("Content-Encoding", "identity"), ("Content-Encoding", "gzip")), {415}),
    ):
        service.expect(service.raw("POST", ORDERS, *alice, *fields, body=body), accepted, about)


@check()
def contradictory_lengths_are_refused(service: Service) -> None:
    # RFC 9112, 6.3: the server itself may answer, in a shape of its own.
    alice = service.credentials.alice.items()
    for lengths in (("5", "6"), ("-1",), ("abc",), ("+5",), ("1_0",), ("5, 6",), ("0x5",)):
        fields = (*alice, JSON, *(("Content-Length", value) for value in lengths))
        answer = sockets.exchange(service.base_url, Request("POST", ORDERS, fields))
        service.expect(answer, {400, 413}, f"Content-Length: {lengths}")


@check()
def a_refused_body_does_not_become_the_next_request(service: Service) -> None:
    smuggled = b"DELETE /v1/orders HTTP/1.1\r\nHost: localhost\r\n\r\n"
    fields = (
        *service.credentials.alice.items(),
        ("Content-Type", "text/plain"),
        ("Content-Length", str(len(smuggled))),
    )
    first = Request("POST", ORDERS, fields, smuggled)
    with closing(sockets.connect(service.base_url)) as connection:
        connection.sendall(sockets.head(first, host="localhost") + smuggled)
        service.expect_error(sockets.read_answer(connection, first), 415)
        second = Request("GET", "/healthz")
        try:
            connection.sendall(sockets.head(second, host="localhost"))
            service.expect(sockets.read_answer(connection, second), 200, "the next request on the connection")
        except (OSError, sockets.NoAnswerError):
            return  # closing the connection is right too
