"""What decorators declare about an endpoint. It is kept on the endpoint, and read once for each route."""

from collections.abc import Callable
from typing import Any, TypeVar

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


def declare(name: str, value: object) -> Callable[[Endpoint], Endpoint]:
    """Return a decorator that declares `name` of an endpoint to be `value`."""

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.__dict__[name] = value
        return endpoint

    return mark


def declared(endpoint: object, name: str) -> Any:  # noqa: ANN401 - of any type
    """Return what was declared as `name` of `endpoint`, or None."""
    return getattr(endpoint, "__dict__", {}).get(name)
