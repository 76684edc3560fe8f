"""Conditional requests (RFC 9110, 13): headers in, `Precondition` out."""

import re
from collections.abc import Sequence

from app.core.preconditions import ANY, Precondition

# A tag, or else whatever stands up to the next comma.
_ITEM = re.compile(r'[ \t]*(?P<weak>W/)?(?P<tag>"[\x21\x23-\x7e\x80-\xff]*")[ \t]*(?:,|$)|[^,]*(?:,|$)')
_UNUSABLE = ""


def _tags(headers: Sequence[str], *, weak: bool) -> frozenset[str]:
    """Return the entity tags in `headers`; what is none becomes a tag that no version has."""
    if not headers:
        return frozenset()
    value = ",".join(headers).strip(" \t")
    if value == ANY:
        return frozenset({ANY})
    found = _ITEM.finditer(value)
    return frozenset(item["tag"] if item["tag"] and (weak or not item["weak"]) else _UNUSABLE for item in found)


def precondition(if_match: Sequence[str], if_none_match: Sequence[str]) -> Precondition:
    """Return what a request with these header values requires of the resource that it changes."""
    return Precondition(_tags(if_match, weak=False), _tags(if_none_match, weak=True))


def is_unchanged(if_none_match: Sequence[str], tag: str) -> bool:
    """Return whether a client that sent `if_none_match` already holds the representation `tag` (so: 304)."""
    return bool(_tags(if_none_match, weak=True) & {tag, ANY})
