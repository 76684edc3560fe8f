"""Callers that were identified a moment ago: for AUTH_SESSION_CACHE_SECONDS, the database is not asked for them."""

import hashlib
import time
from functools import cache
from threading import Lock
from typing import Final, NamedTuple

from app.auth.principal import Principal
from app.core import clock

_MOST: Final = 10_000
"""How many a process keeps; then those that it has had for longest go."""


class _Kept(NamedTuple):
    principal: Principal
    until: float


class RecentCallers:
    """Callers by the hash of their access token. What they may do, and whether they may, can be `seconds` old."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._kept: dict[bytes, _Kept] = {}
        self._lock = Lock()

    def find(self, token: str) -> Principal | None:
        """Return whose token it is, if that was found out a moment ago and the token is still valid."""
        kept = self._kept.get(_digest(token))
        return kept.principal if kept is not None and time.monotonic() < kept.until else None

    def keep(self, token: str, principal: Principal, expires_at: int) -> None:
        """Remember whose token it is, until that time of the clock (Unix seconds) at the most."""
        seconds = min(self._seconds, expires_at - clock.now().timestamp())
        now = time.monotonic()
        with self._lock:
            # Those that were kept first end first, but for tokens that expire sooner.
            while self._kept and (len(self._kept) >= _MOST or next(iter(self._kept.values())).until <= now):
                del self._kept[next(iter(self._kept))]
            key = _digest(token)
            self._kept.pop(key, None)
            self._kept[key] = _Kept(principal, now + seconds)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


@cache
def recent_callers(seconds: float) -> RecentCallers:
    """Return those of this process."""
    return RecentCallers(seconds)
