"""Identifiers: UUIDv7 (RFC 9562), which sort by the time they were made."""

import sys
import uuid

if sys.version_info >= (3, 14):
    from uuid import uuid7 as _uuid7
else:
    # The `compat` module returns the standard library's `uuid.UUID`; the package's own top level does not.
    from uuid_utils.compat import uuid7 as _uuid7


def new_id() -> uuid.UUID:
    """Return a new UUIDv7."""
    return _uuid7()
