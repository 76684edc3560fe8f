"""Find every route of an application and check its contract before its endpoint runs.

Write them as FastAPI's documentation does, and put `@requires(...)` or `@public` on each endpoint, or around an
application that is mounted.
"""

import json
import re
from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from typing import Any, get_args, get_type_hints

from fastapi import FastAPI, Request, Response
from fastapi.datastructures import DefaultPlaceholder
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from starlette.datastructures import MutableHeaders
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute, compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.counting import AsyncCounting
from app.api.deps import get_caller, identify_caller
from app.api.parameters import body_of, flat, query_names, taken_from_clients
from app.api.threads import OwnThreads
from app.auth.policy import Access, declared_access
from app.core.errors import MethodNotAllowed, NotFound, RouteError
from app.http.body import FORM, JSON
from app.http.contract import Contract, Contracts
from app.http.limited import require_rates
from app.http.middleware import CONTRACT, allow
from app.http.receiving import given, has_body

ContractRoute = APIRoute
"""The old name, for routes written before 0.5.0."""

Entry = tuple[re.Pattern[str], Contract | None]
"""A pattern for paths and the contract behind it. None: no route below this path (404)."""


class ServiceRoutes:
    """The routes of `app`, collected on first use. Routes added later are not served."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    @cached_property
    def all(self) -> list[Entry]:
        """All contracts with their path patterns, in FastAPI's matching order.

        Raises:
            RouteError: a route does not say who may call it, or cannot be served.
        """
        return list(_examined(self.app.routes))

    @cached_property
    def documented(self) -> Contracts:
        """The contracts by method and path."""
        return {(each.method, each.path): each for each in reversed(self.contracts)}

    @property
    def contracts(self) -> list[Contract]:
        """All contracts."""
        return [contract for _, contract in self.all if contract is not None]

    @cached_property
    def _by_method(self) -> dict[str, list[Entry]]:
        methods = {_ANY, *(each.method for each in self.contracts)}
        return {
            each: [entry for entry in self.all if entry[1] is None or entry[1].method in {each, _ANY}]
            for each in methods
        }

    def check(self) -> None:
        """Check that every route declares who may call it and can be served.

        Raises:
            RouteError: one does not say who may call it, has a limit that is no rate, or cannot be served.
        """
        for contract in self.contracts:
            require_rates(contract, contract.limits, self.app.state.settings)

    def match(self, method: str, path: str) -> Contract:
        for pattern, contract in self._by_method.get(method) or self._by_method.get(_ANY, ()):
            if pattern.match(path):
                if contract is None:
                    break
                return contract
        methods = self.methods(path)
        raise MethodNotAllowed(headers=allow(methods)) if methods else NotFound

    def methods(self, path: str) -> set[str]:
        found: set[str] = set()
        for pattern, contract in self.all:
            if pattern.match(path):
                if contract is None:
                    break
                found.add(contract.method)
        return found - {_ANY}


_ANY = "any method of"
_VERBS = ("get", "post", "put", "patch", "delete", "options")


async def require_what_was_checked(request: Request) -> None:
    """Check that FastAPI chose the endpoint whose contract was checked.

    Raises:
        NotFound: the route was added after the start, or it does custom matching.
    """
    if request.scope["endpoint"] is not request.scope[CONTRACT].endpoint:
        raise NotFound


def _examined(routes: Sequence[BaseRoute], prefix: str = "", inherited: Access | None = None) -> Iterator[Entry]:
    """Yield the contract of each of `routes`, and of what is mounted in them."""
    for route in iter_route_contexts(routes):
        path, original = f"{prefix}{route.path}", route.original_route
        if isinstance(original, Mount):
            yield from _mounted(original, path, inherited)
        elif isinstance(original, Route):
            pattern, shown, _ = compile_path(path)
            for method, endpoint in _by_method(route):
                yield pattern, _contract(route, endpoint, method, shown, inherited)
        elif isinstance(original, WebSocketRoute):
            raise RouteError(f"{path} is a WebSocket route; this service answers HTTP only.")
        else:
            raise RouteError(f"{original!r} is a kind of route that this service cannot check. Mount it under a path.")


def _mounted(mount: Mount, path: str, inherited: Access | None) -> Iterator[Entry]:
    """Yield the contracts of a mounted application, then an entry that refuses all other paths below it."""
    application: Any = mount.app
    access = declared_access(application) or inherited
    while not hasattr(application, "routes") and hasattr(application, "app"):
        # A middleware around it.
        application = application.app
        access = access or declared_access(application)
    if "{" in path or getattr(application, "root_path", ""):
        raise RouteError(f"{path}: mount an application at a path without variables, and without a root_path.")
    pattern, shown, _ = compile_path(path + "/{path:path}")
    inner = mount.routes or getattr(application, "routes", [])
    if inner:
        yield from _examined(inner, path, access)
        yield pattern, None
    else:
        yield pattern, Contract(_ANY, shown, mount.app, inherited=access)


def _by_method(route: RouteContext) -> Iterator[tuple[str, Any]]:
    """Yield the methods of a route, each with what answers it."""
    endpoint: Any = route.endpoint
    if isinstance(endpoint, type):
        # A class-based view. What a method declares wins over what the class declares.
        for verb in _VERBS:
            function = getattr(endpoint, verb, None)
            if function is not None:
                yield verb.upper(), function if declared_access(function) else endpoint
        return
    for method in sorted((route.methods or {_ANY}) - {"HEAD"}):
        yield method, endpoint


def _contract(route: RouteContext, endpoint: Any, method: str, path: str, inherited: Access | None) -> Contract:  # noqa: ANN401
    if not isinstance(route.original_route, APIRoute):
        return Contract(method, path, endpoint, inherited=inherited)
    dependants = list(flat(route.dependant))
    contract = Contract(
        method,
        path,
        endpoint,
        inherited=inherited,
        body=body_of(route.body_field) if route.body_field else None,
        query=query_names(dependants),
        produces=_produces(route),
    )
    if contract.access.public and any(each.call is get_caller for each in dependants):
        raise RouteError(f"{contract} is @public, so there may be no caller: use OptionalCaller instead of Caller.")
    for name in taken_from_clients(dependants):
        raise RouteError(
            f"{contract}: FastAPI would take `{name}` from the request. Write Caller or OptionalCaller, and "
            "Annotated[…, Depends(…)] around all of a type, `| None` included."
        )
    return contract


def _produces(route: RouteContext) -> set[str] | None:
    """Return the media types that the route documents, or None where it answers whatever its endpoint returns."""
    response_class = route.response_class
    is_default = isinstance(response_class, DefaultPlaceholder)
    response_class = response_class.value if is_default else response_class
    found = {
        media_type
        for status, response in route.responses.items()
        if str(status).startswith("2")
        for media_type in response.get("content", ())
    }
    if route.is_json_stream:
        return found | {"application/jsonl"}
    if response_class.media_type is not None and (not is_default or route.response_field is not None):
        return found | {response_class.media_type}
    if response_class not in {Response, JSONResponse} or _may_return_a_response(route.endpoint):
        return found or None
    return found | {JSON.media_type}


def _may_return_a_response(endpoint: Any) -> bool:  # noqa: ANN401 - whatever can be called
    """Return whether the endpoint may return a `Response` of its own, whose media type is not known in advance."""
    function = endpoint.func if isinstance(endpoint, partial) else endpoint
    try:
        hints = get_type_hints(function if hasattr(function, "__name__") else type(function).__call__)
    except NameError:
        # The annotation is imported under TYPE_CHECKING only.
        return True
    returned = hints.get("return", Response)
    return any(isinstance(each, type) and issubclass(each, Response) for each in (returned, *get_args(returned)))


class ContractMiddleware:
    """Checks what must hold before an endpoint runs, in the contract's order: media types, caller, limits, body, query.

    FastAPI parses the body before it looks at dependencies: a caller without credentials would be told about
    malformed JSON.
    """

    def __init__(self, app: ASGIApp, service: FastAPI) -> None:
        self.app = app
        self.service = service
        self.counting = AsyncCounting()
        self.own_threads = OwnThreads(service.state.settings.max_queued_requests)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # A mounted application has its own state; give it our database.
        scope.setdefault("state", {})["db"] = self.service.state.db
        receive = await self._checked(scope[CONTRACT], scope, receive)
        # To frameworks the path is the whole one (ASGI 3, "root_path").
        scope["path"] = scope["root_path"] + scope["path"]
        await self.own_threads.call(scope[CONTRACT].endpoint, self.app, scope, receive, send)

    async def _checked(self, contract: Contract, scope: Scope, receive: Receive) -> Receive:
        request, settings = Request(scope, receive), self.service.state.settings
        body_format = contract.check_media_types(request.headers, has_body=has_body(scope))
        if not contract.access.public:
            contract.access.check(await identify_caller(request))
        await self.counting.check(contract, request.method, settings)
        contract.check_head(request.headers, settings)
        if body_format is not None and body_format.parse is not None:
            body = await request.body()
            value = contract.parse(body_format, body)
            receive = given(body, receive)
            if body_format is FORM:
                # FastAPI parses forms less strictly than we do, so it gets the parsed form as JSON.
                headers = MutableHeaders(raw=list(scope["headers"]))
                headers["content-type"] = JSON.media_type
                scope["headers"], receive = headers.raw, given(json.dumps(value).encode(), receive)
        contract.check_query(scope["query_string"])
        return receive
