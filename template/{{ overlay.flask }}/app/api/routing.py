"""Routes that keep the contract: what must be right before a view runs, and in which order it is checked."""

import inspect
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeAlias, TypeVar, get_args, get_type_hints
from urllib.parse import parse_qsl

from flask import Blueprint, Response, current_app, request
from pydantic import BaseModel, ValidationError, create_model

from app.api.deps import get_precondition, get_settings, identify_caller
from app.auth.policy import access_of
from app.core import context
from app.core.errors import BodyTooLarge
from app.core.preconditions import Precondition
from app.http.body import JSON, BodyFormat, max_body_of, most_members_of
from app.http.deprecation import deprecation_of
from app.http.limited import limit_of
from app.http.negotiation import require_acceptable
from app.http.openapi import Json
from app.http.validation import QueryNames, invalid

T = TypeVar("T", bound=BaseModel)
View = TypeVar("View", bound=Callable[..., Any])

Answer: TypeAlias = T | Response | tuple[T, int] | tuple[T, dict[str, str]]
"""What a view returns: a model, alone or with a status or headers, or a response as it is."""

_VARIABLE = re.compile(r"<(\w+)>")


class Operation:
    """A view, and what its decorators and annotations say of it.

    A parameter `body` or `query` is a model, one annotated with `Precondition` is filled from the conditional
    headers, and all others are variables of the path. A body is JSON, or `Annotated[…, FORM]`. The model that is
    returned is the answer's.
    """

    def __init__(
        self,
        view: Callable[..., Any],
        path: str,
        method: str,
        *,
        tag: str,
        status: int = HTTPStatus.OK,
        responses: Mapping[int | str, Json] | None = None,
    ) -> None:
        self.view = view
        self.name: str = getattr(view, "__name__", "")
        self.path = _VARIABLE.sub(r"{\1}", path)
        self.method = method
        self.tag = tag
        self.status = int(status)
        self.responses = responses or {}
        self.access = access_of(view)
        self.deprecation = deprecation_of(view)
        self.limit = limit_of(view)
        self.format = _format_in(get_type_hints(view, include_extras=True).get("body"))
        hints = get_type_hints(view)
        self.answer = _model_in(hints.pop("return"))
        self.body: type[BaseModel] | None = hints.pop("body", None)
        self.most_members = most_members_of(self.body) if self.body else 0
        self.query: type[BaseModel] | None = hints.pop("query", None)
        self.preconditions = [name for name, hint in hints.items() if hint is Precondition]
        variables: dict[str, Any] = {name: (hint, ...) for name, hint in hints.items() if hint is not Precondition}
        if set(variables) != set(_VARIABLE.findall(path)):
            raise TypeError(f"{view!r} takes {sorted(variables)} of the path {path}")
        self.variables: type[BaseModel] | None = create_model("Path", **variables) if variables else None
        self.query_names = QueryNames.of(*([self.query] if self.query else []))

    @property
    def description(self) -> str:
        return inspect.getdoc(self.view) or ""

    def __call__(self, **variables: str) -> Response:
        """Return the answer to the current request: checks in the contract's order, then the view."""
        self._check()
        body = self._read() if self.body else None
        self.query_names.check(request.query_string)
        return self._response(self.view(**self._arguments(variables, body)))

    def _read(self) -> Any:  # noqa: ANN401 - whatever the client sent
        content = request.get_data()
        if len(content) > self._max_body():
            raise BodyTooLarge
        return self.format.parse(content, self.most_members)

    def _max_body(self) -> int:
        return max_body_of(self.view, get_settings().max_body_bytes)

    def _check(self) -> None:
        current = context.current()
        if current is not None:
            current.route = self.path
            current.headers += self.deprecation.headers() if self.deprecation else []
        headers = request.headers
        if self.body:
            self.format.require(headers.getlist("content-type"), headers.getlist("content-encoding"))
        require_acceptable(headers.getlist("accept"))
        if not self.access.public:
            self.access.check(identify_caller())
        if self.limit is not None:
            self.limit(get_settings())
        if (request.content_length or 0) > self._max_body():
            raise BodyTooLarge

    def _arguments(self, variables: dict[str, str], body: object) -> dict[str, Any]:
        findings: list[Any] = []

        def parse(model: type[BaseModel] | None, value: object) -> BaseModel | None:
            try:
                return model.model_validate(value, from_attributes=True) if model else None
            except ValidationError as error:
                findings.extend(error.errors())
                return None

        path = parse(self.variables, variables)
        arguments: dict[str, Any] = {
            **(dict(path) if path else {}),
            "query": parse(self.query, self._query_values()),
            "body": parse(self.body, body),
        }
        if findings:
            raise invalid(findings)
        arguments |= {name: get_precondition() for name in self.preconditions}
        return {name: value for name, value in arguments.items() if value is not None}

    def _query_values(self) -> dict[str, str | list[str]]:
        values: dict[str, str | list[str]] = {}
        for name, value in parse_qsl(request.query_string.decode("latin-1"), keep_blank_values=True):
            if name in self.query_names.repeatable:
                values[name] = [*values.get(name, []), value]
            else:
                values[name] = value
        return values

    def _response(self, answer: Any) -> Response:  # noqa: ANN401 - whatever a view returned
        content, *rest = answer if isinstance(answer, tuple) else (answer,)
        if content is None:
            content = Response(status=self.status)
            del content.headers["Content-Type"]
        elif not isinstance(content, Response):
            content = Response(content.model_dump_json(by_alias=True), self.status, mimetype="application/json")
        return current_app.make_response((content, *rest)) if rest else content


class Router(Blueprint):
    """A blueprint of operations: each view says who may call it, what it takes and what it returns.

    The options of a route are the `status` of success and `responses`, the documentation of others.
    """

    def __init__(self, name: str, *, url_prefix: str = "") -> None:
        super().__init__(name, __name__, url_prefix=url_prefix)
        self.operations: list[Operation] = []

    def get(self, rule: str, **options: Any) -> Callable[[View], View]:  # noqa: ANN401 - as in the base class
        return self._register("GET", rule, options)

    def post(self, rule: str, **options: Any) -> Callable[[View], View]:  # noqa: ANN401 - as in the base class
        return self._register("POST", rule, options)

    def put(self, rule: str, **options: Any) -> Callable[[View], View]:  # noqa: ANN401 - as in the base class
        return self._register("PUT", rule, options)

    def patch(self, rule: str, **options: Any) -> Callable[[View], View]:  # noqa: ANN401 - as in the base class
        return self._register("PATCH", rule, options)

    def delete(self, rule: str, **options: Any) -> Callable[[View], View]:  # noqa: ANN401 - as in the base class
        return self._register("DELETE", rule, options)

    def _register(self, method: str, rule: str, options: dict[str, Any]) -> Callable[[View], View]:
        def register(view: View) -> View:
            operation = Operation(view, f"{self.url_prefix}{rule}", method, tag=self.name, **options)
            self.operations.append(operation)
            self.add_url_rule(rule, operation.name, operation, methods=[method])
            return view

        return register


def _model_in(hint: Any) -> type[BaseModel] | None:  # noqa: ANN401 - any annotation
    """Return the model that `hint` is or holds."""
    found = (each for each in (hint, *get_args(hint)) if isinstance(each, type) and issubclass(each, BaseModel))
    return next(found, None)


def _format_in(hint: Any) -> BodyFormat:  # noqa: ANN401 - any annotation
    """Return the format that `hint` is annotated with, JSON if with none."""
    return next((each for each in get_args(hint) if isinstance(each, BodyFormat)), JSON)
