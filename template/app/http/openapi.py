"""Complete and normalize the OpenAPI document that a framework makes."""

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from app.auth.scheme import SECURITY_SCHEMES
from app.core.about import DESCRIPTION, NAME, VERSION
from app.core.failures import failure_of, failures
from app.http.contract import Contract, Contracts
from app.http.examples import example_of
from app.http.retries import KEY
from app.schemas.errors import Error

Json = dict[str, Any]

_ERROR = {"$ref": "#/components/schemas/Error"}
_ALWAYS = (400, 406, 422, 431, 500, 503, 504)
_TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
# Stands for where the service is. No text of a document has this character.
_ROOT = "\0"
_ESCAPED = r"\u0000"
_METHODS = ("get", "put", "post", "delete", "options", "patch")

ETAG: Json = {"headers": {"ETag": {"description": "Names this version.", "schema": {"type": "string"}}}}
NOT_MODIFIED: Json = {"description": "The client has this version already.", **ETAG}
CREATED: Json = {
    "headers": {"Location": {"description": "Where the new resource is.", "schema": {"type": "string"}}},
}
_LIMITED: Json = {
    "RateLimit": {"description": "What is left: `r` calls in the next `t` seconds.", "schema": {"type": "string"}},
    "RateLimit-Policy": {"description": "The limits: `q` calls in `w` seconds.", "schema": {"type": "string"}},
    "Retry-After": {"description": "The seconds to wait.", "schema": {"type": "string"}},
}

_KEY: Json = {
    "in": "header",
    "name": "Idempotency-Key",
    "description": "A new one for each request, and the same when it is sent again: the answer is then the first one.",
    "schema": {"type": "string", "pattern": f"^{KEY}$"},
}


def errors(*statuses: int) -> dict[int | str, Json]:
    """Return the documentation of failures that only this operation has; the common ones are added to all."""
    return {status: {"description": ""} for status in statuses}


def finish(document: Json, contracts: Contracts) -> Json:
    """Return the document that both frameworks serve; `contracts` are those of its operations, by method and path."""
    document["openapi"] = "3.1.0"
    document["info"] = {"title": NAME, "description": DESCRIPTION, "version": VERSION}
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    error = Error.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= {**error.pop("$defs"), "Error": error}
    if SECURITY_SCHEMES:
        components["securitySchemes"] = {**components.get("securitySchemes", {}), **SECURITY_SCHEMES}
    _normalize(document["paths"])
    _normalize(components)
    _name_apart(document)
    for path, method, operation in operations(document):
        _complete(operation, contracts[method.upper(), path], components)
    return document


def _name_apart(document: Json) -> None:
    """Make operation ids unique: where functions share a name, append path and method."""
    found: dict[str, list[tuple[str, str, Json]]] = {}
    for path, method, operation in operations(document):
        found.setdefault(operation["operationId"], []).append((path, method, operation))
    for name, alike in found.items():
        for path, method, operation in alike if len(alike) > 1 else ():
            operation["operationId"] = re.sub(r"\W+", "_", f"{name}{path}_{method}")


def as_json(document: Json) -> str:
    """Return `document` as it is committed: sorted, so that equal documents are equal texts."""
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def served_at(root_path: str, document: str) -> str:
    """Return the text of `document` for clients that find the service at `root_path`, "" or such as "/shop"."""
    # Neither has a character that JSON escapes.
    return _anywhere(document).replace(f'"{_ESCAPED}', f'"{root_path}') if root_path else document


@lru_cache(maxsize=2)
def _anywhere(document: str) -> str:
    """Return the text of `document` with `_ROOT` where clients have to be told where the service is."""
    loaded = json.loads(document)
    schemes = loaded.get("components", {}).get("securitySchemes", {}).values()
    for flow in (flow for scheme in schemes for flow in scheme.get("flows", {}).values()):
        if flow["tokenUrl"].startswith("/"):
            flow["tokenUrl"] = _ROOT + flow["tokenUrl"]
    return as_json({**loaded, "servers": [{"url": _ROOT}]})


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    """Yield path, method and operation of each in `document`."""
    for path, item in document["paths"].items():
        yield from ((path, method, operation) for method, operation in item.items() if method in _METHODS)


