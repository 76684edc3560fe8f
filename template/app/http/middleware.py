"""What surrounds every request, whichever framework answers it: two ASGI middlewares over the policies beside them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, MutableMapping
from typing import Any

import structlog

from app.core import context
from app.core.context import RequestContext
from app.core.errors import AppError, BadRequest, BodyTooLarge, HeadTooLarge, InvalidHost, NotFound, RequestTimeout
from app.core.settings import Settings
from app.http.bulkhead import bulkheads
from app.http.cors import cors_headers
from app.http.docs import is_documentation
from app.http.headers import request_id, response_headers, trace_id
from app.http.hosts import is_trusted
from app.http.operations import is_for_operations, serving_operations
from app.http.proxies import Proxies
from app.http.responses import crash_response, error_response
from app.observability.access_log import log_request

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

_OPERATIONS = {"/healthz", "/readyz"}
_AROUND_A_HEADER = len(": \r\n")
CLIENT_CLOSED_REQUEST = 499
"""The status in the log of a request whose client went away before there was an answer; nginx made it up."""

_log = structlog.get_logger("app.requests")


def values(scope: Scope, name: bytes) -> list[str]:
    """Return the lines of the header `name`, which is in lower case."""
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


class ContextMiddleware:
    """Outermost: gives the request its ids and deadline, every answer its headers, and the log its line."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings
        self.proxies = Proxies(settings.trusted_proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            # FastAPI gives requests the application, which is outside of this.
            async with serving_operations(scope.get("app", self), self.settings):
                await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            # None of what holds for requests would hold for one.
            await send({"type": "websocket.close"})
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.proxies.correct(scope)
        current = self._context(scope)
        context.enter(current)
        status = 0
        is_unread = _has_body(scope)

        async def receive_until_read() -> Message:
            nonlocal is_unread
            message = await receive()
            is_unread = is_unread and (message["type"] != "http.request" or message.get("more_body", False))
            return message

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = status or message["status"]
                message["headers"] = [*message.get("headers", ()), *self._missing(message, scope, current)]
                if is_unread:
                    # The server then ends the connection, but does not always know in time to say so.
                    message["headers"].append((b"connection", b"close"))
            await send(message)

        try:
            await self.app(scope, receive_until_read, send_with_headers)
        except Exception as crash:  # noqa: BLE001 - the last place that can answer
            if status:
                _log.error("crash", exc_info=crash)
            else:
                await _send_error(crash_response(crash), send_with_headers)
        finally:
            with_address = self.settings.log_client_address
            log_request(current, status or CLIENT_CLOSED_REQUEST, with_address=with_address)

    def _context(self, scope: Scope) -> RequestContext:
        return RequestContext(
            request_id=request_id(",".join(values(scope, b"x-request-id"))),
            trace_id=trace_id(",".join(values(scope, b"traceparent"))),
            method=scope["method"],
            path=scope["path"],
            client=scope["client"][0] if scope["client"] else "",
            deadline=time.monotonic() + self.settings.request_timeout_seconds,
        )

    def _missing(self, answer: Message, scope: Scope, current: RequestContext) -> list[tuple[bytes, bytes]]:
        """Return the headers that every answer has and that this one still lacks."""
        sent = [name.decode("latin-1").lower() for name, _ in answer.get("headers", ())]
        missing = response_headers(
            current.request_id, secure=scope["scheme"] == "https", private=current.private, sent=sent
        )
        cors = []
        if self.settings.cors_origins:
            is_preflight = scope["method"] == "OPTIONS" and values(scope, b"access-control-request-method")
            asked = ",".join(values(scope, b"access-control-request-headers")) if is_preflight else None
            origin = next(iter(values(scope, b"origin")), None)
            cors = cors_headers(self.settings.cors_origins, origin, preflight_for=asked)
        headers = [*missing, *cors, *current.headers]
        return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]


