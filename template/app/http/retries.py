"""Requests that may be sent again with the same `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header)."""

import re
from collections.abc import Sequence

from app.core.errors import Detail, Invalid
from app.http.declared import Endpoint, declare

KEY = r"[\x21-\x7E]{1,255}"
"""A pattern for keys."""

_MALFORMED = Detail("Idempotency-Key", "malformed", "Send one key of 1 to 255 visible ASCII characters.")


def never_stored(endpoint: Endpoint) -> Endpoint:
    """Declare that the answers of `endpoint` hold a secret and are stored nowhere: it takes no `Idempotency-Key`."""
    return declare("never_stored", value=True)(endpoint)


def check_key(sent: Sequence[str]) -> None:
    """Check the lines of the header `Idempotency-Key`.

    Raises:
        Invalid: there are several, or it cannot be a key.
    """
    if sent and (len(sent) > 1 or not re.fullmatch(KEY, sent[0])):
        raise Invalid(details=[_MALFORMED])
