"""Headers that go with every request and every answer."""

import re
import secrets
import uuid
from collections.abc import Iterable
from typing import NamedTuple

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_PLACES = {b"location", b"content-location"}
_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?P<trace>(?!0{32})[0-9a-f]{32})-(?P<span>(?!0{16})[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?P<later>-.*)?"
)
_LONGEST_STATE = 512

SECURITY_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
)
HSTS = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
NO_STORE = ("Cache-Control", "no-store")


def request_id(sent: str | None) -> str:
    """Return the client's `X-Request-ID` if it is well-formed, else a new one."""
    return sent if sent and _REQUEST_ID.fullmatch(sent) else uuid.uuid4().hex


class Traceparent(NamedTuple):
    """Which span of which trace has called: 32 and 16 hexadecimal digits, and eight bits about them."""

    trace_id: str
    span_id: str
    flags: int


def traceparent(sent: str | None) -> Traceparent | None:
    """Return what a `traceparent` says, or None if there is no valid one (W3C Trace Context)."""
    match = _TRACEPARENT.fullmatch(sent or "")
    # Version 00 has exactly four fields; later versions may add some.
    if match and (match["later"] is None or not (sent or "").startswith("00")):
        return Traceparent(match["trace"], match["span"], int(match["flags"], 16))
    return None


def passed_on(parent: str, state: str) -> dict[str, str]:
    """Return the headers that pass a valid `traceparent` and its `tracestate` on: what other services can take of them.

    A `tracestate` of more than 512 characters may be left out (W3C Trace Context, tracestate limits).
    """
    sent = {"traceparent": parent, "tracestate": state if len(state) <= _LONGEST_STATE else ""}
    return {name: value for name, value in sent.items() if value and value.isascii() and value.isprintable()}


def new_trace_id() -> str:
    """Return a new trace id: 32 hexadecimal digits."""
    # Random to the last bit, by which samplers decide; some of a UUID's are not.
    return secrets.token_hex(16)


def revision_headers(revision: str | None) -> dict[str, str]:
    """Return the `X-Revision` header, by which a release verifies which revision answers."""
    return {"X-Revision": revision} if revision else {}


def below(root_path: str, headers: Iterable[tuple[bytes, bytes]]) -> Iterable[tuple[bytes, bytes]]:
    """Return the `headers` of an answer for clients that find the service at `root_path`: `Location` is below that.

    A framework's own `url_for` knows `root_path`; a path that is written by hand does not.
    """
    if not root_path:
        return headers
    start = root_path.encode()
    return [
        (name, start + value if name in _PLACES and _is_path(value) and not _is_below(start, value) else value)
        for name, value in headers
    ]


def _is_path(value: bytes) -> bool:
    return value.startswith(b"/") and not value.startswith(b"//")


def _is_below(start: bytes, value: bytes) -> bool:
    return re.split(rb"[?#]", value, maxsplit=1)[0] == start or value.startswith(start + b"/")


def response_headers(request_id: str, *, secure: bool, private: bool, sent: Iterable[str]) -> list[tuple[str, str]]:
    """Return the headers that an answer still lacks.

    `secure` says that the client came over TLS, `private` that a principal was involved; `sent` are the names,
    in lower case, that the answer already has.
    """
    wanted = [("X-Request-ID", request_id), *SECURITY_HEADERS]
    if secure:
        wanted.append(HSTS)
    if private:
        wanted.append(NO_STORE)
    present = set(sent)
    return [(name, value) for name, value in wanted if name.lower() not in present]
