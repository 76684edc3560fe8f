"""Whom to tell of a vulnerability: /.well-known/security.txt (RFC 9116)."""

from datetime import timedelta
from typing import Final

from app.core import clock
from app.core.errors import NotFound
from app.core.settings import Settings

PATH: Final = "/.well-known/security.txt"
MEDIA_TYPE: Final = "text/plain; charset=utf-8"
_GOOD_FOR: Final = timedelta(days=30)


def text(settings: Settings) -> str:
    """Return the file, which is good for a month from today.

    Raises:
        NotFound: SECURITY_CONTACT names nobody.
    """
    if not settings.security_contact:
        raise NotFound
    expires = (clock.now() + _GOOD_FOR).strftime("%Y-%m-%dT00:00:00Z")
    return "".join(f"Contact: {contact}\n" for contact in settings.security_contact) + f"Expires: {expires}\n"
