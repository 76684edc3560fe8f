"""A span for each call of another service that is made for a request."""

from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final

import httpx2
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from app.outgoing import calls

Outcome = httpx2.Response | BaseException
_PORTS: Final = {"http": 80, "https": 443}
_propagator = TraceContextTextMapPropagator()


@contextmanager
def traced_calls(tracer: Tracer) -> Generator[None]:
    """Context in which each attempt at a call that belongs to a trace has a span, which the other service is told."""

    def begin(request: httpx2.Request, attempt: int) -> calls.End:
        if not trace.get_current_span().get_span_context().is_valid:
            return _nothing
        span = tracer.start_span(request.method, kind=SpanKind.CLIENT, attributes=_attributes(request, attempt))
        _propagator.inject(request.headers, trace.set_span_in_context(span))

        def end(outcome: Outcome) -> None:
            _end(span, outcome)

        return end

    calls.watchers.append(begin)
    try:
        yield
    finally:
        calls.watchers.remove(begin)


def _nothing(_outcome: Outcome) -> None:
    """Do nothing: nobody traces this call."""


def _attributes(request: httpx2.Request, attempt: int) -> dict[str, str | int]:
    # Neither the query nor a password in the URL: they may be secrets.
    url = request.url.copy_with(username=None, password=None, query=None, fragment=None)
    attributes: dict[str, str | int] = {
        "http.request.method": request.method,
        "url.full": str(url),
        "server.address": url.host,
        "server.port": url.port or _PORTS[url.scheme],
    }
    if attempt > 1:
        attributes["http.request.resend_count"] = attempt - 1
    return attributes


def _end(span: Span, outcome: Outcome) -> None:
    is_error = not isinstance(outcome, httpx2.Response) or outcome.status_code >= HTTPStatus.BAD_REQUEST
    kind = str(outcome.status_code) if isinstance(outcome, httpx2.Response) else type(outcome).__name__
    if isinstance(outcome, httpx2.Response):
        span.set_attribute("http.response.status_code", outcome.status_code)
    if is_error:
        span.set_attribute("error.type", kind)
        span.set_status(Status(StatusCode.ERROR))
    span.end()
