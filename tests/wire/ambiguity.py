"""Section 13: framing that two servers could understand differently (RFC 9112, 6 and 7), which smuggling lives on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from .answers import Request
from .framing import CHUNKED, END, JSON, ORDERS, THREADS, Smuggled, expect_unmade, heard_of
from .registry import check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .answers import Headers
    from .service import Service


def ambiguous(smuggled: bytes) -> Iterator[tuple[str, Headers, bytes]]:
    """Yield heads that two servers could understand differently: to one of them, the smuggled request is the next."""
    ended = END + smuggled
    whole, less = ("Content-Length", str(len(ended))), ("Content-Length", "5")
    for about, headers in {
        "a length, then chunks": (whole, CHUNKED),
        "chunks, then a length": (CHUNKED, whole),
        "two lengths": (less, whole),
        "two lengths, the longer first": (whole, less),
        "a length with a sign": (("Content-Length", "+5"),),
        "a negative length": (("Content-Length", "-5"),),
        "a list of lengths": (("Content-Length", f"5, {len(ended)}"),),
        "a list of equal lengths": (("Content-Length", f"{len(ended)}, {len(ended)}"),),
        "a hexadecimal length": (("Content-Length", "0x5"),),
        "a length with an underscore": (("Content-Length", "0_5"),),
        "a length in words": (("Content-Length", "five"),),
        "an empty length": (("Content-Length", ""), whole),
        "a length beyond all integers": (("Content-Length", str(2**64 + 5)),),
        "a length with an underscored name": (("Content_Length", "5"), whole),
        "a space before the colon": (("Content-Length ", "5"), whole),
        "a space before the colon of chunks": (("Transfer-Encoding ", "chunked"), whole),
        "another coding": (("Transfer-Encoding", "xchunked"),),
        "another coding and a length": (("Transfer-Encoding", "xchunked"), whole),
        "chunks inside another coding": (("Transfer-Encoding", "chunked, identity"),),
        "chunks, then another coding": (CHUNKED, ("Transfer-Encoding", "identity"), whole),
        "a control character before chunks": (("Transfer-Encoding", "\vchunked"), whole),
        "quoted chunks": (("Transfer-Encoding", '"chunked"'), whole),
        "a folded line": (("X-Folded", "a\r\n Content-Length: 5"), whole),
        "a folded coding": (("Transfer-Encoding", "\r\n chunked"), whole),
        "a line that ends with CR": (("X-Cut", "a\rContent-Length: 5"), whole),
        "a line that ends with LF": (("X-Cut", "a\nContent-Length: 5"), whole),
        "NUL in a value": (("X-Cut", "a\0b"), whole),
        "NUL in a name": (("X\0Cut", "a"), whole),
        "an empty name": (("", "a"), whole),
        "no colon": (("Transfer-Encoding chunked\r\nX-Cut", "a"), whole),
    }.items():
        yield about, headers, ended


def strange_chunks(smuggled: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield chunked bodies that two servers could understand differently."""
    inner = END + smuggled
    for about, size in {
        "a size with a sign": b"+0",
        "a negative size": b"-1",
        "a negative zero": b"-0",
        "a hexadecimal prefix": b"0x0",
        "a space before the size": b" 0",
        "a size that wraps to zero": b"10000000000000000",
        "a size that wraps to zero in 32 bits": b"100000000",
        "a huge size": b"f" * 40,
        "no size": b"",
        "an underscore": b"0_0",
        "a size in words": b"zero",
        "NUL after the size": b"0\0",
    }.items():
        yield about, size + b"\r\n\r\n" + smuggled
    yield "LF after the size", b"%x\n%b\r\n" % (len(inner), inner) + END
    yield "LF in an extension", b"2;\nxx\r\n%x\r\n%b\r\n" % (len(inner), inner) + END
    yield "CR in an extension", b"2;a\rxx\r\n%x\r\n%b\r\n" % (len(inner), inner) + END
    yield "more than the size", b"1\r\nab\r\n" + inner
    yield "no end of the chunk", b"1\r\na" + inner
    yield "an endless size", b"0" * 4096 + b"5;" + b"x" * 40_000


def requests_with(smuggled: bytes) -> Iterator[tuple[str, Headers, bytes]]:
    """Yield what the request is about, its framing and its body."""
    yield from ambiguous(smuggled)
    for about, body in strange_chunks(smuggled):
        yield f"chunks, {about}", (CHUNKED,), body


def expect_no_smuggling(service: Service, outer: Request) -> list[tuple[str, Smuggled]]:
    """Expect no answer to the request that is hidden in each body, and return those requests."""
    hidden = [(about, Smuggled(service.credentials.alice)) for about, _, _ in requests_with(b"")]

    def send(number: int) -> None:
        _, smuggled = hidden[number]
        about, framing, body = list(requests_with(smuggled.spelled()))[number]
        request = Request(outer.method, outer.target, (*outer.headers, *framing), body)
        heard_of(service, f"{outer.method} {outer.target}, {about}", request, smuggled, patient=False)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(send, range(len(hidden))))
    return hidden


@check(orders=False)
def a_request_has_one_answer_however_its_framing_is_read(service: Service) -> None:
    expect_no_smuggling(service, Request("GET", "/healthz"))
    expect_no_smuggling(service, Request("POST", "/nope", (JSON,)))


@check()
def nothing_is_executed_however_its_framing_is_read(service: Service) -> None:
    outer = Request("POST", ORDERS, (*service.credentials.alice.items(), JSON))
    for about, smuggled in expect_no_smuggling(service, outer):
        expect_unmade(service, about, smuggled.reference)
