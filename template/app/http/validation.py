"""Pydantic's findings, as the contract words them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, get_origin
from urllib.parse import parse_qsl

from pydantic import BaseModel

from app.core.errors import Detail, Invalid


def invalid(errors: Iterable[Mapping[str, Any]]) -> Invalid:
    """Return the failure that says what Pydantic found; the whole body is called "body"."""
    return Invalid(
        details=[Detail(".".join(map(str, error["loc"])) or "body", error["type"], error["msg"]) for error in errors]
    )


class QueryNames(NamedTuple):
    """The names of the query parameters that an endpoint takes."""

    once: frozenset[str] = frozenset()
    repeatable: frozenset[str] = frozenset()

    @classmethod
    def of(cls, *models: type[BaseModel]) -> "QueryNames":
        """Return the names of the fields of `models`; those that are lists can be repeated."""
        fields = {name: field for model in models for name, field in model.model_fields.items()}
        lists = frozenset(name for name, field in fields.items() if get_origin(field.annotation) is list)
        return cls(frozenset(fields) - lists, lists)

    def check(self, query: bytes) -> None:
        """Do nothing if the query string holds only these names, and those that cannot be repeated once.

        Raises:
            Invalid: a parameter is unknown, or repeated: frameworks ignore the one and take the last of the other.
        """
        names = Counter(name for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True))
        details = [
            Detail(name, "extra_forbidden", "There is no such parameter here.")
            for name in sorted(names.keys() - self.once - self.repeatable)
        ] + [Detail(name, "repeated", "Give this parameter once.") for name in sorted(self.once) if names[name] > 1]
        if details:
            raise Invalid(details=details)
