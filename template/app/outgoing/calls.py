"""Calls in the trace of the request that they are made for (W3C Trace Context)."""

import secrets
from collections.abc import Callable

import httpx2

from app.core import context
from app.outgoing.attempts import Outcome

End = Callable[[Outcome], None]
watchers: list[Callable[[httpx2.Request, int], End]] = []
"""Called with each attempt and its number, the first being 1; what they return is called with what came of it."""


def begin_call(request: httpx2.Request, attempt: int) -> End:
    """Say in `request` which trace it belongs to, and return what is to be called with its outcome."""
    current = context.current()
    if current is not None:
        span = current.span_id or secrets.token_hex(8)
        request.headers["traceparent"] = f"00-{current.trace_id}-{span}-{'01' if current.is_sampled else '00'}"
    ends = [watch(request, attempt) for watch in watchers]

    def end(outcome: Outcome) -> None:
        for each in ends:
            each(outcome)

    return end
