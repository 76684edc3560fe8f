"""What was counted so far."""

from prometheus_client import REGISTRY


def value_of(sample: str, **labels: str) -> float:
    """Return the value of a sample, or 0 while there is none."""
    return REGISTRY.get_sample_value(sample, labels) or 0.0
