"""Endpoints that may be called only so often: each names the check that counts its calls."""

from collections.abc import Callable
from typing import Any, TypeVar

from app.core.settings import Settings

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


Check = Callable[[Settings], None]
"""Counts a call, or raises that there were too many. It may block."""


def limited(check: Check) -> Callable[[Endpoint], Endpoint]:
    """Return a decorator: calls are counted by `check` once the caller is known, and before the body is read."""

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.__dict__["limit"] = check
        return endpoint

    return mark


def limit_of(endpoint: Callable[..., Any]) -> Check | None:
    """Return what `limited` said of `endpoint`."""
    return endpoint.__dict__.get("limit")
