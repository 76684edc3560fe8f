"""What keeps a service from starting: an identity provider that is not named, or cannot be trusted."""

from httpx2 import URL

from app.auth.discovery import problem_with_issuer, problem_with_url
from app.core.errors import SettingsError
from app.core.peers import need_tls
from app.core.settings import Settings


def check(settings: Settings) -> None:
    """Accept settings that name a provider that can be trusted or, outside production, none.

    Raises:
        SettingsError: tokens could not be checked, or not safely.
    """
    issuer, audience = settings.auth_oidc_issuer, settings.auth_oidc_audience
    is_needed = settings.is_production or any((issuer, audience, settings.auth_oidc_discovery_url))
    if is_needed and issuer is None:
        raise SettingsError(
            "AUTH_OIDC_ISSUER is not set. Set it to the URL of your identity provider, exactly as its tokens have it "
            "in iss, like https://id.example.com."
        )
    if is_needed and audience is None:
        raise SettingsError(
            "AUTH_OIDC_AUDIENCE is not set. Set it to the name that tokens for this service have in aud, "
            "like https://api.example.com."
        )
    if issuer is not None:
        _check_url("AUTH_OIDC_ISSUER", issuer, problem_with_issuer(issuer), settings)
    if (url := settings.auth_oidc_discovery_url) is not None:
        _check_url("AUTH_OIDC_DISCOVERY_URL", url, problem_with_url(url), settings)


def _check_url(name: str, value: str, problem: str | None, settings: Settings) -> None:
    if problem:
        raise SettingsError(f"{name} {problem}.")
    url = URL(value)
    if url.scheme != "https" and need_tls([url.host], settings):
        raise SettingsError(
            f"{name} must start with https:// in production, unless its host is this machine or in PLAINTEXT_HOSTS."
        )
