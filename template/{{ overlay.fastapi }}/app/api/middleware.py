"""What surrounds every request: thin ASGI adapters over the policies in app/http."""

import asyncio
import time
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.errors import as_response
from app.core import context
from app.core.context import RequestContext
from app.core.errors import AppError, BodyTooLarge, InvalidHost, MethodNotAllowed, RequestTimeout
from app.core.settings import Settings
from app.http.cors import cors_headers
from app.http.headers import request_id, response_headers, trace_id
from app.http.hosts import is_trusted
from app.http.responses import crash_response, error_response
from app.observability.access_log import log_request


class ContextMiddleware:
    """Outermost: gives the request its ids and deadline, every answer its headers, and the log its line."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        current = RequestContext(
            request_id=request_id(",".join(headers.getlist("x-request-id"))),
            trace_id=trace_id(",".join(headers.getlist("traceparent"))),
            method=scope["method"],
            path=scope["path"],
            deadline=time.monotonic() + self.settings.request_timeout_seconds,
        )
        context.enter(current)
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._add_headers(MutableHeaders(scope=message), scope, headers, current)
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except Exception as crash:  # noqa: BLE001 - the last place that can answer
            if not status:
                await as_response(crash_response(crash))(scope, receive, send_with_headers)
        finally:
            # 499: the client went away before there was an answer.
            log_request(current, status or 499)

    def _add_headers(self, answer: MutableHeaders, scope: Scope, asked: Headers, current: RequestContext) -> None:
        missing = response_headers(
            current.request_id, secure=scope["scheme"] == "https", private=current.private, sent=answer.keys()
        )
        is_preflight = scope["method"] == "OPTIONS" and "access-control-request-method" in asked
        preflight_for = asked.get("access-control-request-headers", "") if is_preflight else None
        cors = cors_headers(self.settings.cors_origins, asked.get("origin"), preflight_for=preflight_for)
        for name, value in [*missing, *cors, *current.headers]:
            answer.append(name, value)


class GuardMiddleware:
    """Refuses what no route should see, and bounds the time and the body of the rest."""

    def __init__(self, app: ASGIApp, settings: Settings, routes: Sequence[Route]) -> None:
        self.app = app
        self.settings = settings
        self.routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            self._require_host(scope)
            allowed = self._allowed(scope)
            if scope["method"] == "OPTIONS" and allowed:
                await self._options(allowed, send)
            elif allowed and scope["method"] not in allowed:
                raise MethodNotAllowed(headers={"Allow": ", ".join(allowed)})
            else:
                await self._answer(scope, receive, send)
        except AppError as error:
            await as_response(error_response(error))(scope, receive, send)

    def _require_host(self, scope: Scope) -> None:
        hosts = Headers(scope=scope).getlist("host")
        if len(hosts) != 1 or not is_trusted(hosts[0], self.settings.trusted_hosts):
            raise InvalidHost

    def _allowed(self, scope: Scope) -> list[str]:
        """Return the methods of the path; none where there is no such path."""
        # Starlette's own 405 knows only the first route of a path.
        found = [route.methods or set() for route in self.routes if route.path_regex.match(scope["path"])]
        methods = set[str]().union(*found)
        if "GET" in methods:
            methods.add("HEAD")
        return sorted(methods | {"OPTIONS"}) if methods else []

    async def _options(self, allowed: Sequence[str], send: Send) -> None:
        headers = [(b"allow", ", ".join(allowed).encode())]
        await send({"type": "http.response.start", "status": 204, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_head, started = scope["method"] == "HEAD", False

        async def send_body_unless_head(message: Message) -> None:
            nonlocal started
            started = True
            await send({**message, "body": b""} if is_head and message["type"] == "http.response.body" else message)

        inner = {**scope, "method": "GET"} if is_head else scope
        try:
            async with asyncio.timeout(self.settings.request_timeout_seconds):
                await self.app(inner, self._limited(receive), send_body_unless_head)
        except TimeoutError:
            if not started:
                raise RequestTimeout from None

    def _limited(self, receive: Receive) -> Receive:
        """Return `receive` that stops at MAX_BODY_BYTES, whatever length was announced."""
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.settings.max_body_bytes:
                raise BodyTooLarge
            return message

        return receive_limited
