"""The OpenAPI document and the page that shows it."""

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.routing import Route

from app.api.routes import routers
from app.api.routing import ContractRoute
from app.http import docs, security_txt
from app.http.openapi import as_json, finish

router = APIRouter(include_in_schema=False)


@cache
def _assets() -> Path:
    spec = find_spec("fastapi_offline")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(name="fastapi_offline")
    return Path(spec.origin).parent / "static"


@router.get(security_txt.PATH)
async def contact(request: Request) -> Response:
    return Response(security_txt.text(request.app.state.settings), media_type=security_txt.MEDIA_TYPE)


@router.get("/openapi.json")
async def openapi(request: Request) -> Response:
    return Response(request.app.state.openapi_json, media_type="application/json")


@router.get("/docs")
async def page() -> Response:
    headers = {"Content-Security-Policy": docs.CONTENT_SECURITY_POLICY}
    return Response(docs.PAGE, media_type="text/html", headers=headers)


@router.get("/docs/{name}")
async def asset(name: str) -> Response:
    content, media_type = docs.asset(name, _assets())
    return Response(content, media_type=media_type, headers={"Cache-Control": "public, max-age=86400"})


@cache
def all_routes() -> list[Route]:
    """Return every route of the service."""
    return [route for each in (router, *routers()) for route in each.routes if isinstance(route, Route)]


def endpoints() -> list[tuple[str, str, Callable[..., Any]]]:
    """Return method, path and function of each route."""
    return [(method, route.path, route.endpoint) for route in all_routes() for method in route.methods or ()]


def methods_of(path: str) -> set[str]:
    """Return the methods of the routes that `path` leads to."""
    return set[str]().union(*(route.methods or () for route in all_routes() if route.path_regex.match(path)))


def serialized(app: FastAPI) -> str:
    """Return the text of the OpenAPI document of `app`."""
    access = {str(route.operation_id): route.access for route in all_routes() if isinstance(route, ContractRoute)}
    return as_json(finish(app.openapi(), access))
