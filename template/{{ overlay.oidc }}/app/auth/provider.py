"""The identity provider as one process knows it: its keys, kept fresh by a thread, so that no request fetches any."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition, Thread
from typing import Final

import structlog

from app.auth.discovery import ProviderError
from app.auth.signing_keys import KeySet, SigningKey
from app.core.errors import Unavailable

_log = structlog.get_logger("app.auth")
_AWAY: Final = "The identity provider cannot be reached. Try again shortly."
_BUSY: Final = "The identity provider is being asked for new keys. Try again shortly."


@dataclass(frozen=True, slots=True)
class Schedule:
    """When keys are fetched, in seconds.

    `refresh` is how often while all is well, `floor` how much lies between two fetches whatever is asked, `stale` how
    long keys are used while the provider is away, and `patience` how long a request waits for a fetch. `waiting` is how
    many requests with unknown keys may wait at once, each in a thread that others could use.
    """

    refresh: float
    floor: float
    stale: float
    patience: float
    waiting: int


class Provider:
    """Finds keys. `fetch` gets them, and blocks; `now` is a clock that only goes forward."""

    def __init__(
        self, fetch: Callable[[], KeySet], schedule: Schedule, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch = fetch
        self._schedule = schedule
        self._now = now
        self._keys = KeySet(())
        self._fetched: float | None = None
        self._attempted = float("-inf")
        self._attempts = 0
        self._waiting = 0
        self._is_wanted = False
        self._is_fetching = False
        self._is_away = False
        self._is_closed = False
        self._changed = Condition()
        self._thread: Thread | None = None

    def find(self, key_id: str | None, algorithm: str) -> SigningKey | None:
        """Return the key, None where the provider has no such key as far as is known.

        A key that is known blocks nobody. One that is not may be new: then the keys are fetched, if the last time is
        long enough ago. Blocks for at most `patience`, and only for a provider that answered when it was last asked.

        Raises:
            Unavailable: the provider was never reached, or not for so long that its keys may not be used any more; or
                as many as may wait for its new keys do already.
        """
        if self._thread is None:
            self._start()
        key = self._keys.find(key_id, algorithm)
        if key is None or not self._has_keys():
            self._ask_and_wait()
            if not self._has_keys():
                raise Unavailable(_AWAY)
            key = self._keys.find(key_id, algorithm)
        return key

    def refresh_if_due(self) -> float:
        """Fetch the keys if it is time to, and return how many seconds there are until it is. Blocks."""
        with self._changed:
            if (pause := self._pause()) > 0:
                return pause
            self._attempted, self._is_wanted, self._is_fetching = self._now(), False, True
        try:
            keys, problem = self._fetch(), ""
        except ProviderError as error:
            keys, problem = None, str(error)
        except Exception as error:  # noqa: BLE001 - whatever a provider does, the next try must take place
            keys, problem = None, repr(error)
        with self._changed:
            self._note(keys, problem)
            return self._pause()

    def forget_thread(self) -> None:
        """Go on in a process that was forked from the one in which this was made: no thread came along."""
        self._changed = Condition()
        self._thread = None
        self._waiting = 0
        self._is_fetching = False

    def close(self) -> None:
        """Fetch no more."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _start(self) -> None:
        with self._changed:
            if self._thread is None:
                self._thread = Thread(target=self._run, name="oidc-keys", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._is_closed:
            self.refresh_if_due()
            with self._changed:
                if not self._is_closed and (pause := self._pause()) > 0:
                    self._changed.wait(pause)

    def _pause(self) -> float:
        is_urgent = self._is_wanted or self._is_away
        return self._attempted + (self._schedule.floor if is_urgent else self._schedule.refresh) - self._now()

    def _note(self, keys: KeySet | None, problem: str) -> None:
        was_reached = self._fetched is not None and not self._is_away
        self._is_away = keys is None
        if keys is not None:
            if not was_reached or (self._keys.keys and not keys.keys):
                _log.info("identity provider reached", usable_keys=len(keys.keys))
            self._keys, self._fetched = keys, self._now()
        elif was_reached or self._attempts == 0:
            # Once, not for each request and each try.
            _log.error("identity provider not reached", reason=problem, keys_are_known=self._fetched is not None)
        self._is_fetching = False
        self._attempts += 1
        self._changed.notify_all()

    def _has_keys(self) -> bool:
        return self._fetched is not None and self._now() - self._fetched <= self._schedule.stale

    def _ask_and_wait(self) -> None:
        with self._changed:
            if not self._is_fetching:
                self._is_wanted = True
                self._changed.notify_all()
            is_soon = self._is_fetching or self._pause() <= 0
            late = self._now() - self._attempted if self._is_fetching else 0
            # Not for a provider that hangs: whoever makes up key ids would keep every thread waiting.
            if is_soon and not self._is_away and late < self._schedule.patience:
                self._wait(self._schedule.patience - late)

    def _wait(self, seconds: float) -> None:
        # Before there are keys, nobody's token can be checked anyway: then all may wait.
        if self._has_keys() and self._waiting >= self._schedule.waiting:
            raise Unavailable(_BUSY)
        seen = self._attempts
        self._waiting += 1
        try:
            self._changed.wait_for(lambda: self._attempts > seen or self._is_closed, seconds)
        finally:
            self._waiting -= 1
