"""Settings of the authentication scheme: tokens, passwords, and how often they may be tried."""

from typing import Annotated, Final

from pydantic import Field, SecretStr, StringConstraints, field_validator

from app.core.features import FeatureSettings
from app.limits.rates import Rate

SHORTEST_SECRET: Final = 32
LONGEST_ACCESS: Final = 86_400
_DAY: Final = 86_400

# Where nothing is set, a fresh clone works; production refuses it.
DEVELOPMENT_SECRET: Final = "development-only-secret-that-production-refuses"  # noqa: S105 - everybody knows it
_DEVELOPMENT_NAME: Final = "development"

_Name = Annotated[str, StringConstraints(min_length=1, max_length=255)]


class AuthSettings(FeatureSettings):
    """What an operator can set about users and their tokens."""

    auth_jwt_secret: SecretStr | None = None
    auth_jwt_issuer: _Name | None = None
    auth_jwt_audience: _Name | None = None
    auth_access_token_seconds: int = Field(default=900, ge=1, le=LONGEST_ACCESS)
    auth_session_seconds: int = Field(default=30 * _DAY, ge=1, le=366 * _DAY)
    auth_session_idle_seconds: int = Field(default=14 * _DAY, ge=1, le=366 * _DAY)
    auth_refresh_grace_seconds: float = Field(default=10.0, ge=0, le=300)
    auth_session_cache_seconds: float = Field(default=0.0, ge=0, le=300)
    auth_sessions_per_user: int = Field(default=50, ge=1, le=10_000)
    auth_one_time_token_seconds: int = Field(default=3600, ge=60, le=7 * _DAY)
    auth_email_proof: bool = False

    # OWASP's parameters for Argon2id with one lane; production refuses weaker ones.
    auth_password_memory_kib: int = Field(default=19_456, ge=8, le=4 * 1024 * 1024)
    auth_password_iterations: int = Field(default=2, ge=1, le=100)
    auth_password_concurrency: int = Field(default=4, ge=1, le=256)
    auth_password_queue: int = Field(default=100, ge=0, le=10_000)

    rate_limit_login: Rate = "10/minute"

    @field_validator("auth_jwt_secret")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and (not _parts(value) or any(len(p.encode()) < SHORTEST_SECRET for p in _parts(value))):
            message = f"each of the comma-separated secrets must have at least {SHORTEST_SECRET} bytes"
            raise ValueError(message)
        return value

    @property
    def jwt_secrets(self) -> tuple[str, ...]:
        """The secrets: the first signs, all verify."""
        return _parts(self.auth_jwt_secret) if self.auth_jwt_secret else (DEVELOPMENT_SECRET,)

    @property
    def jwt_issuer(self) -> str:
        return self.auth_jwt_issuer or _DEVELOPMENT_NAME

    @property
    def jwt_audience(self) -> str:
        return self.auth_jwt_audience or _DEVELOPMENT_NAME


def _parts(secrets: SecretStr) -> tuple[str, ...]:
    return tuple(part.strip() for part in secrets.get_secret_value().split(",") if part.strip())
