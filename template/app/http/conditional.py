"""Conditional requests (RFC 9110, 13): headers in, `Precondition` out."""

import re
from collections.abc import Sequence

from app.core.preconditions import ANY, Precondition

_TAG = re.compile(r'\s*(?P<weak>W/)?(?P<tag>"[\x21\x23-\x7e\x80-\xff]*")\s*(?:,|$)')


def _tags(headers: Sequence[str], *, weak: bool) -> frozenset[str]:
    """Return the entity tags in `headers`; a header without a usable one is a set that matches nothing."""
    if not headers:
        return frozenset()
    value = ",".join(headers)
    if value.strip() == ANY:
        return frozenset({ANY})
    return frozenset({m["tag"] for m in _TAG.finditer(value) if weak or not m["weak"]} | {""})


def precondition(if_match: Sequence[str], if_none_match: Sequence[str]) -> Precondition:
    """Return what a request with these header values requires of the resource that it changes."""
    return Precondition(_tags(if_match, weak=False), _tags(if_none_match, weak=True))


def is_unchanged(if_none_match: Sequence[str], tag: str) -> bool:
    """Return whether a client that sent `if_none_match` already holds the representation `tag` (so: 304)."""
    return bool(_tags(if_none_match, weak=True) & {tag, ANY})
