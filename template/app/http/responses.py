"""The one shape of every failure."""

from http import HTTPStatus
from typing import NamedTuple

import orjson
import structlog

from app.auth.style import CHALLENGE
from app.core import context
from app.core.errors import AppError, Unauthenticated

_log = structlog.get_logger("app.errors")


_MOST_DETAILS = 20


class ErrorResponse(NamedTuple):
    """An answer, ready to be sent by any framework."""

    status: int
    headers: dict[str, str]
    body: bytes


def error_response(error: AppError) -> ErrorResponse:
    """Return the answer that tells a client of `error`, with the trace id of the current request."""
    current = context.current()
    if error.__cause__ is not None and error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        # For whoever runs the service; a client is not told.
        _log.error(error.code, reason=str(getattr(error.__cause__, "orig", None) or error.__cause__))
    content: dict[str, object] = {"code": error.code, "message": error.message}
    if error.details:
        content["details"] = [detail.cut()._asdict() for detail in error.details[:_MOST_DETAILS]]
    if len(error.details) > _MOST_DETAILS:
        content["message"] = f"{error.message} {len(error.details) - _MOST_DETAILS} more are not listed."
    content["trace_id"] = current.trace_id if current else "0" * 32
    headers = {"Content-Type": "application/json", **error.headers}
    if isinstance(error, Unauthenticated):
        # RFC 9110, 11.6.1: whoever refuses says what it would take.
        headers["WWW-Authenticate"] = CHALLENGE
    return ErrorResponse(error.status, headers, orjson.dumps(content))


def crash_response(crash: Exception) -> ErrorResponse:
    """Log `crash` with its traceback and return the answer that tells a client nothing of it."""
    _log.error("crash", exc_info=crash)
    return error_response(AppError())
