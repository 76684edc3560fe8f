"""The decorator that rate-limits an endpoint."""

from collections.abc import Callable

from app.core.settings import Settings
from app.http.declared import Endpoint, declare

Check = Callable[[Settings], None]
"""Counts a call, or raises that there were too many. It may block."""


def limited(check: Check) -> Callable[[Endpoint], Endpoint]:
    """Return a decorator: calls are counted by `check` once the caller is known, and before the body is read."""
    return declare("limit", check)