class GuardMiddleware:
    """Refuses what no route should see, and bounds the time and the body of the rest.

    `methods_of` returns the methods that a path has, or nothing where there is no such path; `endpoints` are the
    method, the path and the function of each route.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        methods_of: Callable[[str], Collection[str]],
        endpoints: Iterable[tuple[str, str, Callable[..., Any]]] = (),
    ) -> None:
        self.app = app
        self.settings = settings
        self.methods_of = methods_of
        self.bulkheads = bulkheads(endpoints, settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        has_begun = False

        async def send_first(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            self._require_short_head(scope)
            self._require_host(scope)
            self._require_path(scope)
            allowed = self.methods_of(scope["path"]) if scope["method"] == "OPTIONS" else ()
            if allowed:
                await send({"type": "http.response.start", "status": 204, "headers": [(b"allow", _allow(allowed))]})
                await send({"type": "http.response.body", "body": b""})
            else:
                await self._run(scope, receive, send_first)
        except AppError as error:
            if has_begun:
                # Nobody can take back what was said.
                raise
            await _send_error(error_response(error), send)

    def _require_short_head(self, scope: Scope) -> None:
        # The server refuses what it has to read for longer; what came at once may be over the limit by some KiB.
        size = len(scope.get("raw_path") or scope["path"]) + len(scope["query_string"])
        size += sum(len(name) + len(value) + _AROUND_A_HEADER for name, value in scope["headers"])
        if size > self.settings.max_head_bytes:
            raise HeadTooLarge

    def _require_host(self, scope: Scope) -> None:
        hosts = values(scope, b"host")
        # Balancers call these by address.
        allowed = () if scope["path"] in _OPERATIONS else self.settings.trusted_hosts
        if len(hosts) != 1 or not is_trusted(hosts[0], allowed):
            raise InvalidHost

    def _require_path(self, scope: Scope) -> None:
        path = scope["path"]
        # Frameworks would read these as another path.
        is_another = b"%2f" in (scope.get("raw_path") or b"").lower() or path.startswith("//")
        is_elsewhere = self.settings.operations_port is not None and (path in _OPERATIONS) != is_for_operations(scope)
        if is_another or is_elsewhere or (is_documentation(path) and not self.settings.docs_enabled):
            raise NotFound

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_head = scope["method"] == "HEAD"

        async def send_body_unless_head(message: Message) -> None:
            # The limit is for the answer's beginning: a long one, or what goes on after it, takes as long as it takes.
            limit.reschedule(None)
            await send({**message, "body": b""} if is_head and message["type"] == "http.response.body" else message)

        inner = {**scope, "method": "GET"} if is_head else scope
        bulkhead = self.bulkheads.get((inner["method"], scope["path"]))
        receive = self._limited(scope, receive)
        try:
            async with asyncio.timeout(self.settings.request_timeout_seconds) as limit:
                if bulkhead is None:
                    await self.app(inner, receive, send_body_unless_head)
                    return
                # A turn is for work: nobody has one while its body is on the way.
                receive = await _received(scope, receive)
                async with bulkhead.turn():
                    await self.app(inner, receive, send_body_unless_head)
        except TimeoutError:
            if not limit.expired():
                # The application's own.
                raise
            raise RequestTimeout from None

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        """Return `receive` that gives a whole body of at most MAX_BODY_BYTES, or fails."""
        length = next(iter(values(scope, b"content-length")), "0")
        declared = int(length) if length.isdecimal() else 0
        received, is_whole = 0, False

        async def receive_limited() -> Message:
            nonlocal received, is_whole
            if declared > self.settings.max_body_bytes:
                raise BodyTooLarge
            message = await receive()
            if message["type"] == "http.disconnect" and not is_whole:
                # The client went away, or sent chunks that are none: the server does not say which.
                raise BadRequest
            is_whole = is_whole or not message.get("more_body", False)
            received += len(message.get("body", b""))
            if received > self.settings.max_body_bytes:
                raise BodyTooLarge
            return message

        return receive_limited


def allow(methods: Collection[str]) -> dict[str, str]:
    """Return the header that says which `methods` a resource has."""
    return {"Allow": _allow(methods).decode()}


def _allow(methods: Collection[str]) -> bytes:
    also = {"HEAD", "OPTIONS"} if "GET" in methods else {"OPTIONS"}
    return ", ".join(sorted({*methods, *also})).encode()


async def _received(scope: Scope, receive: Receive) -> Receive:
    """Return `receive` that gives the whole body at once; where it could not be read, it raises what said so."""
    body, failure, more = bytearray(), None, _has_body(scope)
    try:
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
    except AppError as error:
        failure = error
    is_given = False

    async def receive_again() -> Message:
        nonlocal is_given
        if failure is not None:
            raise failure
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": bytes(body), "more_body": False}

    return receive_again


async def _send_error(error: Any, send: Send) -> None:  # noqa: ANN401 - an ErrorResponse
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in error.headers.items()]
    headers.append((b"content-length", str(len(error.body)).encode()))
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": error.body})


def _has_body(scope: Scope) -> bool:
    """Return whether the request announces a body."""
    length = next(iter(values(scope, b"content-length")), "0")
    return length != "0" or bool(values(scope, b"transfer-encoding"))
