"""The OpenAPI document: what the frameworks do not know is added, what they say differently is made the same."""

import json
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from app.auth.policy import Access
from app.auth.style import SECURITY_SCHEMES
from app.core.about import DESCRIPTION, NAME, VERSION
from app.core.errors import failures
from app.http.examples import example_of
from app.schemas.errors import Error

Json = dict[str, Any]

_ERROR = {"$ref": "#/components/schemas/Error"}
_ALWAYS = (400, 406, 422, 431, 500, 503, 504)
_TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
_METHODS = ("get", "put", "post", "delete", "patch")

ETAG: Json = {"headers": {"ETag": {"description": "Names this version.", "schema": {"type": "string"}}}}
NOT_MODIFIED: Json = {"description": "The client has this version already.", **ETAG}
CREATED: Json = {
    "headers": {"Location": {"description": "Where the new resource is.", "schema": {"type": "string"}}},
}


def errors(*statuses: int) -> dict[int | str, Json]:
    """Return the documentation of failures that only this operation has; the common ones are added to all."""
    return {status: {"description": ""} for status in statuses}


def finish(document: Json, access: Mapping[str, Access]) -> Json:
    """Return the document that both frameworks serve; `access` is what each operation id asks of its caller."""
    document["openapi"] = "3.1.0"
    document["info"] = {"title": NAME, "description": DESCRIPTION, "version": VERSION}
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    error = Error.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= {**error.pop("$defs"), "Error": error}
    if SECURITY_SCHEMES:
        components["securitySchemes"] = SECURITY_SCHEMES
    _normalize(document["paths"])
    _normalize(components)
    for operation in operations(document):
        _complete(operation, access[operation["operationId"]], components)
    return document


def as_json(document: Json) -> str:
    """Return `document` as it is committed: sorted, so that equal documents are equal texts."""
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def operations(document: Json) -> Iterator[Json]:
    """Yield the operations of `document`."""
    for path in document["paths"].values():
        yield from (operation for method, operation in path.items() if method in _METHODS)


def _complete(operation: Json, access: Access, components: Json) -> None:
    schemas = components["schemas"]
    operation["parameters"] = sorted(
        (_parameter(parameter) for parameter in operation.get("parameters", [])),
        key=lambda parameter: (parameter["in"], parameter["name"]),
    )
    if not operation["parameters"]:
        del operation["parameters"]
    if not access.public and SECURITY_SCHEMES:
        operation["security"] = [{name: sorted(access.scopes)} for name in SECURITY_SCHEMES]
    if "requestBody" in operation:
        _add_example(operation["requestBody"]["content"], schemas)
    responses = {status: response for status, response in operation["responses"].items() if status != "422"}
    for response in responses.values():
        _add_example(response.get("content", {}), schemas)
    declared = {int(status) for status in responses if int(status) >= HTTPStatus.BAD_REQUEST}
    for status in declared | _common_failures(operation, access):
        if "content" not in responses.get(str(status), {}):
            name, failure = _failure(status)
            components.setdefault("responses", {})[name] = failure
            responses[str(status)] = {"$ref": f"#/components/responses/{name}"}
    operation["responses"] = responses


def _common_failures(operation: Json, access: Access) -> set[int]:
    statuses = set(_ALWAYS)
    if not access.public and SECURITY_SCHEMES:
        statuses |= {401, 403}
    if "requestBody" in operation:
        statuses |= {413, 415}
    if any(parameter["name"] == "If-Match" for parameter in operation.get("parameters", [])):
        statuses |= {412}
    return statuses


def _parameter(parameter: Json) -> Json:
    schema = parameter["schema"]
    if "anyOf" in schema:
        # A parameter that is not there is null in Python only: no client can send one.
        (present,) = (branch for branch in schema.pop("anyOf") if branch.get("type") != "null")
        schema |= present
    schema.pop("description", None)
    return {"required": False, **parameter}


def _add_example(content: Json, schemas: Json) -> None:
    for media_type in content.values():
        media_type["example"] = example_of(media_type["schema"], schemas)


def _failure(status: int) -> tuple[str, Json]:
    """Return the name and the documentation of all failures with `status`."""
    # Python's own names of statuses change with its versions; the document must not.
    known = [error for error in failures() if error.status == status]
    examples = {
        error.code: {"value": {"code": error.code, "message": error.default, "trace_id": _TRACE_ID}} for error in known
    }
    content = {"application/json": {"schema": _ERROR, "examples": examples}}
    return known[0].__name__, {"description": known[0].default, "content": content}


def _normalize(node: Any, *, names: bool = False) -> None:  # noqa: ANN401 - any part of a JSON document
    """Remove the titles that are made from names; `names` says that the keys of `node` are names themselves.

    Bounds of integers become integers again: FastAPI makes floats of them.
    """
    if isinstance(node, dict):
        if not names and isinstance(node.get("title"), str):
            del node["title"]
        for key, value in node.items():
            if isinstance(value, float) and value.is_integer():
                node[key] = int(value)
            _normalize(value, names=not names and key in {"properties", "schemas"})
    elif isinstance(node, list):
        for item in node:
            _normalize(item)
