"""Routes as Flask's documentation shows them, on its own blueprints and on ours."""

from datetime import date
from typing import Annotated, Any

from flask import (
    Blueprint,
    Response,
    abort,
    make_response,
    request,
)
from flask.typing import ResponseReturnValue
from pydantic import Field

from app.api.deps import get_caller, get_optional_caller
from app.api.routing import Answer, Router
from app.auth.policy import public, requires
from app.http.negotiation import produces
from app.schemas.ordinary import Color, Filters, Item, Names, Pet, Rich

router = Router("ordinary", url_prefix="/v1/ordinary")


@router.get("/params")
@public
def read_params(
    limit: Annotated[int, Field(ge=1)] = 10,
    q: str | None = None,
    tags: list[str] | None = None,
    color: Color = Color.RED,
    since: date | None = None,
    page: Annotated[int, Field(alias="page-number")] = 1,
) -> dict[str, Any]:
    return {"limit": limit, "q": q, "tags": tags or [], "color": color.value, "since": since, "page": page}


@router.get("/model")
@public
def read_model(query: Filters) -> Filters:
    return query


@router.get("/headers")
@public
def read_headers() -> dict[str, str | None]:
    return {"team": request.headers.get("X-Team"), "session": request.cookies.get("session")}


@router.get("/whoami")
@public
def read_whoami() -> dict[str, str | None]:
    caller = get_optional_caller()
    return {"caller": caller.subject if caller else None}


@router.post("/list")
@public
def write_list(body: list[Item]) -> list[Item]:
    return body


@router.post("/union")
@public
def write_union(body: Pet) -> Pet:
    return body


@router.post("/root")
@public
def write_root(body: Names) -> Names:
    return body


@router.post("/mapping")
@public
def write_mapping(body: dict[str, int]) -> dict[str, int]:
    return body


@router.post("/rich", status=201)
@public
def write_rich(body: Rich) -> Rich:
    return body


@router.post("/optional")
@public
def write_optional(body: Item | None = None) -> dict[str, str | None]:
    return {"name": body.name if body else None}


@router.get("/csv")
@public
@produces("text/csv")
def read_csv() -> Response:
    return Response("a,b\n1,2\n", mimetype="text/csv")


@router.delete("/nothing", status=204)
@public
def delete_nothing() -> None:
    return None


@router.post("/both-parts")
@public
def write_both_parts(body: Item) -> Answer[Item]:
    return body, {"X-Extra": "1"}


@router.get("/fails/<int:status>")
@public
def fail(status: int, detail: str | None = None, retry: str | None = None) -> None:
    if retry:
        abort(make_response({"code": "custom"}, status, {"Retry-After": retry}))
    abort(status, *([detail] if detail else []))


inner = Router("ordinary", url_prefix="/outer/inner")


@inner.get("/<int:thing_id>")
@requires()
def read_inner(thing_id: int, deep: bool = False) -> dict[str, Any]:
    return {"thing": thing_id, "deep": deep}


guarded = requires()(
    Blueprint("guarded", __name__, url_prefix="/guarded", static_folder=".", static_url_path="/static")
)


@guarded.get("/inherits")
def read_inherits() -> dict[str, str]:
    return {"caller": get_caller().subject}


router.register_blueprint(inner)
router.register_blueprint(guarded)


@router.get("/hello/")
@router.get("/hello/<name>")
@public
def hello(name: str = "you") -> dict[str, str]:
    return {"hello": name}


@router.get("/number/<int:number>")
@public
def read_number(number):
    return {"number": number}


@router.get("/typed")
@public
def read_typed() -> ResponseReturnValue:
    return {"typed": True}, 200


@router.get("/or-error")
@public
def read_or_error(wrong: bool = False) -> Item | tuple[dict[str, str], int]:
    return ({"error": "x"}, 409) if wrong else Item(name="tea")


@router.route("/options", methods=["OPTIONS"])
@public
def read_options() -> dict[str, str]:
    return {"answered": "by the route"}


@router.get("/options")
@public
def read_beside_options() -> dict[str, str]:
    return {"answered": "to GET"}
