"""A span for each statement that the database is sent for a request."""

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import lru_cache
from time import time_ns
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer
from sqlalchemy import Connection, Engine, ExceptionContext, event
from sqlalchemy.engine import ExecutionContext

_SINCE: Final = "traced_since"
_LONGEST_TEXT: Final = 4096
_TABLE: Final = re.compile(
    r'\s*(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|SELECT\b.*?^FROM)\s+[`"]?([\w.]+)',
    re.IGNORECASE | re.DOTALL | re.MULTILINE,
)


@contextmanager
def traced_statements(tracer: Tracer) -> Generator[None]:
    """Context in which each statement of a request that is traced has a span, whichever engine runs it.

    Listeners of our own: OpenTelemetry's instrumentation finds SQLAlchemy 2.1 too new, and does nothing.
    """

    def before(*arguments: Any) -> None:  # noqa: ANN401 - SQLAlchemy's
        execution: ExecutionContext = arguments[4]
        if trace.get_current_span().get_span_context().trace_flags.sampled:
            vars(execution)[_SINCE] = time_ns()

    def after(*arguments: Any) -> None:  # noqa: ANN401 - SQLAlchemy's
        connection: Connection = arguments[0]
        _end(tracer, connection.engine, arguments[4])

    def failed(failure: ExceptionContext) -> None:
        if failure.engine is not None and failure.execution_context is not None:
            _end(tracer, failure.engine, failure.execution_context, failure.original_exception)

    listeners: dict[str, Callable[..., None]] = {
        "before_cursor_execute": before,
        "after_cursor_execute": after,
        "handle_error": failed,
    }
    for happening, listener in listeners.items():
        event.listen(Engine, happening, listener)
    try:
        yield
    finally:
        for happening, listener in listeners.items():
            event.remove(Engine, happening, listener)


def _end(tracer: Tracer, engine: Engine, execution: ExecutionContext, error: BaseException | None = None) -> None:
    """Make the span of what has been executed, if it is traced."""
    since = vars(execution).pop(_SINCE, None)
    if since is None:
        return
    statement = execution.statement or ""
    attributes: dict[str, str | int] = {
        "db.system.name": engine.dialect.name,
        "db.query.summary": summary(statement),
        # Values are sent beside it, and are not in it.
        "db.query.text": statement[:_LONGEST_TEXT],
    }
    url = engine.url
    known = {"db.namespace": url.database, "server.address": url.host, "server.port": url.port}
    attributes |= {name: value for name, value in known.items() if value is not None}
    if error is not None:
        attributes["error.type"] = type(error).__qualname__
    span = tracer.start_span(summary(statement), kind=SpanKind.CLIENT, attributes=attributes, start_time=since)
    if error is not None:
        # Without the message, which may hold values.
        span.set_status(Status(StatusCode.ERROR))
    span.end()


@lru_cache(1024)
def summary(statement: str) -> str:
    """Return the operation and the first table of a statement, such as `SELECT things`."""
    words = statement.split(maxsplit=1)
    operation = words[0].upper() if words else "EXECUTE"
    table = _TABLE.match(statement)
    return f"{operation} {table[1]}" if table else operation
