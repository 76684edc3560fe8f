"""Views whose annotations define their parameters, body and response."""

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cached_property, partial
from types import NoneType, SimpleNamespace, UnionType
from typing import Any, NamedTuple, TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl

from flask import Response, current_app, request
from pydantic import BaseModel, TypeAdapter, ValidationError, create_model
from werkzeug.wrappers import Response as AnyResponse

from app.api.deps import get_precondition
from app.auth.policy import Access, name_of
from app.core.errors import RouteError
from app.core.preconditions import Precondition
from app.http.body import JSON, BodyFormat
from app.http.contract import Body, Contract
from app.http.openapi import Json
from app.http.validation import QueryNames, invalid

T = TypeVar("T")

Answer: TypeAlias = T | Response | tuple[T, int] | tuple[T, dict[str, str]]
"""What a view may return: the documented type, optionally with a status or headers, or a `Response`."""

# Flask turns these into responses itself.
_OF_FLASK = (str, bytes, AnyResponse, Iterator)


class Parameters(NamedTuple):
    """Models of a view's path and query parameters. `is_one`: the view takes the query as one model."""

    path: type[BaseModel] | None
    query: type[BaseModel] | None
    is_one: bool
    names: QueryNames | None


class Operation:
    """A view, and what its annotations say of it.

    A parameter `body` of any type that Pydantic knows is the JSON of the body, or a form's fields if it is
    `Annotated[…, FORM]`. A parameter `query` that is a model has all parameters of the query. One that is a
    `Precondition` is filled from the conditional headers. Of the others those in the path are its variables, and the
    rest are parameters of the query. What is returned is JSON of the annotated type, or whatever Flask takes.
    """

    def __init__(self, view: Callable[..., Any], *, tag: str, status: int, responses: Mapping[int | str, Json]) -> None:
        self.view = view
        self.name: str = getattr(view, "__name__", type(view).__name__)
        self.tag = tag
        self.status = int(status)
        self.responses = responses
        self._known: dict[frozenset[str], Parameters] = {}

    @property
    def description(self) -> str:
        return inspect.getdoc(self.view) or ""

    @cached_property
    def _taken(self) -> Mapping[str, inspect.Parameter]:
        return inspect.signature(self.view).parameters

    @cached_property
    def _hints(self) -> dict[str, Any]:
        view = self.view.func if isinstance(self.view, partial) else self.view
        function: Any = view if hasattr(view, "__name__") else type(view).__call__
        try:
            hints = get_type_hints(function, include_extras=True)
        except NameError:
            # What it returns may be imported for type checkers alone, as in Flask's own types.
            known = {name: hint for name, hint in function.__annotations__.items() if name != "return"}
            described = SimpleNamespace(__annotations__=known)
            hints = get_type_hints(described, function.__globals__, include_extras=True)
        return {**dict.fromkeys(self._taken, Any), "return": Any, **hints}

    @cached_property
    def format(self) -> BodyFormat:
        """How the body is written."""
        return next((each for each in get_args(self._hints.get("body")) if isinstance(each, BodyFormat)), JSON)

    @cached_property
    def body(self) -> TypeAdapter[Any] | None:
        """What validates the body, if one is taken."""
        return TypeAdapter(self._hints["body"]) if "body" in self._taken else None

    @cached_property
    def is_body_required(self) -> bool:
        """Whether the body may not be left out."""
        return "body" in self._taken and self._taken["body"].default is inspect.Parameter.empty

    @cached_property
    def answer(self) -> TypeAdapter[Any] | None:
        """What writes the answer, or None where Flask does or there is none."""
        hint = _answer_in(self._hints["return"])
        return None if hint is None else TypeAdapter(hint)

    @cached_property
    def preconditions(self) -> list[str]:
        """The parameters that are filled from the conditional headers."""
        return [name for name in self._taken if self._hints[name] is Precondition]

    def parameters(self, variables: Collection[str]) -> Parameters:
        """Return what the view takes where the path has these `variables`.

        Raises:
            RouteError: the view and the path do not fit.
        """
        key = frozenset(variables)
        if key not in self._known:
            self._known[key] = self._parameters(key)
        return self._known[key]

    def _parameters(self, variables: frozenset[str]) -> Parameters:
        named = {
            name: each for name, each in self._taken.items() if each.kind not in {each.VAR_KEYWORD, each.VAR_POSITIONAL}
        }
        if len(named) == len(self._taken) and variables - named.keys():
            raise RouteError(f"{name_of(self.view)} does not take {', '.join(sorted(variables - named.keys()))}.")
        path = {name: (self._hints.get(name, Any), ...) for name in sorted(variables)}
        rest = named.keys() - variables - {"body", *self.preconditions}
        if any(name != "query" and _has_model(self._hints[name]) for name in rest):
            raise RouteError(f"{name_of(self.view)} has a model parameter that is not named `body` or `query`.")
        query: type[BaseModel] | None = (
            self._hints["query"] if rest == {"query"} and _is_model(self._hints["query"]) else None
        )
        if query is None and "query" in rest and _has_model(self._hints["query"]):
            raise RouteError(
                f"{name_of(self.view)} takes a model as `query`, which has all parameters of the query: put the others "
                "into it, and write its type alone, with defaults in it."
            )
        is_one = query is not None
        if rest and query is None:
            fields = {name: (self._hints[name], _default(named[name])) for name in named if name in rest}
            query = create_model("Query", **fields)  # ty: ignore[no-matching-overload] - fields by name
        is_open = query is not None and query.model_config.get("extra") == "allow"
        names = None if is_open else QueryNames.of(*([query] if query else []))
        model = create_model("Path", **path) if path else None  # ty: ignore[no-matching-overload] - the same
        return Parameters(model, query, is_one, names)

    def contract(self, method: str, path: str, variables: Collection[str], inherited: Access | None) -> Contract:
        """Return the contract of this operation at a path with `variables`.

        Raises:
            RouteError: the view does not declare who may call it, or lacks a parameter for a path variable.
        """
        is_json = self.answer is not None or self._hints["return"] in {None, NoneType}
        return Contract(
            method,
            path,
            self.view,
            inherited=inherited,
            body=Body.of(self._hints["body"], self.format, is_required=self.is_body_required) if self.body else None,
            query=self.parameters(variables).names,
            produces={JSON.media_type} if is_json else None,
        )

    def __call__(self, **variables: Any) -> Response:  # noqa: ANN401 - whatever the path has
        """Return the answer to the current request, whose caller and media types were checked."""
        rule = request.url_rule
        contract: Contract = current_app.extensions["routes"].of(rule, request.method)
        sent: dict[str, Any] = {}
        if self.body is not None:
            content = request.get_data()
            if content or self.is_body_required:
                sent["body"] = contract.parse(self.format, content)
        contract.check_query(request.query_string)
        takes = self.parameters(rule.arguments if rule else ())
        return self._response(self.view(**self._arguments(takes, variables, sent)))

    def _arguments(self, takes: Parameters, variables: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
        findings: list[Any] = []

        def valid(validate: Callable[[Any], T], value: object) -> T | None:
            try:
                return validate(value)
            except ValidationError as error:
                findings.extend(error.errors())
                return None

        path = valid(takes.path.model_validate, variables) if takes.path else None
        query = valid(takes.query.model_validate, _query_values(takes.names)) if takes.query else None
        if self.body is not None and sent:
            sent = {"body": valid(self.body.validate_python, sent["body"])}
        if findings:
            raise invalid(findings)
        chosen = {"query": query} if takes.is_one else dict(query or ())
        return {**dict(path or ()), **chosen, **sent, **{name: get_precondition() for name in self.preconditions}}

    def _response(self, answer: Any) -> Response:  # noqa: ANN401 - whatever a view returned
        content, *rest = answer if isinstance(answer, tuple) else (answer,)
        is_another = any(isinstance(each, int) and each != self.status for each in rest)
        if content is None:
            content = Response(status=self.status)
            del content.headers["Content-Type"]
        elif isinstance(content, BaseModel):
            content = Response(content.model_dump_json(by_alias=True), self.status, mimetype=JSON.media_type)
        elif self.answer is not None and not is_another and not isinstance(content, AnyResponse):
            value = self.answer.validate_python(content, from_attributes=True)
            content = Response(self.answer.dump_json(value, by_alias=True), self.status, mimetype=JSON.media_type)
        elif not isinstance(content, AnyResponse):
            content = current_app.make_response(content)
            content.status_code = self.status
        return current_app.make_response((content, *rest)) if rest else content


def _query_values(names: QueryNames | None) -> dict[str, str | list[str]]:
    values: dict[str, str | list[str]] = {}
    for name, value in parse_qsl(request.query_string.decode("latin-1"), keep_blank_values=True):
        if names is not None and name in names.repeatable:
            values[name] = [*values.get(name, []), value]
        else:
            values[name] = value
    return values


def _default(parameter: inspect.Parameter) -> Any:  # noqa: ANN401 - any value
    return ... if parameter.default is parameter.empty else parameter.default


def _is_model(hint: Any) -> bool:  # noqa: ANN401 - any annotation
    return isinstance(hint, type) and issubclass(hint, BaseModel)


def _has_model(hint: Any) -> bool:  # noqa: ANN401 - any annotation
    return _is_model(hint) or any(map(_has_model, get_args(hint)))


def _is_of_flask(hint: Any) -> bool:  # noqa: ANN401 - any annotation
    kind = get_origin(hint) or hint
    return kind in {Any, None} or (isinstance(kind, type) and issubclass(kind, _OF_FLASK))


def _answer_in(hint: Any) -> Any:  # noqa: ANN401 - any annotation
    """Return the type in `hint` that is written as JSON, or None where there is none."""
    kind, parts = get_origin(hint), get_args(hint)
    if kind is tuple:
        return _answer_in(parts[0])
    if kind in {Union, UnionType}:
        if any(_is_of_flask(part) and not _is_response(part) for part in parts):
            return None
        content = [part for part in parts if get_origin(part) is not tuple and not _is_response(part)]
        return Union[tuple(content)] if content else None  # noqa: UP007 - of those that are left
    return None if hint is NoneType or _is_of_flask(hint) else hint


def _is_response(hint: Any) -> bool:  # noqa: ANN401 - any annotation
    return isinstance(hint, type) and issubclass(hint, AnyResponse)
