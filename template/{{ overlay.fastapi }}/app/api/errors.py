"""Error handlers: every failure is answered in the same JSON shape."""

from typing import cast

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from app.core.errors import AppError
from app.http.responses import ErrorResponse, error_response, http_error_response
from app.http.validation import invalid

_LEAST_FAILURE = 400


def as_response(error: ErrorResponse) -> Response:
    return Response(error.body, error.status, error.headers)


def add_error_handlers(app: Starlette) -> None:
    """Make `app` answer every failure in the contract's shape."""

    async def on_app_error(_request: Request, error: Exception) -> Response:
        return as_response(error_response(cast("AppError", error)))

    async def on_invalid(_request: Request, error: Exception) -> Response:
        # FastAPI prefixes each location with its part of the request, such as "body"; clients get the field alone.
        findings = cast("RequestValidationError", error).errors()
        return as_response(error_response(invalid({**each, "loc": each["loc"][1:]} for each in findings)))

    async def on_http_exception(_request: Request, error: Exception) -> Response:
        failure = cast("HTTPException", error)
        if failure.status_code < _LEAST_FAILURE:
            return Response(status_code=failure.status_code, headers=failure.headers)
        return as_response(http_error_response(failure.status_code, failure.detail, failure.headers))

    for kind, handler in (
        (AppError, on_app_error),
        (RequestValidationError, on_invalid),
        (HTTPException, on_http_exception),
    ):
        present = app.exception_handlers.get(kind)
        if present is None or present.__module__.startswith(("fastapi.", "starlette.")):
            app.add_exception_handler(kind, handler)


def add_error_handlers_to_mounted(app: Starlette) -> None:
    """Make the applications that are mounted in `app` answer every failure in the contract's shape."""

    async def on_crash(_request: Request, _crash: Exception) -> Response:
        # Starlette raises the exception again, so `ContextMiddleware` logs it.
        return as_response(error_response(AppError()))

    for route in iter_route_contexts(app.routes):
        mounted = getattr(route.original_route, "app", None)
        if isinstance(mounted, Starlette):
            add_error_handlers(mounted)
            if Exception not in mounted.exception_handlers:
                mounted.add_exception_handler(Exception, on_crash)
            add_error_handlers_to_mounted(mounted)
