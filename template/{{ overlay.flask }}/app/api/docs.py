"""The OpenAPI document and the page that shows it."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache
from http import HTTPStatus
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

from flask import Blueprint, Flask, Response, current_app
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from app.api.routes import routers
from app.api.routing import Operation
from app.http import docs, security_txt
from app.http.body import JSON
from app.http.openapi import Json, as_json, finish

router = Blueprint("docs", __name__)

Reference: TypeAlias = tuple[type[BaseModel], JsonSchemaMode]

_REFERENCE = "#/components/schemas/{model}"
_CONDITIONS = {"If-Match": "Only if this is the version.", "If-None-Match": "Only if this is not the version."}


class _Schemas(GenerateJsonSchema):
    """JSON schemas in which a default of null, which only stands for a field's absence, is not mentioned."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        described = super().default_schema(schema)
        if described.get("default", ...) is None:
            del described["default"]
        return described


@cache
def _assets() -> Path:
    spec = find_spec("flask_swagger_ui")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(name="flask_swagger_ui")
    return Path(spec.origin).parent / "dist"


@router.get(security_txt.PATH)
def contact() -> Response:
    return Response(security_txt.text(current_app.extensions["settings"]), content_type=security_txt.MEDIA_TYPE)


@router.get("/openapi.json")
def openapi() -> Response:
    return Response(current_app.extensions["openapi_json"], mimetype="application/json")


@router.get("/docs")
def page() -> Response:
    headers = {"Content-Security-Policy": docs.CONTENT_SECURITY_POLICY}
    return Response(docs.PAGE, mimetype="text/html", headers=headers)


@router.get("/docs/<name>")
def asset(name: str) -> Response:
    content, media_type = docs.asset(name, _assets())
    return Response(content, content_type=media_type, headers={"Cache-Control": "public, max-age=86400"})


def all_operations() -> list[Operation]:
    """Return every operation of the service."""
    return [operation for router in routers() for operation in router.operations]


def endpoints() -> list[tuple[str, str, Callable[..., Any]]]:
    """Return method, path and function of each operation."""
    return [(operation.method, operation.path, operation.view) for operation in all_operations()]


def methods_of(app: Flask) -> Callable[[str], Collection[str]]:
    """Return a function that returns the methods of a path in `app`."""
    return lambda path: list(app.url_map.bind("localhost").allowed_methods(path))


def document(operations: Sequence[Operation]) -> Json:
    """Return the OpenAPI document of `operations`."""
    models = dict.fromkeys(each for operation in operations for each in _models(operation))
    references, definitions = models_json_schema(list(models), ref_template=_REFERENCE, schema_generator=_Schemas)
    schemas: Json = definitions.get("$defs", {})
    paths: Json = {}
    for operation in operations:
        described = _described(operation, references, schemas)
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    access = {operation.name: operation.access for operation in operations}
    return finish({"paths": paths, "components": {"schemas": schemas}}, access)


def serialized() -> str:
    """Return the text of the OpenAPI document."""
    return as_json(document(all_operations()))


def _models(operation: Operation) -> Iterator[Reference]:
    if operation.body:
        yield operation.body, "validation"
    for model in (operation.answer, *(each.get("model") for each in operation.responses.values())):
        if model:
            yield model, "serialization"


def _described(operation: Operation, references: Mapping[Any, Json], schemas: Json) -> Json:
    def content(model: type[BaseModel], mode: JsonSchemaMode, media_type: str = JSON.media_type) -> Json:
        return {"content": {media_type: {"schema": references[model, mode]}}}

    success: Json = content(operation.answer, "serialization") if operation.answer else {}
    responses = {str(operation.status): {"description": "Successful Response", **success}}
    for status, response in operation.responses.items():
        extra = {name: value for name, value in response.items() if name != "model"}
        if "model" in response:
            extra |= content(response["model"], "serialization")
        known = responses.get(str(status), {"description": HTTPStatus(int(status)).phrase})
        responses[str(status)] = {**known, **extra}
    described: Json = {
        "tags": [operation.tag],
        "summary": operation.name.replace("_", " ").title(),
        "description": operation.description,
        "operationId": operation.name,
        "parameters": _parameters(operation, schemas),
        "responses": responses,
    }
    if operation.body:
        body = content(operation.body, "validation", operation.format.media_type)
        described["requestBody"] = {"required": True, **body}
    if operation.deprecation:
        described["deprecated"] = True
    return described


def _parameters(operation: Operation, schemas: Json) -> list[Json]:
    """Return the parameters of `operation`; what they refer to is added to `schemas`."""
    parameters: list[Json] = []
    for place, model in (("path", operation.variables), ("query", operation.query)):
        schema: Json = (
            model.model_json_schema(ref_template=_REFERENCE, schema_generator=_Schemas) if model else {"properties": {}}
        )
        schemas |= schema.get("$defs", {})
        for name, part in schema["properties"].items():
            description = {"description": part["description"]} if "description" in part else {}
            is_required = name in schema.get("required", [])
            parameters.append({"name": name, "in": place, "required": is_required, "schema": part, **description})
    if operation.preconditions:
        parameters += [
            {"name": name, "in": "header", "schema": {"type": "string"}, "description": description}
            for name, description in _CONDITIONS.items()
        ]
    return parameters
