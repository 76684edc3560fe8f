"""Settings of the authentication scheme: which identity provider's access tokens open this service."""

from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import NoDecode

from app.core.features import FeatureSettings

# Each signs with a private key and checks with the public one. With a symmetric one, HS256 for example, everybody who
# knows a provider's public key could sign.
Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
TokenType = Literal["any", "at+jwt"]
ClaimPath = Annotated[str, StringConstraints(min_length=1, max_length=200)]

_DEFAULT: Final[tuple[Algorithm, ...]] = ("RS256", "PS256", "ES256", "EdDSA")


class AuthSettings(FeatureSettings):
    """Where tokens come from, for whom they must be, and how the provider's keys are kept fresh."""

    auth_oidc_issuer: str | None = None
    auth_oidc_discovery_url: str | None = None
    auth_oidc_audience: str | None = None
    auth_oidc_audience_claim: ClaimPath = "aud"
    auth_oidc_token_type: TokenType = "any"  # noqa: S105 - a kind of token
    auth_oidc_algorithms: Annotated[tuple[Algorithm, ...], NoDecode] = _DEFAULT
    auth_oidc_scopes_claim: ClaimPath = "scope"
    auth_oidc_roles_claim: ClaimPath = "roles"
    auth_oidc_leeway_seconds: int = Field(default=30, ge=0, le=300)

    auth_oidc_timeout_seconds: float = Field(default=5.0, gt=0, le=60)
    auth_oidc_keys_refresh_seconds: float = Field(default=300.0, ge=1, le=86_400)
    auth_oidc_keys_floor_seconds: float = Field(default=10.0, ge=1, le=3600)
    auth_oidc_keys_stale_seconds: float = Field(default=86_400.0, ge=1, le=604_800)

    @field_validator("auth_oidc_algorithms", mode="before")
    @classmethod
    def _split_algorithms(cls, value: object) -> object:
        parts = [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        if not parts:
            error, message = "algorithms", "Input should name at least one algorithm, like RS256"
            raise PydanticCustomError(error, message)
        return parts
