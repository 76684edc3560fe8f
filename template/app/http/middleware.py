"""Two ASGI middlewares around every request, for both frameworks: context and guard."""

import asyncio
import time
from collections.abc import Collection

import structlog

from app.core import context
from app.core.context import RequestContext
from app.core.errors import AppError, HeadTooLarge, InvalidHost, NotFound
from app.core.settings import Settings
from app.http import tasks
from app.http.asgi import ASGIApp, Message, Receive, Scope, Send, encoded, values
from app.http.bulkhead import Bulkheads
from app.http.contract import Contract, Routes
from app.http.cors import cors_headers
from app.http.docs import is_documentation
from app.http.headers import below, new_trace_id, passed_on, request_id, response_headers, traceparent
from app.http.hosts import is_trusted
from app.http.operations import is_for_operations, serving_operations
from app.http.proxies import Proxies
from app.http.receiving import LimitedBody, has_body, received
from app.http.responses import crash_response, error_response, send_error
from app.observability.access_log import log_request

CONTRACT = "app.contract"
"""The key of the route's contract in the ASGI scope."""

METRICS_PATH = "/metrics"
OPERATIONS = frozenset({"/healthz", "/readyz", METRICS_PATH})
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""The methods of HTTP that are counted and traced by their name: strangers send any."""
# Without `Host`, granian has an empty one, and says 1.
_OLD_HTTP = {"1.0", "1"}
_AROUND_A_HEADER = len(": \r\n")
# The server keeps what it was given until the client has taken it.
_MOST_AT_ONCE = 64 * 1024
CLIENT_CLOSED_REQUEST = 499
"""The status in the log of a request whose client went away before there was an answer; nginx made it up."""

_log = structlog.get_logger("app.requests")


class ContextMiddleware:
    """Outermost: gives the request its ids and deadline, every answer its headers, and the log its line."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings
        self.proxies = Proxies(settings.trusted_proxies, settings.root_path)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            # A framework may put the whole application, with the middleware around this one, into the scope.
            async with serving_operations(scope.get("app", self), self.settings.operations_port, self.settings):
                await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            # None of the checks below apply to WebSockets, so they are refused.
            await send({"type": "websocket.close"})
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.proxies.correct(scope)
        current = self._context(scope)
        context.enter(current)
        exchange = _Exchange(self, scope, current, receive, send)
        try:
            await self.app(scope, exchange.receive, exchange.send)
        except Exception as crash:  # noqa: BLE001 - the last place that can answer
            if exchange.status:
                _log.error("crash", exc_info=crash)
            else:
                await send_error(crash_response(crash), exchange.send)
        finally:
            exchange.log()

    def _context(self, scope: Scope) -> RequestContext:
        sent = ",".join(values(scope, b"traceparent"))
        caller = traceparent(sent)
        state = ",".join(values(scope, b"tracestate"))
        return RequestContext(
            request_id=request_id(",".join(values(scope, b"x-request-id"))),
            trace_id=caller.trace_id if caller else new_trace_id(),
            trace_headers=passed_on(sent, state) if caller else {},
            method=scope["method"],
            path=scope["path"],
            client=scope["client"][0] if scope["client"] else "",
            is_admitted=scope["path"] in OPERATIONS,
            deadline=time.monotonic() + self.settings.request_timeout_seconds,
        )

    def missing_headers(self, answer: Message, scope: Scope, current: RequestContext) -> list[tuple[bytes, bytes]]:
        """Return the headers that every answer has and that this one still lacks."""
        sent = [name.decode("latin-1").lower() for name, _ in answer.get("headers", ())]
        missing = response_headers(
            current.request_id, secure=scope["scheme"] == "https", private=current.private, sent=sent
        )
        cors = []
        if self.settings.cors_origins:
            asked = ",".join(values(scope, b"access-control-request-headers")) if _is_preflight(scope) else None
            origin = next(iter(values(scope, b"origin")), None)
            cors = cors_headers(self.settings.cors_origins, origin, preflight_for=asked)
        return encoded([*missing, *cors, *current.headers])


