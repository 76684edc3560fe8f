"""Calls in the trace of the request that they are made for (W3C Trace Context)."""

import secrets
from collections.abc import Callable, Mapping

import httpx2

from app.core import context
from app.core.context import RequestContext
from app.outgoing.attempts import SAFE

End = Callable[[httpx2.Response | BaseException], None]
watchers: list[Callable[[httpx2.Request, int], End]] = []
"""Called with each attempt and its number, the first being 1; what they return is called with what came of it."""


def begin_call(request: httpx2.Request, attempt: int) -> End:
    """Say in `request` which trace it belongs to, and return what is to be called with its outcome."""
    if request.method not in SAFE:
        context.note_write()
    current = context.current()
    if current is not None:
        request.headers.update(_trace_headers(current))
    ends = [watch(request, attempt) for watch in watchers]

    def end(outcome: httpx2.Response | BaseException) -> None:
        for each in ends:
            each(outcome)

    return end


def _trace_headers(current: RequestContext) -> Mapping[str, str]:
    if current.span_id is None and current.trace_headers:
        # Nothing is recorded here: what the caller said is still true.
        return current.trace_headers
    span = current.span_id or secrets.token_hex(8)
    return {"traceparent": f"00-{current.trace_id}-{span}-{'01' if current.is_sampled else '00'}"}
