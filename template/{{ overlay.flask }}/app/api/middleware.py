"""What surrounds every request: thin WSGI and Flask adapters over the policies in app/http."""

import time
from collections.abc import Iterable
from contextvars import copy_context
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING

from flask import Flask, Request, Response, request
from werkzeug.datastructures import EnvironHeaders
from werkzeug.routing import MapAdapter

from app.api.deps import get_settings
from app.api.errors import allow
from app.core import context
from app.core.context import RequestContext
from app.core.errors import InvalidHost, NotFound
from app.core.settings import Settings
from app.http.cors import cors_headers
from app.http.headers import request_id, response_headers, trace_id
from app.http.hosts import is_trusted
from app.observability.access_log import log_request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]


class ContextMiddleware:
    """Outermost: gives the request its ids and deadline, every answer its headers, and the log its line."""

    def __init__(self, app: "WSGIApplication", settings: Settings) -> None:
        self.app = app
        self.settings = settings

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        # Threads serve one request after another: what this one sets ends with it.
        return copy_context().run(self._answer, environ, start_response)

    def _answer(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        headers = EnvironHeaders(environ)
        current = RequestContext(
            request_id=request_id(headers.get("x-request-id")),
            trace_id=trace_id(headers.get("traceparent")),
            method=environ["REQUEST_METHOD"],
            path=environ["PATH_INFO"],
            deadline=time.monotonic() + self.settings.request_timeout_seconds,
        )
        context.enter(current)
        status = 0

        def start_with_headers(line: str, sent: list[tuple[str, str]], exc_info: ExcInfo | None = None) -> object:
            nonlocal status
            status = int(line[:3])
            # Werkzeug shouts the phrase.
            line = f"{status} {HTTPStatus(status).phrase}"
            return start_response(line, sent + self._missing(environ, headers, current, sent), exc_info)

        try:
            return self.app(environ, start_with_headers)  # ty: ignore[invalid-argument-type]
        finally:
            log_request(current, status)

    def _missing(
        self,
        environ: "WSGIEnvironment",
        asked: EnvironHeaders,
        current: RequestContext,
        sent: list[tuple[str, str]],
    ) -> list[tuple[str, str]]:
        secure = environ["wsgi.url_scheme"] == "https"
        names = [name.lower() for name, _ in sent]
        missing = response_headers(current.request_id, secure=secure, private=current.private, sent=names)
        is_preflight = environ["REQUEST_METHOD"] == "OPTIONS" and "access-control-request-method" in asked
        preflight_for = asked.get("access-control-request-headers", "") if is_preflight else None
        cors = cors_headers(self.settings.cors_origins, asked.get("origin"), preflight_for=preflight_for)
        return [*missing, *cors, *current.headers]


class Service(Flask):
    """Flask, with routes that depend on the path alone, and `OPTIONS` as the contract has it."""

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        if request is None:
            return super().create_url_adapter(request)
        # Flask's own also looks at the host, and refuses what asks for an upgrade.
        return self.url_map.bind("localhost", default_method=request.method, path_info=request.path)

    def make_default_options_response(self) -> Response:
        response = Response(status=204, headers=allow(set(super().make_default_options_response().allow)))
        del response.headers["Content-Type"]
        return response


def guard() -> None:
    """Do nothing if the request may go on to a route.

    Raises:
        InvalidHost: it is for a host that this service does not answer for, for several, or for none.
        NotFound: its path begins with two slashes, which Werkzeug takes for one.
    """
    if not is_trusted(request.headers.get("host", ""), get_settings().trusted_hosts):
        raise InvalidHost
    current = context.current()
    if current is not None and current.path.startswith("//"):
        raise NotFound
