"""A server span around each request, as the semantic conventions of OpenTelemetry for HTTP describe it."""

import asyncio
import time
from contextlib import suppress
from http import HTTPStatus
from threading import Thread
from typing import Final

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import (
    NonRecordingSpan,
    ProxyTracerProvider,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    TraceState,
)

from app.core import context
from app.core.context import RequestContext
from app.core.settings import Settings
from app.http.asgi import ASGIApp, Message, Receive, Scope, Send, values
from app.http.headers import traceparent
from app.http.middleware import METHODS, OPERATIONS
from app.tracing.calls import traced_calls
from app.tracing.provider import make_provider
from app.tracing.statements import traced_statements

_OTHER_METHOD: Final = "_OTHER"
_NAME_OF_OTHER: Final = "HTTP"
_LEAST_SECONDS: Final = 1.0
_log = structlog.get_logger("app.tracing")


class TracingMiddleware:
    """Makes a span for each request that `app` answers, and sends them while the service lives."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings
        self.tracer: Tracer | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        elif self.tracer is None or scope["path"] in OPERATIONS:
            await self.app(scope, receive, send)
        else:
            await self._trace(self.tracer, scope, receive, send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Here, not before: threads do not survive a fork.
        provider = make_provider(self.settings)
        if isinstance(trace.get_tracer_provider(), ProxyTracerProvider):
            # For spans of the service's own code.
            trace.set_tracer_provider(provider)
        self.tracer = provider.get_tracer("app.tracing")
        asked_to_stop = time.monotonic()

        async def receive_and_note() -> Message:
            nonlocal asked_to_stop
            message = await receive()
            asked_to_stop = time.monotonic()
            return message

        async def flush_and_send(message: Message) -> None:
            if message["type"].startswith("lifespan.shutdown"):
                # Before the server knows that all is done: it may end the process then.
                left = asked_to_stop + self.settings.shutdown_tasks_seconds - time.monotonic()
                await flushed(provider, max(left, _LEAST_SECONDS))
            await send(message)

        with traced_statements(self.tracer), traced_calls(self.tracer):
            await self.app(scope, receive_and_note, flush_and_send)

    async def _trace(self, tracer: Tracer, scope: Scope, receive: Receive, send: Send) -> None:
        request = _Request(tracer, scope, send)
        with trace.use_span(request.span, record_exception=False, set_status_on_exception=False):
            try:
                await self.app(scope, receive, request.send)
            except Exception as crash:
                request.crashed(crash)
                raise
            finally:
                request.end()


class _Request:
    """One request, whose span ends when its answer is complete: tasks may run long after that."""

    __slots__ = ("_current", "_has_crashed", "_is_ended", "_method", "_send", "_status", "span")

    def __init__(self, tracer: Tracer, scope: Scope, send: Send) -> None:
        self._send = send
        self._status = 0
        self._is_ended = self._has_crashed = False
        is_known = scope["method"] in METHODS
        self._method = scope["method"] if is_known else _NAME_OF_OTHER
        # Neither the query nor headers: they may hold secrets, and who somebody is.
        attributes = {
            "http.request.method": scope["method"] if is_known else _OTHER_METHOD,
            "url.path": scope["path"],
            "url.scheme": scope["scheme"],
        }
        self.span = tracer.start_span(self._method, _parent(scope), SpanKind.SERVER, attributes)
        self._current = context.current()
        if self._current is not None:
            _share(self.span.get_span_context(), self._current)

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
        await self._send(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self.end()

    def crashed(self, crash: Exception) -> None:
        # Its answer may have begun, with another status.
        self._status = self._status or HTTPStatus.INTERNAL_SERVER_ERROR
        self._has_crashed = True
        context.note_crash(crash)

    def end(self) -> None:
        if self._is_ended:
            return
        self._is_ended = True
        route = self._current.route if self._current is not None else None
        if route:
            self.span.update_name(f"{self._method} {route}")
            self.span.set_attribute("http.route", route)
        if self._status:
            self.span.set_attribute("http.response.status_code", self._status)
        if self._has_crashed or self._status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            crash = self._current.crash if self._current is not None else None
            # Only the kind of a crash: its message and traceback are in the log, which hides secrets.
            self.span.set_attribute("error.type", crash or str(self._status))
            self.span.set_status(Status(StatusCode.ERROR))
        self.span.end()


def _parent(scope: Scope) -> Context:
    """Return the caller's span as the current one, or none."""
    sent = traceparent(",".join(values(scope, b"traceparent")))
    if sent is None:
        return Context()
    flags = TraceFlags(sent.flags & (TraceFlags.SAMPLED | TraceFlags.RANDOM_TRACE_ID))
    state = TraceState.from_header(values(scope, b"tracestate"))
    remote = SpanContext(
        int(sent.trace_id, 16), int(sent.span_id, 16), is_remote=True, trace_flags=flags, trace_state=state
    )
    return trace.set_span_in_context(NonRecordingSpan(remote), Context())


def _share(span: SpanContext, current: RequestContext) -> None:
    """Let the log and metrics know the span."""
    current.span_id = f"{span.span_id:016x}"
    current.is_sampled = span.trace_flags.sampled


async def flushed(provider: TracerProvider, seconds: float) -> None:
    """Send what is left; after `seconds`, go on without: the thread that sends does not keep the process."""
    loop, is_done = asyncio.get_running_loop(), asyncio.Event()

    def shut_down() -> None:
        provider.shutdown()
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(is_done.set)

    Thread(target=shut_down, name="traces", daemon=True).start()
    try:
        await asyncio.wait_for(is_done.wait(), seconds)
    except TimeoutError:
        _log.warning("traces_abandoned", seconds=round(seconds, 1))
