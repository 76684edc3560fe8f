"""Routes as FastAPI's documentation shows them; each function is the idea of one of its pages."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated

from fastapi import (
    APIRouter,
    BackgroundTasks,
    Body,
    Cookie,
    Depends,
    File,
    Form,
    Header,
    Query,
    Request,
    UploadFile,
)
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from sqlalchemy import text

from app.api.deps import Caller, Db, OptionalCaller
from app.auth.policy import public, requires
from app.http.body import max_body
from app.schemas.ordinary import Color, Filters, Item, Names, Pet, Place, Rich, Size

router = APIRouter(prefix="/v1/ordinary", tags=["ordinary"])
SEEN: list[str] = []


# Parameters


@router.get("/params")
@public
async def read_params(
    limit: Annotated[int, Query(ge=1)] = 10,
    q: str | None = None,
    tags: Annotated[list[str] | None, Query()] = None,
    color: Color = Color.RED,
    since: date | None = None,
    page: Annotated[int, Query(alias="page-number")] = 1,
) -> dict[str, object]:
    return {"limit": limit, "q": q, "tags": tags or [], "color": color, "since": since, "page": page}


@router.get("/addresses")
@public
async def read_addresses(request: Request) -> dict[str, str]:
    return {"own": str(request.url), "other": str(request.url_for("read_elsewhere"))}


@router.get("/model")
@public
async def read_model(filters: Annotated[Filters, Query()]) -> Filters:
    return filters


@router.get("/optional-model")
@public
async def read_optional_model(filters: Annotated[Filters | None, Query()] = None) -> dict[str, object]:
    return {"name": filters and filters.name}


@router.get("/models")
@public
async def read_models(
    size: Annotated[Size, Query()], place: Annotated[Place | None, Query()] = None, limit: int = 3
) -> dict[str, object]:
    return {"size": size.size, "place": place and place.place, "limit": limit}


@router.get("/headers")
@public
def read_headers(
    x_team: Annotated[str | None, Header()] = None, session: Annotated[str | None, Cookie()] = None
) -> dict[str, str | None]:
    return {"team": x_team, "session": session}


# Dependencies


class Paging:
    def __init__(self, offset: int = 0) -> None:
        self.offset = offset


def numbers(base: int = 1) -> int:
    return base


def doubled(number: Annotated[int, Depends(numbers)]) -> int:
    return number * 2


async def opened() -> AsyncIterator[str]:
    SEEN.append("opened")
    try:
        yield "resource"
    finally:
        SEEN.append("closed")


@router.get("/depends")
@public
async def read_depends(
    paging: Annotated[Paging, Depends()],
    number: Annotated[int, Depends(doubled)],
    resource: Annotated[str, Depends(opened)],
) -> dict[str, object]:
    return {"offset": paging.offset, "number": number, "resource": resource}


@router.get("/seen")
@public
async def read_seen() -> list[str]:
    return SEEN


@router.get("/basic", include_in_schema=False)
@public
async def read_basic(credentials: Annotated[HTTPBasicCredentials, Depends(HTTPBasic())]) -> str:
    return credentials.username


# Callers


@router.get("/whoami")
@public
async def read_whoami(caller: OptionalCaller) -> dict[str, str | None]:
    return {"caller": caller.subject if caller else None}


@router.get("/closed", include_in_schema=False)
@requires()
async def read_closed(caller: Caller, db: Db) -> dict[str, object]:
    return {"caller": caller.subject, "connections": db.database.size}


@router.get("/first-of-none", include_in_schema=False)
@public
async def read_first(db: Db) -> int:
    return await db.read(lambda session: next(session.scalars(text("SELECT 1 LIMIT 0"))))


# Bodies


@router.post("/list")
@public
async def write_list(items: list[Item]) -> list[Item]:
    return items


@router.post("/union")
@public
async def write_union(pet: Pet) -> Pet:
    return pet


@router.post("/root")
@public
async def write_root(names: Names) -> Names:
    return names


@router.post("/mapping")
@public
async def write_mapping(prices: dict[str, int]) -> dict[str, int]:
    return prices


@router.post("/rich", status_code=201)
@public
async def write_rich(rich: Rich) -> Rich:
    return rich


@router.post("/several")
@public
async def write_several(item: Item, count: Annotated[int, Body()]) -> dict[str, object]:
    return {"name": item.name, "count": count}


@router.post("/optional")
@public
async def write_optional(item: Item | None = None) -> dict[str, str | None]:
    return {"name": item.name if item else None}


@router.post("/form")
@public
async def write_form(name: Annotated[str, Form()], tags: Annotated[list[str], Form()]) -> dict[str, object]:
    return {"name": name, "tags": tags}


@router.post("/files")
@public
async def write_files(files: list[UploadFile], note: Annotated[str, Form()] = "") -> dict[str, object]:
    return {"files": {each.filename: len(await each.read()) for each in files}, "note": note}


@router.post("/large")
@public
@max_body(3 * 1024 * 1024)
async def write_large(file: Annotated[bytes, File()]) -> dict[str, int]:
    return {"size": len(file)}


@router.post("/raw")
@public
async def write_raw(request: Request) -> dict[str, int]:
    return {"size": sum([len(part) async for part in request.stream()])}


@router.post("/swallowed")
@public
async def write_swallowed(request: Request) -> dict[str, bool]:
    try:
        await request.body()
    except Exception:
        pass
    return {"ok": True}


@router.options("/options")
@public
async def read_options() -> dict[str, str]:
    return {"answered": "by the route"}


@router.get("/options")
@public
async def read_beside_options() -> dict[str, str]:
    return {"answered": "to GET"}


# Tasks


@router.post("/tasks", status_code=202)
@public
async def write_task(tasks: BackgroundTasks, seconds: float = 0, fail: bool = False) -> dict[str, bool]:
    async def task() -> None:
        await asyncio.sleep(seconds)
        if fail:
            raise ValueError("planted")
        SEEN.append("task done")
        print("task done", flush=True)

    tasks.add_task(task)
    return {"accepted": True}