def _complete(operation: Json, contract: Contract, components: Json) -> None:
    schemas, access = components["schemas"], contract.access
    if contract.deprecation:
        operation["deprecated"] = True
    keys = [_KEY] if contract.takes_key else []
    operation["parameters"] = sorted(
        (_parameter(parameter) for parameter in [*operation.get("parameters", []), *keys]),
        key=lambda parameter: (parameter.get("in", ""), parameter.get("name", "")),
    )
    if not operation["parameters"]:
        del operation["parameters"]
    if not access.public and SECURITY_SCHEMES:
        operation["security"] = [{name: sorted(access.scopes)} for name in SECURITY_SCHEMES]
    if "requestBody" in operation:
        _add_example(operation["requestBody"]["content"], schemas)
    _say_what_is_produced(operation, contract)
    responses = {status: response for status, response in operation["responses"].items() if status != "422"}
    for response in responses.values():
        _add_example(response.get("content", {}), schemas)
    declared = {int(each) for each in responses if each.isdecimal() and int(each) >= HTTPStatus.BAD_REQUEST}
    for status in declared | _common_failures(operation, contract):
        if "content" not in responses.get(str(status), {}):
            name, failure = _failure(status)
            components.setdefault("responses", {})[name] = failure
            responses[str(status)] = {"$ref": f"#/components/responses/{name}"}
    operation["responses"] = responses


def _say_what_is_produced(operation: Json, contract: Contract) -> None:
    for status, response in operation["responses"].items():
        if not status.startswith("2"):
            continue
        if contract.declared_produces:
            response["content"] = {each: {"schema": {"type": "string"}} for each in contract.declared_produces}
        elif contract.produces is None and not any(each.get("schema") for each in response.get("content", {}).values()):
            # No media type is declared, so document none.
            response.pop("content", None)


def _common_failures(operation: Json, contract: Contract) -> set[int]:
    statuses = set(_ALWAYS)
    if not contract.access.public and SECURITY_SCHEMES:
        statuses |= {401, 403}
    if contract.is_limited(contract.method):
        statuses |= {429}
    if "requestBody" in operation:
        statuses |= {413, 415}
    if contract.takes_key:
        statuses |= {409}
    if any(parameter.get("name") == "If-Match" for parameter in operation.get("parameters", [])):
        statuses |= {412}
    return statuses


def _parameter(parameter: Json) -> Json:
    schema = parameter.get("schema", {})
    if "anyOf" in schema:
        # An absent parameter is None in Python, but clients cannot send null.
        present = [branch for branch in schema.pop("anyOf") if branch.get("type") != "null"]
        schema |= present[0] if len(present) == 1 else {"anyOf": present}
    schema.pop("description", None)
    return parameter if "$ref" in parameter else {"required": False, **parameter}


def _add_example(content: Json, schemas: Json) -> None:
    for media_type in content.values():
        if media_type.get("schema"):
            media_type["example"] = example_of(media_type["schema"], schemas)


def _failure(status: int) -> tuple[str, Json]:
    """Return the name and the documentation of all failures with `status`."""
    # Python's own names of statuses change with its versions; the document must not.
    known = [error() for error in failures() if error.status == status] or [failure_of(status)]
    examples = {
        error.code: {"value": {"code": error.code, "message": error.message, "trace_id": _TRACE_ID}} for error in known
    }
    content = {"application/json": {"schema": _ERROR, "examples": examples}}
    first = type(known[0]).__name__ if known[0].status == type(known[0]).status else f"Status{status}"
    headers = {"headers": _LIMITED} if status == HTTPStatus.TOO_MANY_REQUESTS else {}
    return first, {"description": known[0].message, "content": content, **headers}


def _normalize(node: Any, *, names: bool = False) -> None:  # noqa: ANN401 - any part of a JSON document
    """Remove the titles that are made from names; `names` says that the keys of `node` are names themselves.

    Bounds of integers become integers again, where they were made floats.
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
