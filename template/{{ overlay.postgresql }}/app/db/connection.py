"""Connections that wait for their server no longer than the work may take.

A firewall or a failover can drop a connection without a word. It then looks like one whose server is busy, and libpq
waits for it without end: the server's own limits of time do not reach the client.
"""

import math
import time
from typing import Any, TypeVar

from psycopg import Connection, OperationalError
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

from app.core import context

T = TypeVar("T")

_INTERVAL_SECONDS = 0.1
# In this time the server can say itself that a statement took too long, which leaves the connection as it was.
_GRACE_SECONDS = 1.0


class BoundedConnection(Connection[Any]):
    """A connection that is closed when its server has been silent for too long.

    A request waits until its deadline. All else waits `seconds` for each answer, or without end where that is None.
    """

    seconds: float | None = None

    def wait(self, gen: PQGen[T], interval: float = _INTERVAL_SECONDS, timeout: float | None = None) -> T:
        """Return what `gen` does.

        Raises:
            OperationalError: the server refused, or did not answer in time, which closes the connection.
        """
        limits = [timeout, self._seconds_left()]
        try:
            return super().wait(gen, interval, min((each for each in limits if each is not None), default=None))
        except OperationalError:
            # The answer may still come, to whoever asks next.
            if self.info.transaction_status is TransactionStatus.ACTIVE:
                self.close()
            raise

    def _seconds_left(self) -> float | None:
        request = context.current()
        if request is not None and math.isfinite(request.deadline):
            return max(0.0, request.deadline - time.monotonic()) + _GRACE_SECONDS
        return self.seconds + _GRACE_SECONDS if self.seconds is not None else None
