"""Request bodies: JSON as RFC 8259 has it, read more strictly than Python's `json` does by default."""

import json
from collections.abc import Sequence
from email.message import Message
from typing import Any

from app.core.errors import Detail, Invalid, MalformedBody, UnsupportedMediaType


class _NotPlain(ValueError):
    """JSON that two readers could understand differently: (code, message)."""


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
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


def require_json(content_type: Sequence[str], content_encoding: Sequence[str]) -> None:
    """Do nothing if a body so described is one that this service reads.

    Raises:
        UnsupportedMediaType: it is not `application/json`, not UTF-8, or encoded (RFC 9110, 15.5.16).
    """
    if len(content_type) != 1 or any(coding.strip().lower() != "identity" for coding in content_encoding):
        raise UnsupportedMediaType
    message = Message()
    message["content-type"] = content_type[0]
    charset = message.get_param("charset", "utf-8")
    if message.get_content_type() != "application/json" or str(charset).lower() not in {"utf-8", "utf8"}:
        raise UnsupportedMediaType


def parse_json(body: bytes) -> Any:  # noqa: ANN401 - whatever the client sent
    """Return the value that `body` spells.

    Raises:
        MalformedBody: it is not JSON in UTF-8 (a byte order mark is not allowed either).
        Invalid: it is JSON that readers disagree about: duplicate keys, NaN, Infinity, lone surrogates.
    """
    try:
        text = body.decode("utf-8")
        value = json.loads(
            text,
            object_pairs_hook=_without_duplicates,
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
