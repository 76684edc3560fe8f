import json
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from app.core.failures import failures
from app.http.examples import example_of
from app.http.openapi import operations
from app.main import openapi_json

_DOCUMENT: dict[str, Any] = json.loads(Path("openapi.json").read_text("utf-8"))
_OPERATIONS = [pytest.param(operation, id=operation["operationId"]) for _, _, operation in operations(_DOCUMENT)]
_EVERYWHERE = {"406", "500", "503", "504"}


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    _, components, kind, name = node["$ref"].split("/")
    found: dict[str, Any] = _DOCUMENT[components][kind][name]
    return found


def contents(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for part in [operation.get("requestBody", {}), *operation["responses"].values()]:
        yield from resolved(part).get("content", {}).values()


class TestDocument:
    def test_the_committed_one_is_what_the_code_produces(self) -> None:
        assert Path("openapi.json").read_text("utf-8") == openapi_json(), "run: uv run just openapi"

    def test_operation_ids_are_unique(self) -> None:
        ids = [operation["operationId"] for _, _, operation in operations(_DOCUMENT)]

        assert sorted(set(ids)) == sorted(ids)

    def test_names_do_not_depend_on_the_python_version(self) -> None:
        # HTTPStatus(413) and (422) were given new phrases in Python 3.13.
        ours = {error.__name__ for error in failures()}

        assert _DOCUMENT["components"]["responses"].keys() <= ours
        assert not {"Unprocessable Entity", "Unprocessable Content"} & {*_texts(_DOCUMENT)}

    def test_no_failure_is_the_frameworks_own(self) -> None:
        assert not {"HTTPValidationError", "ValidationError"} & _DOCUMENT["components"]["schemas"].keys()

    def test_every_reference_leads_somewhere(self) -> None:
        for reference in _references(_DOCUMENT):
            assert resolved({"$ref": reference})


class TestOperations:
    @pytest.mark.parametrize("operation", _OPERATIONS)
    def test_failures_are_documented_in_the_one_shape(self, operation: dict[str, Any]) -> None:
        found = {status: resolved(response) for status, response in operation["responses"].items()}

        missing = (_EVERYWHERE | _expected_failures(operation)) - found.keys()
        assert missing == set(), f"{operation['operationId']} can answer these, and does not document them"
        for status, response in found.items():
            if int(status) >= HTTPStatus.BAD_REQUEST and operation["operationId"] != "readyz":
                schema = response.get("content", {}).get("application/json", {}).get("schema")
                assert schema == {"$ref": "#/components/schemas/Error"}, f"{operation['operationId']}, {status}"

    @pytest.mark.parametrize("operation", _OPERATIONS)
    def test_examples_fit_their_schemas(self, operation: dict[str, Any]) -> None:
        for content in contents(operation):
            assert "schema" in content, f"{operation['operationId']} has content without a schema"
            schema = {**content["schema"], "components": _DOCUMENT["components"]}
            named = [each["value"] for each in content.get("examples", {}).values()]
            assert named or "example" in content, f"{operation['operationId']} has content without an example"
            examples = named or [content["example"]]
            for example in examples:
                jsonschema_rs.validate(schema, example, validate_formats=True)

    @pytest.mark.parametrize("operation", _OPERATIONS)
    def test_each_says_what_it_does(self, operation: dict[str, Any]) -> None:
        described = operation.get("description", "")
        assert described.endswith("."), f"{operation['operationId']} needs a docstring that ends with a full stop"
        assert operation["summary"]


class TestExamples:
    @pytest.mark.parametrize(
        ("schema", "example"),
        [
            ({"type": "string", "examples": ["a", "b"]}, "a"),
            ({"enum": ["x", "y"]}, "x"),
            ({"const": 7}, 7),
            ({"type": "integer", "default": 20}, 20),
            ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, 1),
            ({"type": "array", "items": {"type": "boolean"}}, [False]),
            ({"type": "array", "items": {"not": {}}}, []),
            ({"$ref": "#/components/schemas/Thing"}, {"name": "text"}),
            ({}, None),
        ],
    )
    def test_one_is_made_from_any_schema(self, schema: dict[str, Any], example: object) -> None:
        things = {"Thing": {"type": "object", "properties": {"name": {"type": "string"}}}}

        assert example == example_of(schema, things)


def _expected_failures(operation: dict[str, Any]) -> set[str]:
    expected = {"401", "403"} if operation.get("security") else set()
    if "requestBody" in operation:
        expected |= {"400", "413", "415", "422"}
    places = {parameter["in"] for parameter in operation.get("parameters", [])}
    return expected | ({"422"} if places & {"path", "query"} else set())


def _texts(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield key
            yield from _texts(value)
    elif isinstance(node, list):
        for item in node:
            yield from _texts(item)
    elif isinstance(node, str):
        yield node


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for item in node:
            yield from _references(item)
