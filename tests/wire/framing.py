"""Section 13: where a request ends. A body belongs to its request, and what it spells is not executed."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING

from . import sockets
from .answers import Request
from .registry import check
from .samples import an_order, listing, unique

if TYPE_CHECKING:
    from .answers import Headers
    from .service import Service

ORDERS = "/v1/orders"
JSON = ("Content-Type", "application/json")
CHUNKED = ("Transfer-Encoding", "chunked")
END = b"0\r\n\r\n"  # of a chunked body
THREADS = 16  # a server may wait for the rest of what it took for a body: all at once, then
SURROUNDINGS: dict[str, Headers] = {
    **{
        f"Upgrade: {protocol}": (("Connection", "Upgrade"), ("Upgrade", protocol))
        for protocol in ("x", "h2c", "websocket", "TLS/1.0", "HTTP/2.0")
    },
    "Upgrade: h2c, with settings": (
        ("Connection", "Upgrade, HTTP2-Settings"),
        ("Upgrade", "h2c"),
        ("HTTP2-Settings", "AAMAAABkAAQAAP__"),
    ),
    "a websocket's handshake": (
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ),
    "Upgrade that Connection does not name": (("Upgrade", "h2c"),),
    "Expect: 100-continue": (("Expect", "100-continue"),),
    "unknown headers": (("X-Nobody-Knows", "1"), ("Connection", "X-Nobody-Knows"), ("Trailer", "X-Sum"), ("TE", "x")),
}


@dataclass(frozen=True)
class Smuggled:
    """A request in the body of another: to create an order that must not exist afterwards."""

    who: dict[str, str]
    reference: str = field(default_factory=lambda: unique("smuggled"))

    def spelled(self) -> bytes:
        """Return the request as it would be sent."""
        body = json.dumps(an_order(reference=self.reference)).encode()
        sized = (JSON, ("Content-Length", str(len(body))), ("X-Request-ID", self.reference))
        return sockets.head(Request("POST", ORDERS, (*self.who.items(), *sized)), host="localhost") + body


def sized(body: bytes, *headers: tuple[str, str]) -> tuple[Headers, bytes]:
    """Return the headers with the body's length, and the body."""
    return (*headers, ("Content-Length", str(len(body)))), body


def chunked(body: bytes, *headers: tuple[str, str]) -> tuple[Headers, bytes]:
    """Return the headers that say that the body is chunked, and the body as one chunk."""
    return (*headers, CHUNKED), b"%x\r\n%b\r\n" % (len(body), body) + END


def heard_of(
    service: Service, about: str, request: Request, smuggled: Smuggled, *, apart: bool = False, patient: bool = True
) -> sockets.Heard:
    """Send the request and another one after it, expect no more than one answer to each, and return what came."""
    marker = unique("marker")
    last = Request("GET", "/healthz", (("X-Request-ID", marker), ("Connection", "close")))
    heard = sockets.converse(service.base_url, request, last, apart=apart, patient=patient)
    ids = [answer.header("x-request-id") for answer in heard.answers]
    fact = f"{about}: at most one answer to each of two requests, not {len(ids)}"
    service.claim(fact, len(ids) <= 2, *heard.answers)
    service.claim(f"{about}: the body is not answered as a request", smuggled.reference not in ids, *heard.answers)
    if len(ids) == 2:
        service.claim(f"{about}: the second answer is the second request's", ids[1] == marker, *heard.answers)
    for answer in heard.answers:
        service.claim(f"{about}: never a server error, got {answer.status}", answer.status < 500, answer)
    return heard


def expect_unmade(service: Service, about: str, reference: str) -> None:
    """Expect that there is no such order."""
    found = service.page(listing(reference=reference))["data"]
    service.claim(f"{about}: no order is made, unlike {found}", found == [])


def expect_belonging(service: Service, request: Request, *status: int) -> list[tuple[str, Smuggled]]:
    """Expect that status in all surroundings, however the body is framed and sent; return what the bodies spell."""
    cases = list(product(SURROUNDINGS.items(), (sized, chunked), (False, True)))
    hidden = [Smuggled(service.credentials.alice) for _ in cases]

    def send(number: int) -> tuple[str, Smuggled]:
        (name, headers), framed, apart = cases[number]
        fields, body = framed(hidden[number].spelled(), *request.headers, *headers)
        about = f"{request.method} {request.target}, {name}, {framed.__name__}, {'apart' if apart else 'at once'}"
        sent = replace(request, headers=fields, body=body)
        heard = heard_of(service, about, sent, hidden[number], apart=apart)
        if service.claim(f"{about}: it is answered", heard.answers):
            service.expect(heard.answers[0], status, about)
        ended = len(heard.answers) == 2 or heard.closed
        service.claim(f"{about}: the next request is answered, or the connection closed", ended, *heard.answers)
        return about, hidden[number]

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(send, range(len(cases))))


@check(orders=False)
def a_body_is_never_read_as_a_request(service: Service) -> None:
    expect_belonging(service, Request("GET", "/healthz"), 200)
    expect_belonging(service, Request("OPTIONS", "/healthz"), 200, 204)
    expect_belonging(service, Request("POST", "/healthz", (JSON,)), 405)


@check()
def a_request_in_the_body_of_another_is_not_executed(service: Service) -> None:
    alice = tuple(service.credentials.alice.items())
    made = expect_belonging(service, Request("POST", ORDERS, (*alice, JSON)), 400)
    for about, smuggled in [*made, *expect_belonging(service, Request("GET", "/healthz"), 200)]:
        expect_unmade(service, about, smuggled.reference)


@check(orders=False)
def an_unknown_expectation_is_answered_once(service: Service) -> None:
    # 417 is for a server that does not know it; it may also ignore it (RFC 9110, 10.1.1).
    for expectation in ("x", "200-ok", "100-continue, x", "100-continue=1", ""):
        smuggled = Smuggled(service.credentials.alice)
        for framed in (sized, chunked):
            fields, body = framed(smuggled.spelled(), ("Expect", expectation))
            about = f"Expect: {expectation}, {framed.__name__}"
            heard = heard_of(service, about, Request("GET", "/healthz", fields, body), smuggled)
            if service.claim(f"{about}: it is answered", heard.answers):
                service.expect(heard.answers[0], {200, 400, 417}, about)


@check()
def an_order_is_made_whatever_surrounds_its_body(service: Service) -> None:
    alice = tuple(service.credentials.alice.items())
    for name, headers in SURROUNDINGS.items():
        for framed in (sized, chunked):
            fields, body = framed(json.dumps(an_order()).encode(), *alice, JSON, *headers)
            answer = sockets.exchange(service.base_url, Request("POST", ORDERS, fields, body))
            service.expect_order(answer, 201, f"{name}, {framed.__name__}")
