"""Examples for the documentation, put together from those of the fields."""

from typing import Any

_BY_FORMAT = {"uuid": "019c0f5e-7a3c-7b1e-8f42-3d5a6b7c8d9e", "date-time": "2026-01-31T09:30:00.123456Z"}
_BY_TYPE = {"string": "text", "integer": 1, "number": 1, "boolean": False, "null": None}


def example_of(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
    """Return a value that fits `schema`; `schemas` are the document's components."""
    match schema:
        case {"$ref": reference}:
            return example_of(schemas[reference.rsplit("/", 1)[1]], schemas)
        case {"examples": [example, *_]} | {"enum": [example, *_]} | {"const": example} | {"default": example}:
            return example
        case {"anyOf": [first, *_]}:
            return example_of(first, schemas)
        case {"type": "object"}:
            return {name: example_of(part, schemas) for name, part in schema.get("properties", {}).items()}
        case {"type": "array", "items": {"not": _}}:
            return []
        case {"type": "array"}:
            return [example_of(schema["items"], schemas)]
    return _BY_FORMAT.get(schema.get("format", ""), _BY_TYPE[schema.get("type", "string")])
