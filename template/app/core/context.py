"""What is known about the request that is being answered, for logs, errors and deadlines."""

import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field

from app.core.errors import RequestTimeout

_UNKNOWN = "The request took too long, and its change may have been made. Look whether it was before you try again."


@dataclass(slots=True)
class RequestContext:
    """One request: its caller, its route and its deadline.

    `deadline` is a reading of `time.monotonic()` in seconds; `private` says that the answer depends on the caller,
    and `headers` are for the answer, whether it is a success or a failure. `client` is the client's address.
    `is_admitted` says that it is not refused for want of room any more, `may_have_written` that a commit has begun, or
    a call that changes something elsewhere, and `takes_key` that its answer may be stored with an idempotency key and
    sent again. Where traces are on, `span_id` is the request's, and `is_sampled` says whether it is sent; `crash` is
    the kind of the exception that was its end.
    `trace_headers` are the caller's `traceparent`, if it is valid, and `tracestate`, as they were sent.
    """

    request_id: str
    trace_id: str
    method: str
    path: str
    client: str = ""
    deadline: float = float("inf")
    started: float = field(default_factory=time.perf_counter)
    route: str | None = None
    principal: str | None = None
    private: bool = False
    is_admitted: bool = False
    may_have_written: bool = False
    takes_key: bool = False
    span_id: str | None = None
    is_sampled: bool = True
    crash: str | None = None
    trace_headers: Mapping[str, str] = field(default_factory=dict)
    headers: list[tuple[str, str]] = field(default_factory=list)


_current: ContextVar[RequestContext | None] = ContextVar("request_context", default=None)


def current() -> RequestContext | None:
    """Return the context of the request that runs here, or None outside a request."""
    return _current.get()


def enter(context: RequestContext) -> None:
    """Make `context` the current one for this task or thread and what it calls."""
    _current.set(context)


def keep_private() -> None:
    """Mark the response to the current request, success or failure, as private to its caller."""
    context = _current.get()
    if context is not None:
        context.private = True


def lift_deadline() -> None:
    """Remove the deadline of the current request, because its response has started."""
    context = _current.get()
    if context is not None:
        context.deadline = float("inf")


def deadline() -> float:
    """Return the deadline of the current request."""
    context = _current.get()
    return float("inf") if context is None else context.deadline


def restore_deadline(deadline: float) -> None:
    """Set the deadline of the current request again, although its response has started: it is not complete."""
    context = _current.get()
    if context is not None:
        context.deadline = deadline


def note_write() -> None:
    """Mark the current request as one that may have written something: here, or in another service."""
    context = _current.get()
    if context is not None:
        context.may_have_written = True


def note_crash(crash: Exception) -> None:
    """Note what kind of exception was the end of the current request."""
    context = _current.get()
    if context is not None:
        context.crash = type(crash).__qualname__


def timed_out() -> RequestTimeout:
    """Return the error of a request that has used up its time, which says whether something may have been written."""
    context = _current.get()
    return RequestTimeout(_UNKNOWN if context is not None and context.may_have_written else None)


def check_deadline() -> None:
    """Raise `RequestTimeout` if the deadline has passed.

    Raises:
        RequestTimeout: the current request has used up its time.
    """
    context = _current.get()
    if context is not None and time.monotonic() > context.deadline:
        raise timed_out()
