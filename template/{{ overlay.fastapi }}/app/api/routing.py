"""Routes that keep the contract: what must be right before an endpoint runs, and in which order it is checked."""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.datastructures import MutableHeaders

from app.api.deps import get_work, identify_caller
from app.auth.policy import access_of
from app.core import context
from app.core.errors import BodyTooLarge
from app.http.body import FORMATS, JSON, max_body_of, most_members_of
from app.http.deprecation import deprecation_of
from app.http.limited import limit_of
from app.http.negotiation import require_acceptable
from app.http.validation import QueryNames


class ParsedRequest(Request):
    """A request whose body was read before FastAPI sees it: as strictly as the contract asks, in any format."""

    def __init__(self, request: Request, body: bytes, value: Any) -> None:  # noqa: ANN401 - whatever was sent
        # FastAPI asks for the value of a body that says it is JSON, and would hand on the bytes of any other.
        headers = MutableHeaders(raw=list(request.headers.raw))
        headers["content-type"] = JSON.media_type
        super().__init__({**request.scope, "headers": headers.raw}, request.receive)
        self._read, self._value = body, value

    async def body(self) -> bytes:
        # FastAPI takes no bytes for no body; an empty form has no fields.
        return self._read or b"{}"

    async def json(self) -> Any:  # noqa: ANN401 - as in the base class
        return self._value


class ContractRoute(APIRoute):
    """A route whose endpoint says who may call it.

    FastAPI parses the body before it looks at dependencies, so a caller without credentials would be told about
    malformed JSON. Here the checks run in the contract's order: media types, caller, scopes, limits, body, query.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:  # noqa: ANN401 - as APIRoute
        self.access = access_of(endpoint)
        self.deprecation = deprecation_of(endpoint)
        self.limit = limit_of(endpoint)
        options["operation_id"] = options.get("operation_id") or getattr(endpoint, "__name__", None)
        options["deprecated"] = options.get("deprecated") or bool(self.deprecation) or None
        super().__init__(path, endpoint, **options)
        # An endpoint says `Annotated[Model, Body(media_type=…)]` where it is not JSON.
        self.format = (
            FORMATS[getattr(self.body_field.field_info, "media_type", JSON.media_type)] if self.body_field else JSON
        )
        self.most_members = most_members_of(self.body_field.field_info.annotation) if self.body_field else 0
        models = [field.field_info.annotation for field in self.dependant.query_params]
        self.query = QueryNames.of(*(each for each in models if isinstance(each, type) and issubclass(each, BaseModel)))

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def checked(request: Request) -> Response:
            await self._check(request)
            if self.body_field is not None:
                body = await request.body()
                if len(body) > self._max_body(request):
                    raise BodyTooLarge
                request = ParsedRequest(request, body, self.format.parse(body, self.most_members))
            self.query.check(request.scope["query_string"])
            return await handle(request)

        return checked

    async def _check(self, request: Request) -> None:
        current = context.current()
        if current is not None:
            current.route = self.path
            current.headers += self.deprecation.headers() if self.deprecation else []
        headers, settings = request.headers, request.app.state.settings
        if self.body_field is not None:
            self.format.require(headers.getlist("content-type"), headers.getlist("content-encoding"))
        require_acceptable(headers.getlist("accept"))
        if not self.access.public:
            self.access.check(await identify_caller(request))
        if self.limit is not None:
            work = await get_work(request)
            await work.call(partial(self.limit, settings))
        if int(headers.get("content-length", 0)) > self._max_body(request):
            raise BodyTooLarge

    def _max_body(self, request: Request) -> int:
        return max_body_of(self.endpoint, request.app.state.settings.max_body_bytes)
