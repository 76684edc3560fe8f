"""The decorator that limits how often an endpoint is called, and the limits of those that have none."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from app.auth.policy import name_of
from app.auth.scheme import SECURITY_SCHEMES
from app.core.errors import RouteError
from app.core.settings import Settings
from app.http.declared import Endpoint, declare, declared
from app.limits.counters import is_memory
from app.limits.limit import WRITES, Limit, count_call
from app.limits.rates import quota

_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_WRITING: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def limited(name: str, rate: str | Callable[[Settings], str]) -> Callable[[Endpoint], Endpoint]:
    """Return a decorator: each caller, or each address without one, may call the endpoint at this rate, `10/minute`.

    `rate` may be a function of the settings instead. Endpoints with one name and rate share the count. What is limited
    in this way does not count as a write (RATE_LIMIT_WRITES). Several of them all hold, the upper ones first.
    """
    limit = Limit(name, (lambda _: rate) if isinstance(rate, str) else rate)

    def mark(endpoint: Endpoint) -> Endpoint:
        if not _NAME.fullmatch(name):
            raise RouteError(
                f"{name_of(endpoint)} has a limit called {name!r}: write 1 to 64 lower-case letters, digits, _ and -."
            )
        if isinstance(rate, str):
            _require_rate(name_of(endpoint), name, rate)
        return declare("limits", (limit, *limits_of(endpoint)))(endpoint)

    return mark


def require_rates(route: object, limits: Iterable[Limit], settings: Settings) -> None:
    """Check that the `limits` of a route are rates with these settings.

    Raises:
        RouteError: one is not, or is of a setting that there is not.
    """
    for limit in limits:
        try:
            rate = limit.rate_of(settings)
        except (AttributeError, TypeError) as error:
            raise RouteError(f"{route} has a limit {limit.name!r} without a rate: {error}.") from error
        _require_rate(route, limit.name, rate)


def _require_rate(route: object, name: str, rate: str) -> None:
    try:
        quota(rate)
    except (TypeError, ValueError) as error:
        raise RouteError(f"{route} has a limit {name!r} of {rate!r}: {error}.") from None


def limits_of(endpoint: object) -> tuple[Limit, ...]:
    """Return the limits that `endpoint` declares."""
    found: tuple[Limit, ...] = declared(endpoint, "limits") or ()
    return found


def limits_on(method: str, own: Sequence[Limit]) -> Sequence[Limit]:
    """Return the limits of a route: its `own`, or else that of all writes if its method is one of them."""
    return own or ((WRITES,) if method in _WRITING else ())


def count_request(limits: Sequence[Limit], settings: Settings) -> None:
    """Count the current request, whose caller is known if there is one. Blocks if `blocks(settings)`.

    Raises:
        TooManyRequests: one of the limits is exceeded.
    """
    # Without authentication all callers have one name.
    count_call(limits, settings, by_caller=bool(SECURITY_SCHEMES))


def blocks(settings: Settings) -> bool:
    """Return whether counting waits for another server."""
    return settings.rate_limit_enabled and not is_memory(settings.rate_limit_storage_url.get_secret_value())
