"""Every failure in the one shape, wherever it comes from."""

from collections.abc import Callable, Collection

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from app.core.errors import AppError, BadRequest, MethodNotAllowed, NotFound
from app.http.middleware import allow
from app.http.responses import ErrorResponse, error_response
from app.http.validation import invalid

_BY_STATUS: dict[int, type[AppError]] = {400: BadRequest, 404: NotFound, 405: MethodNotAllowed}


def as_response(error: ErrorResponse) -> Response:
    return Response(error.body, error.status, error.headers)


def add_error_handlers(app: FastAPI, methods_of: Callable[[str], Collection[str]]) -> None:
    """Make `app` answer every failure in the contract's shape; `methods_of` returns the methods of a path."""

    @app.exception_handler(AppError)
    async def on_app_error(_request: Request, error: AppError) -> Response:
        return as_response(error_response(error))

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_request: Request, error: RequestValidationError) -> Response:
        # FastAPI puts the part of the request in front of each location; clients know which part has which field.
        found = ({**finding, "loc": finding["loc"][1:]} for finding in error.errors())
        return as_response(error_response(invalid(found)))

    @app.exception_handler(HTTPException)
    async def on_http_exception(request: Request, error: HTTPException) -> Response:
        # Starlette's own `Allow` names the methods of one route only.
        methods = methods_of(request.url.path) if error.status_code == MethodNotAllowed.status else None
        failure = _BY_STATUS.get(error.status_code, AppError)(headers=allow(methods) if methods else error.headers)
        return as_response(error_response(failure))
