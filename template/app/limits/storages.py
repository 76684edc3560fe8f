"""Where calls are counted: in the memory of this process, or in Redis or Valkey for many."""

import time
from threading import Lock
from typing import Any, Final, NamedTuple, Protocol, cast

_MOST_COUNTERS: Final = 100_000
"""How many counters a process keeps, some 30 MB; with more, those that began first are dropped."""
_KEPT: Final = _MOST_COUNTERS * 9 // 10
_SECONDS_TO_ANSWER: Final = 0.5

# One round trip; a counter that was made without an end would stay for ever.
_COUNT: Final = """
local number = redis.call('INCR', KEYS[1])
if number == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {number, redis.call('PTTL', KEYS[1])}
"""


class StorageAway(Exception):
    """The server does not answer, or not as it should; its text is the kind of failure, without any secret."""


class Count(NamedTuple):
    """How often something was counted, and the seconds until that begins anew."""

    number: int
    seconds_left: float


class Storage(Protocol):
    """Counters, each of which begins anew when its time is over."""

    def count(self, key: str, seconds: float) -> Count:
        """Count one more; the time of `seconds` begins with the first.

        Raises:
            StorageAway: the server does not answer.
        """

    def seconds_left(self, key: str) -> float:
        """Return how long the counter is still kept, 0 if there is none.

        Raises:
            StorageAway: the server does not answer.
        """

    def clear(self, *keys: str) -> None:
        """Remove counters.

        Raises:
            StorageAway: the server does not answer.
        """


class Memory:
    """Counters of this process."""

    def __init__(self) -> None:
        # In the order in which they began. Each has its number and its end.
        self._counters: dict[str, tuple[int, float]] = {}
        self._lock = Lock()

    def count(self, key: str, seconds: float) -> Count:
        now = time.time()
        with self._lock:
            number, end = self._counters.get(key, (0, 0.0))
            if end <= now:
                number, end = 0, now + seconds
                self._counters.pop(key, None)
                self._make_room(now)
            self._counters[key] = (number + 1, end)
        return Count(number + 1, end - now)

    def seconds_left(self, key: str) -> float:
        with self._lock:
            _, end = self._counters.get(key, (0, 0.0))
        return max(end - time.time(), 0)

    def clear(self, *keys: str) -> None:
        with self._lock:
            for key in keys:
                self._counters.pop(key, None)

    def _make_room(self, now: float) -> None:
        """Drop what is over, and then what began first: seldom, and many at once."""
        if len(self._counters) < _MOST_COUNTERS:
            return
        current = [item for item in self._counters.items() if item[1][1] > now]
        self._counters = dict(current[-_KEPT:])


class Shared:
    """Counters in Redis or Valkey."""

    def __init__(self, url: str) -> None:
        """Get ready to ask the server; it is connected to when first asked.

        Raises:
            ValueError, TypeError: there is no such URL, or no such option in it.
        """
        # Not at the top: it is slow to import, and most processes do without.
        from redis import Redis, RedisError  # noqa: PLC0415
        from redis.backoff import NoBackoff  # noqa: PLC0415
        from redis.retry import Retry  # noqa: PLC0415

        self._client = Redis.from_url(
            _as_redis(url),
            socket_timeout=_SECONDS_TO_ANSWER,
            socket_connect_timeout=_SECONDS_TO_ANSWER,
            # Once more, and at once: the server may have closed a connection that was idle.
            retry=Retry(NoBackoff(), 1),
        )
        self._failures = (RedisError, OSError)
        # Nothing is sent yet, but unknown options are found.
        self._client.connection_pool.make_connection()
        self._script = self._client.register_script(_COUNT)

    def count(self, key: str, seconds: float) -> Count:
        number, milliseconds = self._asked(self._script, [key], [round(seconds * 1000)])
        return Count(number, milliseconds / 1000)

    def seconds_left(self, key: str) -> float:
        return max(cast("int", self._asked(self._client.pttl, key)) / 1000, 0)

    def clear(self, *keys: str) -> None:
        self._asked(self._client.delete, *keys)

    def _asked(self, command: Any, *arguments: Any) -> Any:  # noqa: ANN401 - a command of the client
        try:
            return command(*arguments)
        except self._failures as error:
            raise StorageAway(type(error).__name__) from error


def _as_redis(url: str) -> str:
    """Return `url` as the client knows it: Valkey speaks as Redis does."""
    scheme, _, rest = url.partition("://")
    known = "unix" if scheme.endswith("unix") else scheme.replace("valkey", "redis")
    return f"{known}://{rest}"
