"""Settings of rate limits: whether there are any, for writes, and where calls are counted."""

from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr, field_validator

from app.core.features import FeatureSettings
from app.limits.rates import Rate

_SCHEMES: Final = ("redis", "rediss", "redis+unix", "valkey", "valkeys", "valkey+unix")
_MEMORY: Final = "memory://"


class LimitSettings(FeatureSettings):
    """What an operator can set about rate limits."""

    rate_limit_enabled: bool = True
    rate_limit_writes: Rate = "300/minute"
    # A secret: the URL can hold a password.
    rate_limit_storage_url: SecretStr = SecretStr(_MEMORY)

    @field_validator("rate_limit_storage_url")
    @classmethod
    def _known_storage(cls, value: SecretStr) -> SecretStr:
        url = value.get_secret_value()
        if url != _MEMORY and not _leads_to_a_server(url):
            message = f"write {_MEMORY}, or a URL such as redis://host:6379/0 ({', '.join(_SCHEMES)})"
            raise ValueError(message)
        return value


def _leads_to_a_server(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    if parts.scheme not in _SCHEMES or not url.startswith(f"{parts.scheme}://"):
        return False
    database = parts.path.strip("/")
    # Of a socket, the path is where it is; of a server, the number of its database.
    return bool(database) if parts.scheme.endswith("unix") else not database or database.isdecimal()
