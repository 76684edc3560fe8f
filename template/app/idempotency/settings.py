"""Settings of idempotency keys."""

from pydantic import Field

from app.core.features import FeatureSettings


class IdempotencySettings(FeatureSettings):
    """How long answers are kept for requests that are sent again."""

    idempotency_key_seconds: int = Field(default=86_400, ge=60)
