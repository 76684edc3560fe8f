"""How many connections the pools have, for /metrics."""

from typing import Final

from prometheus_client import Gauge
from sqlalchemy import Engine, event

CONNECTIONS: Final = Gauge(
    "db_pool_connections",
    "Open connections to the database, by what they are for and whether a request has them.",
    ["pool", "state"],
    multiprocess_mode="livesum",
)
MOST: Final = Gauge(
    "db_pool_connections_max",
    "Connections to the database that may be open at once.",
    ["pool"],
    multiprocess_mode="livesum",
)


def watch_pool(engine: Engine, name: str, size: int) -> None:
    """Count the connections of `engine`, `size` at most, as those of the pool `name`."""
    idle, in_use = CONNECTIONS.labels(name, "idle"), CONNECTIONS.labels(name, "in_use")

    def opened(*_: object) -> None:
        # Not before: the parent of several workers has pools, too, and never connects.
        MOST.labels(name).set(size)
        idle.inc()

    def closed(*_: object) -> None:
        idle.dec()

    def taken(*_: object) -> None:
        idle.dec()
        in_use.inc()

    def returned(*_: object) -> None:
        in_use.dec()
        idle.inc()

    for happening, listener in {"connect": opened, "close": closed, "checkout": taken, "checkin": returned}.items():
        event.listen(engine, happening, listener)
