"""What keeps a service from starting: settings of users and tokens that would let strangers in, or cannot work."""

from typing import Final

from app.auth import mail
from app.auth.settings import AuthSettings
from app.core.errors import SettingsError
from app.core.secret_strength import is_guessable
from app.core.settings import Settings

_HOW_TO_MAKE_ONE: Final = "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"


def check(settings: Settings) -> None:
    """Check that these settings are safe and complete. Most rules apply in production only.

    Raises:
        SettingsError: one that production needs is missing or too weak.
    """
    if settings.auth_email_proof and mail.SENDER is None:
        raise SettingsError("AUTH_EMAIL_PROOF needs a mail sender. Set SENDER in app/auth/mail.py first.")
    if not settings.is_production:
        return
    for name in ("auth_jwt_secret", "auth_jwt_issuer", "auth_jwt_audience"):
        if getattr(settings, name) is None:
            hint = f" To make one: {_HOW_TO_MAKE_ONE}" if name == "auth_jwt_secret" else ""
            raise SettingsError(f"{name.upper()} is not set, and production needs it.{hint}")
    if any(is_guessable(secret) for secret in settings.jwt_secrets):
        raise SettingsError(f"AUTH_JWT_SECRET is easy to guess, or an example. Generate one: {_HOW_TO_MAKE_ONE}")
    for name in ("auth_password_memory_kib", "auth_password_iterations"):
        least = AuthSettings.model_fields[name].default
        if getattr(settings, name) < least:
            raise SettingsError(f"{name.upper()} must be at least {least} in production.")
