"""The counters of a service, also while their storage is away."""

import time
from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import Final, TypeVar

import structlog
from prometheus_client import Counter

from app.core.settings import Settings
from app.limits.storages import Memory, Shared, Storage, StorageAway

T = TypeVar("T")

FAILED: Final = Counter("rate_limit_storage_failures_total", "Times that the storage of the counters did not answer.")
UNASKED: Final = Counter("rate_limit_storage_unasked_total", "Times that it was not asked: it had just been away.")

_PAUSE_SECONDS: Final = 5
"""How long the storage is not asked after it was away, so that requests are not slowed down one by one."""
_log = structlog.get_logger("app.limits")


class Counters:
    """Counts in the storage that RATE_LIMIT_STORAGE_URL names, and in this process while that is away.

    `failures` says how often the storage was asked and did not answer, and `unasked` how often it was not even asked
    because it had just been away.
    """

    def __init__(self, url: str) -> None:
        """Get ready to count.

        Raises:
            ValueError, TypeError: there is no such URL, or no such option in it.
        """
        self.failures = 0
        self.unasked = 0
        self._own = Memory()
        self._storage: Storage = self._own if is_memory(url) else Shared(url)
        self._lock = Lock()
        self._is_away = False
        self._ask_again_at = 0.0

    def ask(self, question: Callable[[Storage], T]) -> T:
        """Return what the storage answers to `question`.

        Raises:
            StorageAway: it is away.
        """
        if self._storage is self._own:
            return question(self._own)
        self._require_turn()
        try:
            answer = question(self._storage)
        except StorageAway as away:
            self._note(away)
            raise
        if self._is_away:
            self._note(None)
        return answer

    def ask_anyway(self, question: Callable[[Storage], T]) -> T:
        """Return what the storage answers to `question`, or what this process knows itself while that is away."""
        try:
            return self.ask(question)
        except StorageAway:
            return question(self._own)

    def _require_turn(self) -> None:
        """Let every call ask the storage, but one every few seconds while it is away."""
        if not self._is_away:
            return
        with self._lock:
            now = time.monotonic()
            if self._is_away and now < self._ask_again_at:
                self.unasked += 1
                UNASKED.inc()
                raise StorageAway
            self._ask_again_at = now + _PAUSE_SECONDS

    def _note(self, away: StorageAway | None) -> None:
        """Note whether the storage has answered, and log it when that has changed."""
        with self._lock:
            was_away, self._is_away = self._is_away, away is not None
            if away is not None:
                self.failures += 1
                FAILED.inc()
                self._ask_again_at = time.monotonic() + _PAUSE_SECONDS
        if away is not None and not was_away:
            _log.error("rate_limit_storage_away", reason=str(away))
        elif away is None and was_away:
            _log.info("rate_limit_storage_back", failures=self.failures, unasked=self.unasked)


def is_memory(url: str) -> bool:
    """Return whether what this URL names is the memory of the process, which answers at once."""
    return url.startswith("memory:")


@cache
def _counters(url: str) -> Counters:
    return Counters(url)


def counters(settings: Settings) -> Counters:
    """Return the counters of this process for `settings`."""
    return _counters(settings.rate_limit_storage_url.get_secret_value())


def forget() -> None:
    """Reset all counters of this process."""
    _counters.cache_clear()
