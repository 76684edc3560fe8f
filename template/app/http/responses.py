"""Error responses in the one JSON shape."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

import orjson
import structlog

from app.auth.scheme import CHALLENGE
from app.core import context
from app.core.errors import AppError, Unauthenticated
from app.core.failures import failure_of
from app.http.asgi import Send, encoded

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
        # The cause goes to the log only, never to the client.
        _log.error(error.code, reason=str(getattr(error.__cause__, "orig", None) or error.__cause__))
    content: dict[str, object] = {"code": error.code, "message": error.message}
    if error.details:
        content["details"] = [detail.cut()._asdict() for detail in error.details[:_MOST_DETAILS]]
    if len(error.details) > _MOST_DETAILS:
        content["message"] = f"{error.message} {len(error.details) - _MOST_DETAILS} more are not listed."
    content["trace_id"] = current.trace_id if current else "0" * 32
    headers = {"Content-Type": "application/json", **error.headers}
    if isinstance(error, Unauthenticated) and not any(name.lower() == "www-authenticate" for name in headers):
        # RFC 9110, 11.6.1: a 401 must have a challenge.
        headers["WWW-Authenticate"] = CHALLENGE
    return ErrorResponse(error.status, headers, orjson.dumps(content))


def http_error_response(status: int, message: object = None, headers: Mapping[str, str] | None = None) -> ErrorResponse:
    """Return the answer for a failure that a framework or a library knows by its `status` alone.

    `message` is for people; what is not a text becomes JSON. Of `headers` those stay that do not describe a body.
    """
    text = message if isinstance(message, str) or message is None else orjson.dumps(message, default=str).decode()
    kept = {name: value for name, value in (headers or {}).items() if not name.lower().startswith("content-")}
    return error_response(failure_of(status, None if text == _phrase(status) else text, headers=kept))


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def crash_response(crash: Exception) -> ErrorResponse:
    """Log `crash` with its traceback and return the answer that tells a client nothing of it."""
    _log.error("crash", exc_info=crash)
    context.note_crash(crash)
    return error_response(AppError())


async def send_error(error: ErrorResponse, send: Send) -> None:
    """Send `error` as the whole answer."""
    headers = encoded({**error.headers, "Content-Length": str(len(error.body))}.items())
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": error.body})
