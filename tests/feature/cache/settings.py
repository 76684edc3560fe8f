"""Where the cache is."""

from pydantic import Field, SecretStr

from app.core.features import FeatureSettings


class CacheSettings(FeatureSettings):
    """What an operator can set about the cache."""

    cache_url: SecretStr | None = None
    cache_seconds: int = Field(default=60, ge=1)
