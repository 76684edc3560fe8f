"""Request bodies: JSON (RFC 8259) and forms, read more strictly than Python does by default."""

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from email.message import Message
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

from pydantic import TypeAdapter

from app.core.errors import Detail, Invalid, MalformedBody, UnsupportedMediaType
from app.http.declared import Endpoint, declare

MOST_MEMBERS = 10_000
"""The most members of an object whose schema names no fields."""
MOST_ITEMS = 10_000
"""The most elements in all arrays of a body, unless its schema allows more in one array."""
_OBJECTS_PER_ITEM = 5
_LONGEST_CONTENT_TYPE = 256
_UNKNOWN_MEMBERS = 20
_NO_FORM = "The body is not a form in UTF-8."
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class _NotPlain(ValueError):
    """JSON that two readers could understand differently: (code, message)."""


def _object(pairs: list[tuple[str, Any]], most_members: int) -> dict[str, Any]:
    if len(pairs) > most_members:
        raise _NotPlain("too_many_fields", "An object has too many fields.")
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _NotPlain("duplicate_key", "An object has the same key twice.")
    return members


def _no_constant(name: str) -> float:
    raise _NotPlain("not_finite", f"{name} is not a number in JSON.")


def parse_json(body: bytes, most_members: int = MOST_MEMBERS, most_items: int = MOST_ITEMS) -> Any:  # noqa: ANN401 - whatever the client sent
    """Return the value that `body` spells.

    Raises:
        MalformedBody: it is not JSON in UTF-8 (a byte order mark is not allowed either).
        Invalid: it is JSON that readers disagree about (duplicate keys, NaN, Infinity, lone surrogates), an object
            has more than `most_members`, or the arrays have more than `most_items`: to say of each what is wrong with
            it would cost more than to read a valid body.
    """
    try:
        text = body.decode("utf-8")
        if sum(map(text.count, ",[{")) > most_items:
            # What has too much is refused before Python code looks at each object.
            _require_few(json.loads(text, parse_constant=_no_constant), most_members, most_items)
        hook = partial(_object, most_members=most_members)
        value = json.loads(text, object_pairs_hook=hook, parse_constant=_no_constant)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except _NotPlain as error:
        code, message = error.args
        raise Invalid(details=[Detail("body", code, message)]) from None
    except UnicodeEncodeError:
        raise Invalid(details=[Detail("body", "lone_surrogate", "A string contains a lone surrogate.")]) from None
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        raise MalformedBody from None
    except ValueError:
        # Python refuses to parse integers of thousands of digits; RFC 8259 lets a reader set such a limit.
        raise Invalid(details=[Detail("body", "number_too_large", "A number has too many digits.")]) from None
    return value


def _require_few(value: Any, most_members: int, most_items: int) -> None:  # noqa: ANN401 - whatever was sent
    """Raise `_NotPlain` if `value` has more than is allowed, without looking at the rest of it."""
    items, objects, left = 0, 0, [value]
    while left:
        part = left.pop()
        if isinstance(part, list):
            items += len(part)
            if items > most_items:
                raise _NotPlain("too_many_items", "The arrays have too many elements in total.")
            left.extend(each for each in part if isinstance(each, list | dict))
        elif isinstance(part, dict):
            objects += 1
            if len(part) > most_members or objects > _OBJECTS_PER_ITEM * most_items:
                raise _NotPlain("too_many_fields", "The objects have too many fields.")
            left.extend(each for each in part.values() if isinstance(each, list | dict))


def parse_form(body: bytes, most_members: int = MOST_MEMBERS, _most_items: int = MOST_ITEMS) -> dict[str, str]:
    """Return the fields of an `application/x-www-form-urlencoded` body (the URL standard, 5.1).

    Raises:
        MalformedBody: it is not a form in UTF-8.
        Invalid: a field is repeated, or there are more than `most_members`.
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
    """A format of bodies: its media type and its parser. Without a parser, the framework parses the body."""

    media_type: str
    parse: Callable[[bytes, int, int], Any] | None = None

    def is_of(self, content_type: Sequence[str], content_encoding: Sequence[str]) -> bool:
        """Return whether a body so described is in this format, in UTF-8 and not encoded (RFC 9110, 15.5.16)."""
        if len(content_type) != 1 or any(coding.strip().lower() != "identity" for coding in content_encoding):
            return False
        if len(content_type[0]) > _LONGEST_CONTENT_TYPE:
            # Older versions of Python take a second for one of 30 KB.
            return False
        message = Message()
        message["content-type"] = content_type[0]
        charset = message.get_param("charset", "utf-8")
        return message.get_content_type() == self.media_type and str(charset).lower() in {"utf-8", "utf8"}

    def refusal(self) -> UnsupportedMediaType:
        """Return the failure that asks for this format."""
        return UnsupportedMediaType(f"Send the body as {self.media_type} in UTF-8, without a content encoding.")


JSON = BodyFormat("application/json", parse_json)
FORM = BodyFormat("application/x-www-form-urlencoded", parse_form)


def max_body(size: int) -> Callable[[Endpoint], Endpoint]:
    """Return a decorator: the endpoint takes bodies of at most `size` bytes, whatever MAX_BODY_BYTES says of others."""
    return declare("max_body", size)


class Sizes(NamedTuple):
    """How many members an object may have, a few unknown ones included, and how many elements all arrays together."""

    members: int
    items: int


def sizes_of(annotation: Any) -> Sizes:  # noqa: ANN401 - any type that Pydantic validates
    """Return the sizes of what is to become an `annotation`, as its JSON schema says."""
    members, items, left = 0, MOST_ITEMS, [TypeAdapter(annotation).json_schema()]
    while left:
        part: Any = left.pop()
        if isinstance(part, dict):
            if part.get("type") == "object":
                is_closed = part.get("additionalProperties") is False
                members = max(members, len(part.get("properties", {})) if is_closed else MOST_MEMBERS)
            if isinstance(part.get("maxItems"), int):
                items = max(items, part["maxItems"])
            left.extend(part.values())
        elif isinstance(part, list):
            left.extend(part)
    return Sizes(members + _UNKNOWN_MEMBERS, items)
