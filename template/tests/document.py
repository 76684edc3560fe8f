"""Holds what the service answers against its OpenAPI document."""

import json
import re
from pathlib import Path
from typing import Any

import httpx2
import jsonschema_rs

_METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


class Document:
    """The committed OpenAPI document."""

    def __init__(self, path: Path) -> None:
        self.content: dict[str, Any] = json.loads(path.read_text("utf-8"))
        self._paths = [
            (re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))), operations)
            for template, operations in self.content["paths"].items()
        ]
        self._validators: dict[str, jsonschema_rs.Validator] = {}

    def check(self, response: httpx2.Response) -> None:
        """Check that the document allows `response`.

        Raises:
            AssertionError: its status is not documented for the operation, or its body has another form.
        """
        request = response.request
        operation = self._operation(request.method, request.url.path)
        if operation is None or response.status_code == httpx2.codes.METHOD_NOT_ALLOWED:
            return
        status = str(response.status_code)
        assert status in operation["responses"], f"{status} of {operation['operationId']} is not documented"
        promised = self._resolved(operation["responses"][status])
        response.read()
        if "content" in promised:
            self._validate(promised["content"]["application/json"]["schema"], response.json())
        else:
            assert response.content == b""
        for name in promised.get("headers", {}):
            assert name in response.headers, f"{name} is promised with {status} of {operation['operationId']}"

    def _operation(self, method: str, path: str) -> dict[str, Any] | None:
        for form, operations in self._paths:
            if method in _METHODS and form.fullmatch(path):
                found: dict[str, Any] | None = operations.get(method.lower())
                return found
        return None

    def _resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in node:
            return node
        _, components, kind, name = node["$ref"].split("/")
        resolved: dict[str, Any] = self.content[components][kind][name]
        return resolved

    def _validate(self, schema: dict[str, Any], value: object) -> None:
        key = json.dumps(schema)
        if key not in self._validators:
            whole = {**schema, "components": self.content["components"]}
            self._validators[key] = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
        error = next(self._validators[key].iter_errors(value), None)
        assert error is None, f"{error} in {value}"
