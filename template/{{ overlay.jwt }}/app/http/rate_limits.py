"""Rate limits (RATE_LIMIT_LOGIN) and their headers (draft-ietf-httpapi-ratelimit-headers)."""

import hashlib
import math
import time
from collections.abc import Callable
from functools import cache
from typing import Final, TypeVar

import structlog
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from app.auth.addresses import folded
from app.core import context
from app.core.about import SLUG
from app.core.failures.accounts import TooManyRequests
from app.core.settings import Settings
from app.http.clients import Origin, origins
from app.http.limited import Check
from app.observability.security_log import record
from app.schemas.users import if_address

T = TypeVar("T")

_STORAGE_SECONDS: Final = 1
_LONGEST_WAIT_SECONDS: Final = 900
_REMEMBERED_SECONDS: Final = 86_400
_log = structlog.get_logger("app.rate_limits")


class _Counters:
    """Counts in the shared storage, or in this process while the storage is unavailable."""

    def __init__(self, url: str) -> None:
        options = {} if url.startswith("memory:") else dict.fromkeys(_TIMEOUTS, _STORAGE_SECONDS)
        self._shared = _limiter(url, **options)
        self._own = _limiter("memory://")

    def hit(self, item: RateLimitItem, *key: str) -> tuple[bool, int, float]:
        """Count one more; return whether it is within the limit, how many are left, and when the window ends."""

        def count(limiter: FixedWindowRateLimiter) -> tuple[bool, int, float]:
            is_within = limiter.hit(item, *key)
            window = limiter.get_window_stats(item, *key)
            return is_within, window.remaining, window.reset_time

        return self._ask(count)

    def attempt(self, free: int, first_wait: float, key: str) -> float:
        """Count one more attempt, and return 0 if it may be made, else the seconds after which one may be.

        After `free` attempts the next has to wait for `first_wait` seconds, and then for twice as long each time.
        """

        def count(limiter: FixedWindowRateLimiter) -> float:
            storage, attempts, turn = limiter.storage, *_attempts(key)
            if not storage.get(turn):
                tried = storage.incr(attempts, _REMEMBERED_SECONDS)
                wait = min(first_wait * 2 ** max(tried - free - 1, 0), _LONGEST_WAIT_SECONDS)
                # Of several concurrent attempts, only the first may proceed.
                if tried <= free or storage.incr(turn, math.ceil(wait)) == 1:
                    return 0
            return max(storage.get_expiry(turn) - time.time(), 1)

        return self._ask(count)

    def forgive(self, key: str) -> None:
        """Reset the counter."""

        def clear(limiter: FixedWindowRateLimiter) -> None:
            for name in _attempts(key):
                limiter.storage.clear(name)

        self._ask(clear)

    def _ask(self, question: Callable[[FixedWindowRateLimiter], T]) -> T:
        try:
            return question(self._shared)
        except StorageError as error:
            # Fall back to this process's own counters: limits still hold, and users can still sign in.
            _log.error("rate_limit_storage_away", reason=type(error.storage_error).__name__)
            return question(self._own)


_TIMEOUTS: Final = ("socket_timeout", "socket_connect_timeout")


def _limiter(url: str, **options: float) -> FixedWindowRateLimiter:
    storage = storage_from_string(url, wrap_exceptions=True, **options)
    if not isinstance(storage, Storage):
        raise TypeError(storage)
    # A moving window is more exact, but in memory it never forgets a key.
    return FixedWindowRateLimiter(storage)


@cache
def _counters(url: str) -> _Counters:
    return _Counters(url)


def forget() -> None:
    """Reset all counters of this process."""
    _counters.cache_clear()


def per_caller(name: str) -> Check:
    """Return a check that limits each caller, or each address without a caller, to RATE_LIMIT_LOGIN."""

    def check(settings: Settings) -> None:
        current = context.current()
        caller = current.principal if current else None
        # The widest first: the headers that remain are those of the client's own.
        for origin in [Origin(caller, 1)] if caller else reversed(_origins()):
            _count(settings, name, origin)

    return check


def count_account(settings: Settings, account: str) -> None:
    """Count one more attempt to sign in to `account` from where the current request comes from.

    Other origins are not held up by it: nobody can lock the user of an account out.

    Raises:
        TooManyRequests: there were more than RATE_LIMIT_LOGIN since the last that succeeded, and the time that each
            further one has to wait, twice as long as the one before it, is not over.
    """
    if not settings.rate_limit_enabled:
        return
    limit = parse(settings.rate_limit_login)
    for origin in _origins():
        free = limit.amount * origin.share
        wait = _storage(settings).attempt(free, limit.get_expiry() / free, _key_of(account, origin))
        if wait:
            record("authn_login_fail_max", account=if_address(account))
            raise TooManyRequests(headers={"Retry-After": str(math.ceil(wait))})


def forgive_account(settings: Settings, account: str) -> None:
    """Reset the attempts at `account` from this address, after a successful sign-in."""
    if settings.rate_limit_enabled:
        for origin in _origins():
            _storage(settings).forgive(_key_of(account, origin))


def _origins() -> list[Origin]:
    current = context.current()
    return origins(current.client if current else "")


def _count(settings: Settings, name: str, origin: Origin) -> None:
    if not settings.rate_limit_enabled:
        return
    item = parse(settings.rate_limit_login)
    item.amount *= origin.share
    is_within, remaining, reset_time = _storage(settings).hit(item, SLUG, name, origin.key)
    # Whole seconds, after which there is room again.
    seconds = max(1, math.ceil(reset_time - time.time()))
    current = context.current()
    if current is not None:
        names = {"RateLimit-Policy", "RateLimit"}
        current.headers[:] = [
            *(header for header in current.headers if header[0] not in names),
            ("RateLimit-Policy", f'"{name}";q={item.amount};w={item.get_expiry()}'),
            ("RateLimit", f'"{name}";r={remaining};t={seconds}'),
        ]
    if not is_within:
        record("excess_rate_limit_exceeded", limit=name)
        raise TooManyRequests(headers={"Retry-After": str(seconds)})


def _storage(settings: Settings) -> _Counters:
    return _counters(settings.rate_limit_storage_url.get_secret_value())


def _key_of(account: str, origin: Origin) -> str:
    """Return what attempts to sign in are counted under; whoever reads the storage learns no account from it."""
    return f"{SLUG}/account/{hashlib.sha256(folded(account).encode()).hexdigest()}/{origin.key}"


def _attempts(key: str) -> tuple[str, str]:
    """Return the names of the number of attempts, and of the turn that one of them has taken."""
    return f"{key}/attempts", f"{key}/turn"
