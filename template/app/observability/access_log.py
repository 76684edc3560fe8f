"""One line a request."""

import time

import structlog

from app.core.context import RequestContext

_log = structlog.get_logger("app.requests")


def log_request(context: RequestContext, status: int, *, with_address: bool = False) -> None:
    """Write the line of a request that was answered with `status`; `duration` is in seconds."""
    address = {"source_ip": context.client} if with_address else {}
    _log.info(
        "request",
        request_id=context.request_id,
        trace_id=context.trace_id,
        method=context.method,
        # The template of the path: raw paths hold identifiers, and are without end.
        route=context.route,
        status=status,
        duration=round(time.perf_counter() - context.started, 6),
        principal=context.principal,
        **address,
    )
