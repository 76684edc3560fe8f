"""How often something may be tried: RATE_LIMIT_LOGIN, said in the fields of draft-ietf-httpapi-ratelimit-headers."""

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

from app.core import context
from app.core.about import SLUG
from app.core.errors import AppError
from app.core.settings import Settings
from app.http.clients import counted
from app.http.limited import Check

T = TypeVar("T")

_STORAGE_SECONDS: Final = 1
_log = structlog.get_logger("app.rate_limits")


class TooManyRequests(AppError):
    status, code = 429, "rate_limited"
    default = "There were too many requests. Try again after the seconds in Retry-After."


class _Counters:
    """Counts in the storage that all processes share, and in this process alone while that is away."""

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

    def clear(self, item: RateLimitItem, *key: str) -> None:
        """Begin again at none."""
        self._ask(lambda limiter: limiter.clear(item, *key))

    def _ask(self, question: Callable[[FixedWindowRateLimiter], T]) -> T:
        try:
            return question(self._shared)
        except StorageError as error:
            # Neither without limits, nor without anybody signing in.
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
    """Begin again at none, in this process."""
    _counters.cache_clear()


def per_caller(name: str) -> Check:
    """Return the check that lets a caller, or an address while the caller is not known, in at RATE_LIMIT_LOGIN."""

    def check(settings: Settings) -> None:
        current = context.current()
        caller = current.principal if current else None
        _count(settings, name, caller or counted(current.client if current else ""))

    return check


def count_account(settings: Settings, account: str) -> None:
    """Count one more attempt to sign in to `account`, wherever it comes from.

    Raises:
        TooManyRequests: there were too many since the last that succeeded.
    """
    _count(settings, "account", _hidden(account))


def forgive_account(settings: Settings, account: str) -> None:
    """Forget the attempts to sign in to `account`: its user has come in."""
    if settings.rate_limit_enabled:
        _storage(settings).clear(parse(settings.rate_limit_login), SLUG, "account", _hidden(account))


def _count(settings: Settings, name: str, key: str) -> None:
    if not settings.rate_limit_enabled:
        return
    item = parse(settings.rate_limit_login)
    is_within, remaining, reset_time = _storage(settings).hit(item, SLUG, name, key)
    # Whole seconds, after which there is room again.
    seconds = max(1, math.ceil(reset_time - time.time()))
    current = context.current()
    if current is not None:
        current.headers += [
            ("RateLimit-Policy", f'"{name}";q={item.amount};w={item.get_expiry()}'),
            ("RateLimit", f'"{name}";r={remaining};t={seconds}'),
        ]
    if not is_within:
        raise TooManyRequests(headers={"Retry-After": str(seconds)})


def _storage(settings: Settings) -> _Counters:
    return _counters(settings.rate_limit_storage_url.get_secret_value())


def _hidden(account: str) -> str:
    """Return a name for `account` that tells whoever reads the storage nothing."""
    return hashlib.sha256(account.casefold().encode()).hexdigest()
