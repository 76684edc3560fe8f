"""Which host names the service answers under."""

import re
from collections.abc import Collection

_HOST = re.compile(r"(?P<name>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]{1,253})(:[0-9]{1,5})?")


def is_trusted(host: str, allowed: Collection[str]) -> bool:
    """Return whether a request for the `Host` header `host` is for us.

    `allowed` holds names, or `*.example.com` for every name below one; with `*` or when empty, any well-formed host is.
    """
    match = _HOST.fullmatch(host)
    if match is None:
        return False
    # With a dot at its end, a name is complete, and the same (RFC 1034, 3.1).
    name = match["name"].lower().removesuffix(".")
    if not allowed or "*" in allowed:
        return True
    return any(
        name == pattern.lower() or (pattern.startswith("*.") and name.endswith(pattern[1:].lower()))
        for pattern in allowed
    )
