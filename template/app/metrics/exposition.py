"""All metrics as text: in the format of Prometheus, or in that of OpenMetrics, which has exemplars."""

from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    REGISTRY,
    CollectorRegistry,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.openmetrics import exposition as openmetrics

from app.metrics import processes

_OPEN_METRICS = "application/openmetrics-text"

# They would double the counters, and nobody asks when one was first counted.
disable_created_metrics()


def exposition(accept: str) -> tuple[bytes, str]:
    """Return all metrics, those of all workers together, and their media type, which `accept` chooses."""
    registry = _registry()
    if _OPEN_METRICS in accept:
        return openmetrics.generate_latest(registry), openmetrics.CONTENT_TYPE_LATEST
    return generate_latest(registry), CONTENT_TYPE_PLAIN_0_0_4


def _registry() -> CollectorRegistry:
    if not processes.is_shared():
        return REGISTRY
    for process in processes.processes_that_ended():
        # What it had under way or open is no more. What it has counted stays.
        mark_process_dead(process)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return registry
