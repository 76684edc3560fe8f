"""More of them: answers, failures, nested routers and applications."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated

from fastapi import (
    APIRouter,
    Depends,
    FastAPI,
    Form,
    Header,
    HTTPException,
    Query,
    Request,
    Response,
    Security,
    UploadFile,
)
from fastapi.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    StreamingResponse,
)
from fastapi.security import APIKeyQuery
from fastapi.sse import EventSourceResponse, ServerSentEvent
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, ConfigDict

from app.api.deps import Caller
from app.api.routes.ordinary import opened
from app.auth.policy import public, requires
from app.http.negotiation import produces
from app.schemas.ordinary import Item

router = APIRouter(prefix="/v1/ordinary", tags=["ordinary"])


# Answers


@router.get("/csv")
@public
@produces("text/csv")
async def read_csv() -> Response:
    return Response("a,b\n1,2\n", media_type="text/csv")


@router.get("/text", response_class=PlainTextResponse)
@public
async def read_text() -> str:
    return "hello"


@router.get("/page", response_class=HTMLResponse)
@public
async def read_page() -> str:
    return "<p>hello</p>"


@router.get("/download")
@public
@produces("application/pdf")
def read_download() -> FileResponse:
    return FileResponse(Path(__file__), media_type="application/pdf", filename="file.pdf")


@router.get("/stream")
@public
async def read_stream(seconds: float = 0) -> StreamingResponse:
    async def parts() -> AsyncIterator[bytes]:
        for part in (b"one ", b"two"):
            yield part
            await asyncio.sleep(seconds)

    return StreamingResponse(parts(), media_type="text/plain")


@router.get("/events", response_class=EventSourceResponse)
@public
async def read_events() -> AsyncIterator[ServerSentEvent]:
    yield ServerSentEvent(data={"number": 1})


@router.get("/lines")
@public
async def read_lines() -> AsyncIterator[Item]:
    yield Item(name="one")


@router.get("/elsewhere")
@public
async def read_elsewhere() -> RedirectResponse:
    return RedirectResponse("/v1/ordinary/text", status_code=307)


@router.delete("/nothing", status_code=204)
@public
async def delete_nothing() -> None:
    return None


@router.get("/broken-stream")
@public
async def read_broken_stream() -> StreamingResponse:
    def parts() -> Iterator[bytes]:
        yield b"one"
        raise ValueError("planted")

    return StreamingResponse(parts(), media_type="text/plain")


class Tokens(BaseModel):
    model_config = ConfigDict(extra="ignore")

    x_token: str = "none"


@router.get("/header-model")
@public
async def read_header_model(tokens: Annotated[Tokens, Header()]) -> dict[str, str]:
    return {"token": tokens.x_token}


@router.get("/cookie")
@public
async def read_cookie(response: Response) -> dict[str, bool]:
    response.set_cookie("seen", "yes")
    response.headers["X-Extra"] = "1"
    return {"ok": True}


@router.get("/unset", response_model=Item, response_model_exclude_unset=True)
@public
async def read_unset() -> dict[str, str]:
    return {"name": "tea"}


@router.get("/direct")
@public
async def read_direct() -> JSONResponse:
    return JSONResponse({"direct": True}, status_code=203, headers={"X-Extra": "1"})


class Counter:
    def __init__(self, start: int) -> None:
        self.start = start

    def __call__(self, step: int = 1) -> int:
        return self.start + step


@router.get("/counter")
@public
async def read_counter(count: Annotated[int, Depends(Counter(10))]) -> int:
    return count


class TeaError(Exception):
    pass


@router.get("/tea")
@public
async def raise_tea() -> None:
    raise TeaError


# Failures


@router.get("/fails/{status}")
@public
async def fail(status: int, detail: str | None = None, retry: str | None = None) -> None:
    raise HTTPException(status, detail, headers={"Retry-After": retry} if retry else None)


@router.get("/crash")
@public
async def crash() -> None:
    raise RuntimeError("planted")


# Routers and applications


inner = APIRouter(prefix="/inner", dependencies=[Depends(opened)])


@inner.get("/{thing_id:int}")
@requires()
async def read_inner(thing_id: int, deep: bool = False) -> dict[str, object]:
    return {"thing": thing_id, "deep": deep}


router.include_router(inner, prefix="/outer")


teas = APIRouter(responses={418: {"description": "Tea"}}, tags=["teas"])


@teas.get("/teas")
@public
async def read_teas() -> list[str]:
    return []


router.include_router(teas, responses={404: {"description": "Nothing"}})


@router.api_route("/both", methods=["GET", "POST"], include_in_schema=False)
@public
async def read_or_write(request: Request) -> str:
    return request.method


mounted = FastAPI(openapi_url=None)


@mounted.api_route("/hello", methods=["GET", "POST"])
@public
async def say_hello(name: str = "you") -> dict[str, str]:
    return {"hello": name}


@mounted.get("/closed")
@requires()
async def read_mounted_closed(caller: Caller) -> dict[str, str]:
    return {"caller": caller.subject}


@mounted.get("/fails")
@public
async def fail_mounted() -> None:
    raise HTTPException(409, "taken")


router.mount("/v1/ordinary/mounted", mounted)
router.mount("/v1/ordinary/files-of-app", public(StaticFiles(directory=Path(__file__).parent)))


@router.get("/by-key")
@public
async def read_by_key(key: Annotated[str, Security(APIKeyQuery(name="key"))]) -> str:
    return key


@router.get("/aliased")
@public
async def read_aliased(q: Annotated[str, Query(validation_alias="the-q")] = "") -> str:
    return q


@router.get("/unannotated")
@public
async def read_unannotated():
    return HTMLResponse("<p>hello</p>")


@router.get("/described", responses={"default": {"description": "Else"}, "4XX": {"description": "Wrong"}})
@public
async def read_described() -> str:
    return "described"


class Endpoint:
    async def __call__(self):
        return {"by": "an object"}


router.add_api_route("/object", public(Endpoint()), methods=["GET"], name="read_object")


@router.post("/optional-file")
@public
async def write_optional_file(note: Annotated[str, Form()], file: UploadFile | None = None) -> str:
    return note


@router.get("/stubborn")
@public
async def read_stubborn() -> str:
    try:
        await asyncio.sleep(5)
    except asyncio.CancelledError:
        pass
    return "late"


@mounted.get("/crash")
@public
async def crash_mounted() -> None:
    raise RuntimeError("planted")
