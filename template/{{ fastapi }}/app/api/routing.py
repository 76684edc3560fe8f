"""Routes that keep the contract: what must be right before an endpoint runs, and in which order it is checked."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

from app.api.deps import identify_caller
from app.auth.policy import access_of
from app.core import context
from app.core.errors import BodyTooLarge
from app.http.body import parse_json, require_json
from app.http.deprecation import deprecation_of
from app.http.negotiation import require_acceptable
from app.http.validation import QueryNames

_UNREAD = object()


class JSONRequest(Request):
    """A request whose body is read as strictly as the contract asks, once."""

    _parsed: Any = _UNREAD

    async def json(self) -> Any:  # noqa: ANN401 - as in the base class
        if self._parsed is _UNREAD:
            self._parsed = parse_json(await self.body())
        return self._parsed


class ContractRoute(APIRoute):
    """A route whose endpoint says who may call it.

    FastAPI parses the body before it looks at dependencies, so a caller without credentials would be told about
    malformed JSON. Here the checks run in the contract's order: media types, caller, scopes, limits, body, query.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:  # noqa: ANN401 - as APIRoute
        self.access = access_of(endpoint)
        self.deprecation = deprecation_of(endpoint)
        options["operation_id"] = options.get("operation_id") or getattr(endpoint, "__name__", None)
        options["deprecated"] = options.get("deprecated") or bool(self.deprecation) or None
        super().__init__(path, endpoint, **options)
        models = [field.field_info.annotation for field in self.dependant.query_params]
        self.query = QueryNames.of(*(each for each in models if isinstance(each, type) and issubclass(each, BaseModel)))

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def checked(request: Request) -> Response:
            request = JSONRequest(request.scope, request.receive)
            await self._check(request)
            return await handle(request)

        return checked

    async def _check(self, request: JSONRequest) -> None:
        current = context.current()
        if current is not None:
            current.route = self.path
            current.headers += self.deprecation.headers() if self.deprecation else []
        if self.body_field is not None:
            require_json(request.headers.getlist("content-type"), request.headers.getlist("content-encoding"))
        require_acceptable(request.headers.getlist("accept"))
        if not self.access.public:
            self.access.check(await identify_caller(request))
        if int(request.headers.get("content-length", 0)) > request.app.state.settings.max_body_bytes:
            raise BodyTooLarge
        if self.body_field is not None:
            await request.json()
        self.query.check(request.scope["query_string"])
