"""Cursors for keyset pagination: opaque, URL-safe, bound to the list that they were made for."""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

from app.core.errors import InvalidCursor

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
_DIGEST_BYTES = 12
# The longest text to sort by and the id of its row fit, and the head of a request has room for it.
_MAX_LENGTH = 10_000


def _digest(payload: bytes, scope: Sequence[str]) -> bytes:
    return hashlib.blake2b(json.dumps(list(scope)).encode() + payload, digest_size=_DIGEST_BYTES).digest()


def encode_cursor(values: Sequence[str], scope: Sequence[str]) -> str:
    """Return the cursor that points after the row with the sort key `values` in the list that `scope` identifies.

    `scope` is the caller, the sort and the filters. The digest makes sure that a cursor is only used where it was
    made; it is no secret and guards nothing: what a caller may see is decided in the query.
    """
    payload = json.dumps(list(values), separators=(",", ":")).encode()
    return urlsafe_b64encode(_digest(payload, scope) + payload).rstrip(b"=").decode()


def decode_cursor(cursor: str, scope: Sequence[str]) -> list[str]:
    """Return the sort key that `cursor` points after.

    Raises:
        InvalidCursor: it was forged, cut, or made for another caller, sort or filter.
    """
    if len(cursor) > _MAX_LENGTH:
        raise InvalidCursor
    try:
        raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        digest, payload = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
        values = json.loads(payload) if digest == _digest(payload, scope) else None
    except (ValueError, RecursionError):
        raise InvalidCursor from None
    # Anybody can compute the digest, so the payload may still be anything.
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise InvalidCursor
    if encode_cursor(values, scope) != cursor:
        raise InvalidCursor
    return values
