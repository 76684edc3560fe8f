"""How often a call is tried, and how long that may take."""

import math
import random
import time
from collections import UserDict
from http import HTTPStatus
from typing import Final

import httpx2

from app.core import context

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""The methods that change nothing (RFC 9110, 9.2.1)."""
_IDEMPOTENT: Final = SAFE | {"PUT", "DELETE"}
_BUSY: Final = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}
_NOT_SENT: Final = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_STEPS: Final = ("pool", "connect", "write", "read")
_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 2.0
_LONGEST_ASKED_SECONDS: Final = 30.0
"""The longest `Retry-After` that is waited for, also where there is no request whose time it would use up."""

Outcome = httpx2.Response | httpx2.TransportError


class Attempts:
    """The attempts at one call, `most` at the most.

    A call is tried again if it was not sent, or if it may be sent twice: by its method (RFC 9110, 9.2.2) or with an
    `Idempotency-Key`. Between two attempts is a pause of random length, twice as long on average each time (full
    jitter), or as long as `Retry-After` says. What would not fit into the time of the request is not tried.
    """

    def __init__(self, request: httpx2.Request, most: int) -> None:
        self.made = 0
        self._request, self._most = request, most
        # Others are read while they are sent, once.
        self._is_whole = isinstance(request.stream, httpx2.ByteStream)
        self._is_safe = request.method in _IDEMPOTENT or "idempotency-key" in request.headers
        self._limits = {**dict.fromkeys(_STEPS), **request.extensions.get("timeout", {})}

    def start(self) -> None:
        """Start the next attempt, which ends with the time of the current request.

        Raises:
            RequestTimeout: it has used up its time.
        """
        context.check_deadline()
        self.made += 1
        self._request.extensions = {**self._request.extensions, "timeout": _Limits(self._limits)}

    def pause(self, outcome: Outcome) -> float | None:
        """Return after how many seconds to try again, or None if `outcome` is the last."""
        if self.made >= self._most or not self._is_whole or not self._may_help(outcome):
            return None
        seconds = _asked_for(outcome)
        if seconds is None:
            longest = min(_FIRST_PAUSE_SECONDS * 2**self.made, _LONGEST_PAUSE_SECONDS)
            seconds = random.uniform(0, longest)  # noqa: S311 - no secret
        return seconds if seconds < min(_left(), _LONGEST_ASKED_SECONDS) else None

    def _may_help(self, outcome: Outcome) -> bool:
        if isinstance(outcome, httpx2.Response):
            return self._is_safe and outcome.status_code in _BUSY
        return self._is_safe or isinstance(outcome, _NOT_SENT)


class _Limits(UserDict[str, float | None]):
    """The limit of each step in seconds, asked for when the step begins: never more than is left of the request."""

    def __getitem__(self, key: str) -> float | None:
        least = min(_or_endless(super().__getitem__(key)), _left())
        return None if least == math.inf else least


def _or_endless(limit: float | None) -> float:
    return math.inf if limit is None else limit


def _left() -> float:
    return max(context.deadline() - time.monotonic(), 0)


def _asked_for(outcome: Outcome) -> float | None:
    """Return how long the other service wants to be left alone; as a date, it is not understood."""
    value = outcome.headers.get("retry-after", "") if isinstance(outcome, httpx2.Response) else ""
    return float(value) if value.isdecimal() and value.isascii() else None
