"""Counts requests for coroutines."""

from functools import partial

from anyio import CapacityLimiter, to_thread

from app.core.settings import Settings
from app.http.contract import Contract
from app.http.limited import blocks

_THREADS = 20


class AsyncCounting:
    """Counts against the limits of routes, in threads of its own: what waits for the counters holds up nothing else."""

    def __init__(self) -> None:
        self._threads = CapacityLimiter(_THREADS)

    async def check(self, contract: Contract, method: str, settings: Settings) -> None:
        """Count the current request; see `Contract.check_limits`.

        Raises:
            TooManyRequests: a limit of the route is exceeded.
        """
        if blocks(settings) and contract.is_limited(method):
            await to_thread.run_sync(partial(contract.check_limits, method, settings), limiter=self._threads)
        else:
            # Some microseconds.
            contract.check_limits(method, settings)
