"""Counts and times every request, and answers /metrics."""

import asyncio
from collections.abc import Collection
from functools import cache
from time import perf_counter
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from app.auth.policy import public
from app.core import context
from app.core.context import RequestContext
from app.core.errors import MethodNotAllowed, NotFound
from app.core.settings import Settings
from app.http.asgi import ASGIApp, Message, Receive, Scope, Send, encoded, values
from app.http.bulkhead import Room, bulkhead
from app.http.contract import Contract
from app.http.middleware import (
    CLIENT_CLOSED_REQUEST,
    METHODS,
    METRICS_PATH,
    ContextMiddleware,
    GuardMiddleware,
    allow,
)
from app.http.operations import serving_operations
from app.metrics import processes
from app.metrics.exposition import exposition

REQUESTS: Final = Counter("http_requests_total", "Requests that were answered.", ["method", "route", "status"])
DURATION: Final = Histogram(
    "http_request_duration_seconds",
    "How long requests took until their answer was sent.",
    ["method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
IN_PROGRESS: Final = Gauge(
    "http_requests_in_progress", "Requests that are being answered.", ["method"], multiprocess_mode="livesum"
)

UNMATCHED: Final = "unmatched"
"""The `route` of all requests that no route has answered: their paths are without end."""
_OTHER: Final = "other"


def middleware(app: ASGIApp, settings: Settings) -> ASGIApp:
    """Return `app` with everything counted, and with /metrics; `app` itself where METRICS_ENABLED is false."""
    return MetricsMiddleware(app, settings) if settings.metrics_enabled else app


class MetricsMiddleware:
    """Counts what `app` answers, and answers /metrics: at METRICS_PORT, if that is set."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings
        self.metrics = GuardMiddleware(show_metrics, settings, _MetricsRoutes())
        self.has_exemplars = not processes.is_shared()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            processes.join()
            apart = ContextMiddleware(self.metrics, self.settings)
            async with serving_operations(apart, self.settings.metrics_port, self.settings):
                await self.app(scope, receive, send)
        elif scope["path"] == METRICS_PATH and self.settings.metrics_port is None:
            await self.metrics(scope, receive, send)
        else:
            await self._count(scope, receive, send)

    async def _count(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"] if scope["method"] in METHODS else _OTHER
        request = _Request(method, send, has_exemplar=self.has_exemplars)
        try:
            await self.app(scope, receive, request.send)
        except Exception:
            request.status = request.status or 500
            raise
        finally:
            request.end()


class _Request:
    """One request, which is counted once, when its answer is complete: tasks may run long after that."""

    __slots__ = ("_has_exemplar", "_in_progress", "_is_counted", "_method", "_send", "_started", "status")

    def __init__(self, method: str, send: Send, *, has_exemplar: bool) -> None:
        self.status = 0
        self._method, self._send, self._has_exemplar = method, send, has_exemplar
        self._is_counted = False
        self._started = perf_counter()
        self._in_progress = _in_progress(method)
        self._in_progress.inc()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self.end()

    def end(self) -> None:
        if self._is_counted:
            return
        self._is_counted = True
        self._in_progress.dec()
        current = context.current()
        route = current.route if current is not None else None
        requests, duration = _series(self._method, route or UNMATCHED, self.status or CLIENT_CLOSED_REQUEST)
        requests.inc()
        duration.observe(perf_counter() - self._started, self._exemplar(current))

    def _exemplar(self, current: RequestContext | None) -> dict[str, str] | None:
        # A trace that is not sent would lead nowhere.
        if current is None or not self._has_exemplar or not current.is_sampled:
            return None
        return {"trace_id": current.trace_id}


@cache
def _in_progress(method: str) -> Gauge:
    return IN_PROGRESS.labels(method)


@cache
def _series(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    labels = method, route, str(status)
    return REQUESTS.labels(*labels), DURATION.labels(*labels)


def scrapes(_: Settings) -> Room:
    """Return how many requests for the metrics are answered at once, which costs more than most others."""
    return Room(1, 10, "Too many ask for the metrics. Try again shortly.")


@public
@bulkhead(scrapes)
async def show_metrics(scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer with all metrics."""
    # In a thread: other requests need not wait for it.
    body, media_type = await asyncio.to_thread(exposition, ",".join(values(scope, b"accept")))
    headers = encoded({"Content-Type": media_type, "Content-Length": str(len(body))}.items())
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class _MetricsRoutes:
    """Routes with nothing but /metrics."""

    def __init__(self) -> None:
        self.contract = Contract("GET", METRICS_PATH, show_metrics)

    def match(self, method: str, path: str) -> Contract:
        if path != METRICS_PATH:
            raise NotFound
        if method != "GET":
            raise MethodNotAllowed(headers=allow({"GET"}))
        return self.contract

    def methods(self, path: str) -> Collection[str]:
        return {"GET"} if path == METRICS_PATH else ()
