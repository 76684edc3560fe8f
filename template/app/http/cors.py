"""Cross-origin requests (the Fetch standard): closed unless CORS_ORIGINS opens it."""

from collections.abc import Collection

_EXPOSED = "ETag, Idempotent-Replayed, Link, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-ID"
_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"


def cors_headers(
    allowed: Collection[str], origin: str | None, *, preflight_for: str | None = None
) -> list[tuple[str, str]]:
    """Return the headers that let a page of `origin` read the answer; none where it may not.

    `preflight_for` is the value of `Access-Control-Request-Headers` in a preflight request. Credentials are never
    allowed: this service does not use cookies.
    """
    if not allowed:
        return []
    if origin is None or not (origin in allowed or "*" in allowed):
        return [("Vary", "Origin")]
    headers = [
        ("Access-Control-Allow-Origin", "*" if "*" in allowed else origin),
        ("Access-Control-Expose-Headers", _EXPOSED),
        ("Vary", "Origin"),
    ]
    if preflight_for is not None:
        headers += [
            ("Access-Control-Allow-Methods", _METHODS),
            ("Access-Control-Allow-Headers", preflight_for or "Content-Type"),
            ("Access-Control-Max-Age", "600"),
        ]
    return headers
