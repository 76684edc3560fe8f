"""What all schemas share."""

from functools import cache
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter
from typing_extensions import is_typeddict

T = TypeVar("T")


class Schema(BaseModel):
    """Base of all schemas: unknown fields are refused, and the name in the document is the class's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def of(cls, value: object) -> Self:
        """Return the schema of a domain object or a row, read from its attributes; others than the fields stay inside.

        Aliases are for the wire alone: attributes have the names of the fields.
        """
        return cls.model_validate(value, from_attributes=True, by_name=True)

    def to(self, kind: type[T]) -> T:
        """Return what was sent as a domain object: a dataclass, or a `TypedDict` of what was not left out."""
        return _adapter(kind).validate_python(self.model_dump(exclude_unset=is_typeddict(kind)))


@cache
def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
