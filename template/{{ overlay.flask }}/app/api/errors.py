"""Error handlers: every failure is answered in the same JSON shape."""

from flask import Flask, Response
from werkzeug.exceptions import HTTPException, default_exceptions
from werkzeug.wrappers import Response as AnyResponse

from app.core.errors import AppError
from app.http.middleware import allow
from app.http.responses import ErrorResponse, crash_response, error_response, http_error_response

_LEAST_FAILURE = 400


def as_response(error: ErrorResponse) -> Response:
    return Response(error.body, error.status, error.headers)


def _on_http_exception(error: HTTPException) -> AnyResponse:
    status = error.code or 0
    if error.response is not None or status < _LEAST_FAILURE:
        return error.get_response()
    methods = getattr(error, "valid_methods", None)
    headers = allow(set(methods)) if methods else dict(error.get_headers())
    # Werkzeug's standard description is replaced by ours; any other text comes from the view and is kept.
    standard = getattr(default_exceptions.get(status), "description", None)
    message = None if error.description == standard else error.description
    return as_response(http_error_response(status, message, headers))


def add_error_handlers(app: Flask) -> None:
    """Make `app` answer every failure in the contract's shape."""
    app.register_error_handler(AppError, lambda error: as_response(error_response(error)))
    app.register_error_handler(HTTPException, _on_http_exception)
    app.register_error_handler(Exception, lambda crash: as_response(crash_response(crash)))
