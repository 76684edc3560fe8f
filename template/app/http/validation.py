"""Turn Pydantic's validation errors into ours."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, get_args, get_origin
from urllib.parse import parse_qsl, unquote_plus, unquote_to_bytes

from pydantic import AliasChoices, BaseModel
from pydantic.fields import FieldInfo

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
        """Return the names, or else the aliases, of the fields of `models`; those that are lists can be repeated."""
        fields = [(name, field) for model in models for name, field in model.model_fields.items()]
        return cls.of_types({sent: field.annotation for name, field in fields for sent in names_of(field, name)})

    @classmethod
    def of_types(cls, types: Mapping[str, Any]) -> "QueryNames":
        """Return the names in `types`; those whose type is a list, a set or a tuple can be repeated."""
        repeatable = frozenset(name for name, annotation in types.items() if _is_sequence(annotation))
        return cls(frozenset(types) - repeatable, repeatable)

    def check(self, query: bytes) -> None:
        """Check that the query string has only these names, and repeats only those that may be repeated.

        Raises:
            Invalid: a parameter is unknown, repeated or not in UTF-8: frameworks ignore the first, take the last of the
                second, and put other characters in the place of the third.
        """
        try:
            pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict")
        except UnicodeDecodeError:
            raise Invalid(details=[_not_utf8(part) for part in query.split(b"&") if not _is_utf8(part)]) from None
        names = Counter(name for name, _ in pairs)
        details = [
            Detail(name, "extra_forbidden", "There is no such parameter here.")
            for name in sorted(names.keys() - self.once - self.repeatable)
        ] + [Detail(name, "repeated", "Give this parameter once.") for name in sorted(self.once) if names[name] > 1]
        if details:
            raise Invalid(details=details)


def _is_utf8(part: bytes) -> bool:
    try:
        unquote_to_bytes(part).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return part.isascii()


def _not_utf8(part: bytes) -> Detail:
    name = unquote_plus(part.partition(b"=")[0].decode("latin-1"))
    return Detail(name, "not_utf8", "Write what is not ASCII in UTF-8, escaped by percent signs.")


def names_of(field: FieldInfo, name: str) -> list[str]:
    """Return under which names the value of a model's `field` may be sent."""
    alias = field.validation_alias or field.alias or name
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    return [each if isinstance(each, str) else str(each.path[0]) for each in choices]


def _is_sequence(annotation: Any) -> bool:  # noqa: ANN401 - any annotation
    """Return whether `annotation` is of several values, or may be."""
    kinds = (list, set, frozenset, tuple, Sequence)
    return get_origin(annotation) in kinds or annotation in kinds or any(map(_is_sequence, get_args(annotation)))
