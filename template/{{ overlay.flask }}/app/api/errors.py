"""Every failure in the one shape, wherever it comes from."""

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from app.core.errors import AppError, BadRequest, BodyTooLarge, MethodNotAllowed, NotFound
from app.http.middleware import allow
from app.http.responses import ErrorResponse, crash_response, error_response

_BY_STATUS: dict[int | None, type[AppError]] = {
    400: BadRequest,
    404: NotFound,
    405: MethodNotAllowed,
    413: BodyTooLarge,
}


def as_response(error: ErrorResponse) -> Response:
    return Response(error.body, error.status, error.headers)


def add_error_handlers(app: Flask) -> None:
    """Make `app` answer every failure in the contract's shape."""

    @app.errorhandler(AppError)
    def on_app_error(error: AppError) -> Response:
        return as_response(error_response(error))

    @app.errorhandler(HTTPException)
    def on_http_exception(error: HTTPException) -> Response:
        methods = getattr(error, "valid_methods", None)
        failure = _BY_STATUS.get(error.code, AppError)(headers=allow(set(methods)) if methods else None)
        return as_response(error_response(failure))

    @app.errorhandler(Exception)
    def on_crash(crash: Exception) -> Response:
        return as_response(crash_response(crash))
