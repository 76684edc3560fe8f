"""Examples for the documentation, put together from those of the fields."""

from typing import Any

_BY_FORMAT = {
    "uuid": "019c0f5e-7a3c-7b1e-8f42-3d5a6b7c8d9e",
    "date-time": "2026-01-31T09:30:00.123456Z",
    "date": "2026-01-31",
}
_BY_TYPE = {"string": "text", "integer": 1, "number": 1, "boolean": False, "array": [], "object": {}}


def example_of(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
    """Return a value that fits `schema`; `schemas` are the document's components."""
    example: Any = _BY_FORMAT.get(schema.get("format", ""), _BY_TYPE.get(schema.get("type", "")))
    match schema:
        case {"$ref": reference}:
            example = example_of(schemas[reference.rsplit("/", 1)[1]], schemas)
        case {"examples": [first, *_]} | {"enum": [first, *_]} | {"const": first} | {"default": first}:
            example = first
        case {"anyOf": [first, *_]} | {"oneOf": [first, *_]} | {"allOf": [first, *_]}:
            example = example_of(first, schemas)
        case {"type": "object", "properties": properties}:
            example = {name: example_of(part, schemas) for name, part in properties.items()}
        case {"type": "object", "additionalProperties": {**part}} if part:
            example = {"name": example_of(part, schemas)}
        case {"type": "array", "prefixItems": parts}:
            example = [example_of(part, schemas) for part in parts]
        case {"type": "array", "items": items} if "not" not in items:
            example = [example_of(items, schemas)]
    return example
