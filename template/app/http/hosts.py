"""Which host names the service answers under."""

import re
from collections.abc import Collection

# Labels of a name have at most 63 characters, and are not empty; all of it has 254 (RFC 1035, 2.3.4).
_LABEL = r"[A-Za-z0-9_-]{1,63}"
_NAME = r"(?=[^:]{1,254}(:|$))" + _LABEL + r"(\." + _LABEL + r")*\.?"
_HOST = re.compile(r"(?P<name>\[[0-9a-fA-F:.]+\]|" + _NAME + r")(:[0-9]{1,5})?")


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
