"""The OpenAPI document and the page that shows it."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from flask import Blueprint, Flask, Response, current_app, request
from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import core_schema
from werkzeug.routing import Rule

from app.api.operation import Operation
from app.api.routing import ServiceRoutes, methods_of, template
from app.auth.policy import public
from app.http import docs, security_txt
from app.http.body import JSON
from app.http.openapi import Json, as_json, finish, served_at

router = Blueprint("docs", __name__)

_REFERENCE = "#/components/schemas/{model}"
_CONDITIONS = {"If-Match": "Only if this is the version.", "If-None-Match": "Only if this is not the version."}


class _Schemas(GenerateJsonSchema):
    """JSON schemas in which a default of null, which only stands for a field's absence, is not mentioned."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        described = super().default_schema(schema)
        if described.get("default", ...) is None:
            del described["default"]
        return described


@router.get(security_txt.PATH)
@public
def contact() -> Response:
    return Response(security_txt.text(current_app.extensions["settings"]), content_type=security_txt.MEDIA_TYPE)


@router.get("/openapi.json")
@public
def openapi() -> Response:
    document = served_at(request.script_root, current_app.extensions["openapi_json"])
    return Response(document, mimetype="application/json")


@router.get("/docs")
@public
def page() -> Response:
    headers = {"Content-Security-Policy": docs.CONTENT_SECURITY_POLICY}
    return Response(docs.PAGE, mimetype="text/html", headers=headers)


@router.get("/docs/<name>")
@public
def asset(name: str) -> Response:
    content, media_type = docs.asset(name, "flask_swagger_ui", "dist")
    return Response(content, content_type=media_type, headers={"Cache-Control": "public, max-age=86400"})


def document(app: Flask) -> Json:
    """Return the OpenAPI document of `app`."""
    found = [_Documented(rule, view) for rule, view in _operations(app)]
    adapters = [
        (f"{number} {use}", mode, adapter)
        for number, each in enumerate(found)
        for use, mode, adapter in _adapters(each.operation)
    ]
    written, components = TypeAdapter.json_schemas(adapters, ref_template=_REFERENCE, schema_generator=_Schemas)
    schemas: Json = components.get("$defs", {})
    paths: Json = {}
    for number, each in enumerate(found):
        uses = {key.partition(" ")[2]: schema for (key, _), schema in written.items() if key.startswith(f"{number} ")}
        for method in methods_of(each.rule):
            paths.setdefault(template(each.rule), {})[method.lower()] = _described(each, uses, schemas)
    return finish({"paths": paths, "components": {"schemas": schemas}}, ServiceRoutes(app).documented)


def serialized(app: Flask) -> str:
    """Return the text of the OpenAPI document of `app`."""
    return as_json(document(app))


class _Documented(NamedTuple):
    rule: Rule
    operation: Operation


def _operations(app: Flask) -> Iterator[tuple[Rule, Operation]]:
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if isinstance(view, Operation):
            yield rule, view


def _adapters(operation: Operation) -> Iterator[tuple[str, JsonSchemaMode, TypeAdapter[Any]]]:
    """Yield what is written as a schema: what for, for which direction, and the type."""
    if operation.body:
        yield "body", "validation", operation.body
    if operation.answer:
        yield "answer", "serialization", operation.answer
    for status, response in operation.responses.items():
        if "model" in response:
            yield str(status), "serialization", TypeAdapter(response["model"])


def _described(documented: _Documented, written: Mapping[str, Json], schemas: Json) -> Json:
    operation = documented.operation

    def content(use: str, media_type: str = JSON.media_type) -> Json:
        return {"content": {media_type: {"schema": written[use]}}}

    success: Json = content("answer") if operation.answer else {}
    responses = {str(operation.status): {"description": "Successful Response", **success}}
    for status, response in operation.responses.items():
        extra = {name: value for name, value in response.items() if name != "model"}
        if "model" in response:
            extra |= content(str(status))
        phrase = HTTPStatus(int(status)).phrase if str(status).isdecimal() else str(status)
        known = responses.get(str(status), {"description": phrase})
        responses[str(status)] = {**known, **extra}
    described: Json = {
        "tags": [operation.tag],
        "summary": operation.name.replace("_", " ").title(),
        **({"description": operation.description} if operation.description else {}),
        "operationId": operation.name,
        "parameters": _parameters(documented, schemas),
        "responses": responses,
    }
    if operation.body:
        body = content("body", operation.format.media_type)
        described["requestBody"] = {"required": True, **body} if operation.is_body_required else body
    return described


def _parameters(documented: _Documented, schemas: Json) -> list[Json]:
    """Return the parameters of an operation; what they refer to is added to `schemas`."""
    parameters: list[Json] = []
    takes = documented.operation.parameters(documented.rule.arguments)
    for place, model in (("path", takes.path), ("query", takes.query)):
        schema: Json = (
            model.model_json_schema(ref_template=_REFERENCE, schema_generator=_Schemas) if model else {"properties": {}}
        )
        schemas |= schema.get("$defs", {})
        for name, part in schema["properties"].items():
            description = {"description": part["description"]} if "description" in part else {}
            is_required = name in schema.get("required", [])
            parameters.append({"name": name, "in": place, "required": is_required, "schema": part, **description})
    if documented.operation.preconditions:
        parameters += [
            {"name": name, "in": "header", "schema": {"type": "string"}, "description": description}
            for name, description in _CONDITIONS.items()
        ]
    return parameters
