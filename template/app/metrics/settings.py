"""Whether anything is counted. METRICS_PORT is with the other ports, in `app/core/settings.py`."""

from app.core.features import FeatureSettings


class MetricsSettings(FeatureSettings):
    """Settings of the metrics."""

    metrics_enabled: bool = True