class _Exchange:
    """One request and its answer, on their way through."""

    def __init__(
        self, middleware: ContextMiddleware, scope: Scope, current: RequestContext, receive: Receive, send: Send
    ) -> None:
        self.status = 0
        self._middleware, self._scope, self._current = middleware, scope, current
        self._receive, self._send = receive, send
        self._is_unread = has_body(scope)
        self._is_logged = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._is_unread = self._is_unread and (message["type"] != "http.request" or message.get("more_body", False))
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = self.status or message["status"]
            missing = self._middleware.missing_headers(message, self._scope, self._current)
            message["headers"] = [*below(self._scope["root_path"], message.get("headers", ())), *missing]
            if self._is_unread:
                # The server then ends the connection, but does not always know in time to say so.
                message["headers"].append((b"connection", b"close"))
        if len(message.get("body", b"")) > _MOST_AT_ONCE:
            message = await self._send_all_but_the_end(message)
        await self._send(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            # Log now: a background task may run long after the response.
            self.log()
            tasks.goes_on(self._current)

    async def _send_all_but_the_end(self, message: Message) -> Message:
        """Send a large body part by part, each when the client has taken the one before; return the last."""
        body = memoryview(message["body"])
        while len(body) > _MOST_AT_ONCE:
            await self._send({**message, "body": bytes(body[:_MOST_AT_ONCE]), "more_body": True})
            body = body[_MOST_AT_ONCE:]
        return {**message, "body": bytes(body)}

    def log(self) -> None:
        """Write the line of this request, once."""
        if not self._is_logged:
            self._is_logged = True
            with_address = self._middleware.settings.log_client_address
            log_request(self._current, self.status or CLIENT_CLOSED_REQUEST, with_address=with_address)


class _Answer:
    """Sends an answer, and knows whether it has begun."""

    def __init__(self, send: Send) -> None:
        self.has_begun = False
        self._send = send

    async def send(self, message: Message) -> None:
        self.has_begun = True
        await self._send(message)


class GuardMiddleware:
    """Refuses invalid requests, finds the route, and limits the time and the size of the body."""

    def __init__(self, app: ASGIApp, settings: Settings, routes: Routes) -> None:
        self.app = app
        self.settings = settings
        self.routes = routes
        self.bulkheads = Bulkheads(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = _Answer(send)
        try:
            self._require_short_head(scope)
            self._require_host(scope)
            self._require_path(scope)
            allowed = self.routes.methods(scope["path"]) if scope["method"] == "OPTIONS" else ()
            if allowed and ("OPTIONS" not in allowed or _is_preflight(scope)):
                await send({"type": "http.response.start", "status": 204, "headers": [(b"allow", _allow(allowed))]})
                await send({"type": "http.response.body", "body": b""})
            else:
                await self._run(scope, receive, answer)
        except AppError as error:
            if answer.has_begun:
                # The response has started, so no error can be sent.
                raise
            await send_error(error_response(error), send)

    def _require_short_head(self, scope: Scope) -> None:
        # The server checks the limit only between reads, so a head that came in one read can exceed it by some KiB.
        size = len(scope.get("raw_path") or scope["path"]) + len(scope["query_string"])
        size += sum(len(name) + len(value) + _AROUND_A_HEADER for name, value in scope["headers"])
        if size > self.settings.max_head_bytes:
            raise HeadTooLarge

    def _require_host(self, scope: Scope) -> None:
        hosts = values(scope, b"host")
        # Balancers call these by address, and with HTTP/1.0, which knows no such header.
        is_operation = scope["path"] in OPERATIONS
        if is_operation and not any(hosts) and scope["http_version"] in _OLD_HTTP:
            return
        allowed = () if is_operation else self.settings.trusted_hosts
        if len(hosts) != 1 or not is_trusted(hosts[0], allowed):
            raise InvalidHost

    def _require_path(self, scope: Scope) -> None:
        path = scope["path"]
        # Frameworks would decode or normalize these into another path.
        is_another = b"%2f" in (scope.get("raw_path") or b"").lower() or path.startswith("//")
        is_elsewhere = self.settings.operations_port is not None and (path in OPERATIONS) != is_for_operations(scope)
        if is_another or is_elsewhere or (is_documentation(path) and not self.settings.docs_enabled):
            raise NotFound

    async def _run(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        is_head = scope["method"] == "HEAD"
        inner = {**scope, "method": "GET"} if is_head else scope
        contract = self.routes.match(inner["method"], scope["path"])
        if contract is not None:
            contract.enter()
        inner[CONTRACT] = contract
        most = contract.max_body(self.settings) if contract else self.settings.max_body_bytes
        body = LimitedBody(scope, receive, most)
        is_refused = False

        async def send_or_refuse(message: Message) -> None:
            nonlocal is_refused
            if not answer.has_begun:
                if limit.expired():
                    # The endpoint swallowed its cancellation; its response comes too late.
                    return
                # The time limit ends when the response starts: streams and background tasks may take longer.
                limit.reschedule(None)
                context.lift_deadline()
            if body.failure is not None and message["type"] == "http.response.start":
                # A framework or library may have swallowed the error or turned it into another; send ours.
                is_refused = True
                await send_error(error_response(body.failure), answer.send)
            if is_refused:
                return
            is_emptied = is_head and message["type"] == "http.response.body"
            await answer.send({**message, "body": b""} if is_emptied else message)

        try:
            async with asyncio.timeout(self.settings.request_timeout_seconds) as limit:
                await self._run_in_turn(contract, inner, body, send_or_refuse)
        except TimeoutError:
            if not limit.expired():
                # The application's own.
                raise
            raise context.timed_out() from None
        if limit.expired() and not answer.has_begun:
            raise context.timed_out()

    async def _run_in_turn(self, contract: Contract | None, scope: Scope, body: LimitedBody, send: Send) -> None:
        if contract is None or contract.room is None:
            await self.app(scope, body.receive, send)
            return
        # Read the body first, so that a slow upload does not occupy the bulkhead.
        receive = await received(scope, body.receive)
        async with self.bulkheads.of(contract.room).turn():
            await self.app(scope, receive, send)


def _is_preflight(scope: Scope) -> bool:
    """Return whether a browser asks if it may send a request (the Fetch standard, 3.3.5)."""
    asks = values(scope, b"origin") and values(scope, b"access-control-request-method")
    return scope["method"] == "OPTIONS" and bool(asks)


def allow(methods: Collection[str]) -> dict[str, str]:
    """Return the header that says which `methods` a resource has."""
    return {"Allow": _allow(methods).decode()}


def _allow(methods: Collection[str]) -> bytes:
    also = {"HEAD", "OPTIONS"} if "GET" in methods else {"OPTIONS"}
    return ", ".join(sorted({*methods, *also})).encode()
