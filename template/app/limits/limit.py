"""What is counted, and what a client is told about it (draft-ietf-httpapi-ratelimit-headers)."""

import math
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from prometheus_client import Counter

from app.core import context
from app.core.about import SLUG
from app.core.failures.limits import TooManyRequests
from app.core.settings import Settings
from app.limits.clients import Origin, origins_of
from app.limits.counters import Counters, counters
from app.limits.rates import Quota, quota
from app.limits.storages import Count, StorageAway
from app.observability.security_log import record

REFUSED: Final = Counter("rate_limit_refused_total", "Requests that exceeded a limit.", ["limit"])


class Limit(NamedTuple):
    """A limit for each caller, or for each address where callers are not known.

    Routes with limits of one name and rate have one count. `holds_always` says that this process counts on its own
    while the storage of the counters is away; else calls are then let through.
    """

    name: str
    rate_of: Callable[[Settings], str]
    holds_always: bool = True


WRITES: Final = Limit("writes", lambda settings: settings.rate_limit_writes, holds_always=False)
"""Holds for every route that writes and has no limit of its own."""


class _Usage(NamedTuple):
    """What is left of a limit."""

    name: str
    quota: Quota
    number: int
    seconds: int

    @property
    def left(self) -> int:
        return self.quota.amount - self.number

    @property
    def is_exceeded(self) -> bool:
        return self.left < 0

    @property
    def policy(self) -> str:
        return f'"{self.name}";q={self.quota.amount};w={self.quota.seconds}'

    @property
    def rest(self) -> str:
        return f'"{self.name}";r={max(self.left, 0)};t={self.seconds}'


def count_call(limits: Sequence[Limit], settings: Settings, *, by_caller: bool) -> None:
    """Count the current request, by its caller if there is one and `by_caller`, and tell its client what is left.

    It blocks, unless the counters are in the memory of this process.

    Raises:
        TooManyRequests: one of the limits is exceeded; those after it have not been counted.
    """
    current = context.current()
    if current is None or not settings.rate_limit_enabled:
        # Without the middleware, nothing tells one client from another.
        return
    caller = current.principal if by_caller else None
    origins = [("caller", Origin(caller, 1))] if caller else _networks(current.client)
    found: list[_Usage] = []
    for limit in limits:
        usage = _count(limit, settings, origins)
        if usage is not None:
            found.append(usage)
            if usage.is_exceeded:
                break
    if found:
        current.headers.append(("RateLimit-Policy", ", ".join(usage.policy for usage in found)))
        current.headers.append(("RateLimit", ", ".join(usage.rest for usage in found)))
    if found and found[-1].is_exceeded:
        record("excess_rate_limit_exceeded", limit=found[-1].name)
        raise refusal(found[-1].name, found[-1].seconds)


def refusal(limit: str, seconds: int) -> TooManyRequests:
    """Return the error of a request that exceeds a limit, which is counted; it may be sent again after `seconds`."""
    REFUSED.labels(limit).inc()
    return TooManyRequests(headers={"Retry-After": str(seconds)})


def _networks(client: str) -> list[tuple[str, Origin]]:
    """Return where `client` calls from, the narrowest first: what that refuses is not counted for its neighbours."""
    return [("address", origin) for origin in origins_of(client)]


def _count(limit: Limit, settings: Settings, origins: Sequence[tuple[str, Origin]]) -> _Usage | None:
    """Return what is left of `limit` after one more call, where that is least; None if it cannot be counted."""
    allowed = quota(limit.rate_of(settings))
    least = None
    for kind, origin in origins:
        most = allowed._replace(amount=allowed.amount * origin.share)
        key = f"{SLUG}/{limit.name}/{most.amount}/{most.seconds}/{kind}/{origin.key}"
        counted = _counted(counters(settings), limit, key, most.seconds)
        if counted is None:
            return None
        # Whole seconds, after which there is room again.
        usage = _Usage(limit.name, most, counted.number, max(math.ceil(counted.seconds_left), 1))
        if least is None or usage.left < least.left:
            least = usage
        if usage.is_exceeded:
            break
    return least


def _counted(found: Counters, limit: Limit, key: str, seconds: int) -> Count | None:
    if limit.holds_always:
        return found.ask_anyway(lambda storage: storage.count(key, seconds))
    try:
        return found.ask(lambda storage: storage.count(key, seconds))
    except StorageAway:
        return None
