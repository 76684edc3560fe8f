"""Request bodies: JSON (RFC 8259) and forms, read more strictly than Python does by default."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from email.message import Message
from functools import partial
from typing import Any, NamedTuple, TypeVar
from urllib.parse import unquote_plus

from pydantic import TypeAdapter

from app.core.errors import Detail, Invalid, MalformedBody, UnsupportedMediaType

MOST_MEMBERS = 10_000
"""What an object may have where its schema names no fields."""
_UNKNOWN_MEMBERS = 20
_NO_FORM = "The body is not a form in UTF-8."
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class _NotPlain(ValueError):
    """JSON that two readers could understand differently: (code, message)."""


def _object(pairs: list[tuple[str, Any]], most_members: int) -> dict[str, Any]:
    if len(pairs) > most_members:
        raise _NotPlain("too_many_fields", "An object has more fields than any here can have.")
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _NotPlain("duplicate_key", "An object has the same key twice.")
    return members


def _no_constant(name: str) -> float:
    raise _NotPlain("not_finite", f"{name} is not a number in JSON.")


def _integer(digits: str) -> int:
    try:
        return int(digits)
    except ValueError:
        # Python refuses to parse integers of thousands of digits; RFC 8259 lets a reader set such a limit.
        raise _NotPlain("number_too_large", "A number has too many digits.") from None


def parse_json(body: bytes, most_members: int = MOST_MEMBERS) -> Any:  # noqa: ANN401 - whatever the client sent
    """Return the value that `body` spells.

    Raises:
        MalformedBody: it is not JSON in UTF-8 (a byte order mark is not allowed either).
        Invalid: it is JSON that readers disagree about (duplicate keys, NaN, Infinity, lone surrogates), or an object
            has more than `most_members`: to say of each that it is unknown would cost more than to read a valid body.
    """
    try:
        text = body.decode("utf-8")
        value = json.loads(
            text,
            object_pairs_hook=partial(_object, most_members=most_members),
            parse_constant=_no_constant,
            parse_int=_integer,
        )
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except _NotPlain as error:
        code, message = error.args
        raise Invalid(details=[Detail("body", code, message)]) from None
    except UnicodeEncodeError:
        raise Invalid(details=[Detail("body", "lone_surrogate", "A string holds half a character.")]) from None
    except (ValueError, RecursionError):
        raise MalformedBody from None
    return value


def parse_form(body: bytes, most_members: int = MOST_MEMBERS) -> dict[str, str]:
    """Return the fields of an `application/x-www-form-urlencoded` body (the URL standard, 5.1).

    Raises:
        MalformedBody: it is not a form in UTF-8.
        Invalid: a field stands there twice, or there are more than `most_members`.
    """
    try:
        text = body.decode("utf-8")
        if _BROKEN_ESCAPE.search(text):
            raise MalformedBody(_NO_FORM)
        if text.count("&") >= most_members:
            raise Invalid(details=[Detail("body", "too_many_fields", "There are too many fields.")])
        parts = [part.partition("=") for part in text.split("&") if part]
        pairs = [(_unescaped(name), _unescaped(value)) for name, _, value in parts]
    except UnicodeDecodeError:
        raise MalformedBody(_NO_FORM) from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = Counter(name for name, _ in pairs)
        twice = [name for name in fields if names[name] > 1]
        raise Invalid(details=[Detail(name, "repeated", "Give this field once.") for name in twice])
    return fields


def _unescaped(text: str) -> str:
    return unquote_plus(text, errors="strict")


class BodyFormat(NamedTuple):
    """How a body is written: its media type, and the function that reads it."""

    media_type: str
    parse: Callable[[bytes, int], Any]

    def require(self, content_type: Sequence[str], content_encoding: Sequence[str]) -> None:
        """Do nothing if a body so described is in this format.

        Raises:
            UnsupportedMediaType: it is of another type, not UTF-8, or encoded (RFC 9110, 15.5.16).
        """
        if len(content_type) != 1 or any(coding.strip().lower() != "identity" for coding in content_encoding):
            raise self._refusal()
        message = Message()
        message["content-type"] = content_type[0]
        charset = message.get_param("charset", "utf-8")
        if message.get_content_type() != self.media_type or str(charset).lower() not in {"utf-8", "utf8"}:
            raise self._refusal()

    def _refusal(self) -> UnsupportedMediaType:
        return UnsupportedMediaType(f"Send the body as {self.media_type} in UTF-8, without a content encoding.")


JSON = BodyFormat("application/json", parse_json)
FORM = BodyFormat("application/x-www-form-urlencoded", parse_form)
FORMATS = {each.media_type: each for each in (JSON, FORM)}

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


def max_body(size: int) -> Callable[[Endpoint], Endpoint]:
    """Return a decorator: the endpoint takes bodies of at most `size` bytes; MAX_BODY_BYTES is the limit of all."""

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.__dict__["max_body"] = size
        return endpoint

    return mark


def max_body_of(endpoint: Callable[..., Any], max_body_bytes: int) -> int:
    """Return how many bytes the body of a request to `endpoint` may have where all may have `max_body_bytes`."""
    return min(endpoint.__dict__.get("max_body", max_body_bytes), max_body_bytes)


def most_members_of(annotation: Any) -> int:  # noqa: ANN401 - any type that Pydantic validates
    """Return how many members an object may have in what is to become an `annotation`, a few unknown ones included."""
    sizes = list(_sizes(TypeAdapter(annotation).json_schema()))
    return max(sizes, default=0) + _UNKNOWN_MEMBERS


def _sizes(schema: Any) -> Iterator[int]:  # noqa: ANN401 - any part of a JSON schema
    """Yield how many members each kind of object in `schema` has."""
    if isinstance(schema, list):
        for part in schema:
            yield from _sizes(part)
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            is_closed = schema.get("additionalProperties") is False
            yield len(schema.get("properties", {})) if is_closed else MOST_MEMBERS
        for part in schema.values():
            yield from _sizes(part)
