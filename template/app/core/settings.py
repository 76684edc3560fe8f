"""Configuration: the environment, `.env` in development only, and files in /run/secrets, in that order."""

import re
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableError

from app.core import entries
from app.core.entries import CommaSeparated
from app.core.errors import SettingsError
from app.core.features import settings_of_features

SECRETS = Path("/run/secrets")
_DOTENV = ".env"
_CONTACT = re.compile(r"(https://|mailto:|tel:)[!-~]+")

# Any: a type checker cannot know which features there are.
_FeatureSettings: Any = settings_of_features()


class Settings(_FeatureSettings):
    """Everything that an operator can set. Each field is the environment variable of the same name."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        secrets_dir=SECRETS if SECRETS.is_dir() else None,
    )

    environment: Literal["development", "test", "production"] = "development"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_client_address: bool = False
    log_personal_data_key: SecretStr | None = Field(default=None, min_length=32)
    # Goes into a header as it is.
    revision: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._+-]{1,128}$")

    host: str = "0.0.0.0"  # noqa: S104 - a container's only interface; bind another address with HOST
    port: int = Field(default=8000, ge=0, le=65535)
    operations_port: int | None = Field(default=None, ge=1, le=65535)
    metrics_port: int | None = Field(default=None, ge=1, le=65535)
    workers: int = Field(default=1, ge=1, le=256)

    # Secrets: a database URL holds a password.
    database_url: SecretStr | None = None
    database_read_url: SecretStr | None = None
    database_migration_url: SecretStr | None = None
    # In production, others are talked to over TLS that verifies who they are.
    plaintext_hosts: CommaSeparated = ()
    database_pool_size: int = Field(default=10, ge=1, le=200)

    # Of each process.
    max_connections: int = Field(default=1000, ge=1, le=100_000)
    max_head_bytes: int = Field(default=32 * 1024, ge=1024, le=1024 * 1024)
    head_timeout_seconds: float | None = Field(default=None, ge=0.1, le=3600)
    keep_alive_seconds: float = Field(default=75.0, ge=0.1, le=3600)
    max_queued_requests: int = Field(default=200, ge=0, le=100_000)

    max_body_bytes: int = Field(default=1024 * 1024, ge=1)
    request_timeout_seconds: float = Field(default=30.0, gt=0, le=3600)
    migration_lock_timeout_seconds: float = Field(default=1.0, gt=0, le=3600)
    migration_lock_retries: int = Field(default=30, ge=0, le=10_000)
    shutdown_delay_seconds: float = Field(default=0.0, ge=0, le=300)
    shutdown_tasks_seconds: float = Field(default=10.0, ge=0, le=3600)

    security_contact: CommaSeparated = ()
    docs_enabled: bool = True
    readiness_details: bool = True
    cors_origins: CommaSeparated = ()
    trusted_hosts: CommaSeparated = ()
    trusted_proxies: CommaSeparated = ()
    root_path: str | None = None

    # --- settings of this service go below this line ---

    @field_validator("operations_port", "metrics_port")
    @classmethod
    def _of_its_own(cls, value: int | None, info: ValidationInfo) -> int | None:
        for other in ("port", "operations_port"):
            if value is not None and value == info.data.get(other):
                message = f"it must not be {other.upper()}"
                raise ValueError(message)
        return value

    @field_validator("security_contact")
    @classmethod
    def _contacts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_CONTACT.fullmatch(each) for each in value):
            message = "each must be a URL that begins with https://, mailto: or tel:"
            raise ValueError(message)
        return value

    @field_validator("plaintext_hosts")
    @classmethod
    def _names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return entries.names(value)

    @field_validator("trusted_hosts")
    @classmethod
    def _hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return entries.patterns(value)

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return entries.origins(value)

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return entries.networks(value)

    @field_validator("root_path")
    @classmethod
    def _prefix(cls, value: str | None) -> str | None:
        return None if value is None else entries.prefix(value)

    @property
    def is_production(self) -> bool:
        return self.environment == "production"

    @property
    def further_ports(self) -> tuple[int, ...]:
        """Where this service listens besides PORT."""
        return tuple(port for port in (self.operations_port, self.metrics_port) if port is not None)

    @property
    def personal_data_key(self) -> str | None:
        """What personal data is hashed with in the log; None if it is written as it is."""
        return self.log_personal_data_key.get_secret_value() if self.log_personal_data_key else None

    @property
    def idle_seconds(self) -> float:
        """How long a connection may go without a whole head: the server has one clock for idle ones and slow ones."""
        return min(self.keep_alive_seconds, self.head_timeout_seconds or self.keep_alive_seconds)


def load_settings(**overrides: Any) -> Settings:  # noqa: ANN401 - any field of Settings
    """Return the settings of this process; `overrides` win over the environment.

    Raises:
        SettingsError: a value is missing or wrong; the message names each by its variable.
    """
    try:
        settings = Settings(**overrides)
        if settings.environment != "development" or "_env_file" in overrides:
            return settings
        settings = Settings(_env_file=_DOTENV, **overrides)
    except UnreadableError as error:
        found = re.search(r'field "(\w+)"', str(error))
        msg = f"{found[1].upper() if found else 'A setting'}: write it in JSON, a list like [1, 2] for example."
        raise SettingsError(msg) from None
    except ValidationError as error:
        # Only the variable and the reason: the value may be a secret.
        reasons = [f"{'.'.join(map(str, part['loc'])).upper()}: {part['msg']}." for part in error.errors()]
        raise SettingsError(" ".join(reasons)) from None
    if settings.environment != "development":
        # Else a file that lies beside the code by chance would have a say in production.
        msg = f"ENVIRONMENT: {_DOTENV} cannot set it, since that is read in development only."
        raise SettingsError(msg)
    return settings


@cache
def get_settings() -> Settings:
    """Return the settings of this process, read once."""
    return load_settings()
