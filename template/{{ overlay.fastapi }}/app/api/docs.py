"""The OpenAPI document and the page that shows it."""

from warnings import catch_warnings

from fastapi import APIRouter, FastAPI, Request, Response

from app.api.routing import ServiceRoutes
from app.auth.policy import public
from app.http import docs, security_txt
from app.http.openapi import Json, as_json, finish, served_at

router = APIRouter(include_in_schema=False)


@router.get(security_txt.PATH)
@public
async def contact(request: Request) -> Response:
    return Response(security_txt.text(request.app.state.settings), media_type=security_txt.MEDIA_TYPE)


@router.get("/openapi.json")
@public
async def openapi(request: Request) -> Response:
    document = served_at(request.scope["root_path"], request.app.state.openapi_json)
    return Response(document, media_type="application/json")


@router.get("/docs")
@public
async def page() -> Response:
    headers = {"Content-Security-Policy": docs.CONTENT_SECURITY_POLICY}
    return Response(docs.PAGE, media_type="text/html", headers=headers)


@router.get("/docs/{name}")
@public
async def asset(name: str) -> Response:
    content, media_type = docs.asset(name, "fastapi_offline", "static")
    return Response(content, media_type=media_type, headers={"Cache-Control": "public, max-age=86400"})


def serialized(app: FastAPI) -> str:
    """Return the text of the OpenAPI document of `app`."""
    return as_json(document(app, ServiceRoutes(app)))


def document(app: FastAPI, routes: ServiceRoutes) -> Json:
    """Return the OpenAPI document of `app` and its `routes`."""
    with catch_warnings(action="ignore", category=UserWarning):
        # Operations with the same name get others below.
        found = app.openapi()
    return finish(found, routes.documented)
