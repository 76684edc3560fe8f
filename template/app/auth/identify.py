"""Who the caller is, worked out in one place."""

from app.auth import style
from app.auth.principal import Credentials, Principal
from app.core import context
from app.core.errors import Unauthenticated
from app.db.database import Database


def identify(database: Database, credentials: Credentials) -> Principal:
    """Return the caller with these credentials, and note them for the log. Blocks if `style.BLOCKING`.

    Raises:
        Unauthenticated: with the challenge that RFC 9110, 11.6.1 asks for, and never a reason.
    """
    current = context.current()
    if current is not None:
        # Whatever comes of it, the answer depends on who asks.
        current.private = True
    try:
        principal = style.authenticate(database, credentials)
    except Unauthenticated as error:
        raise Unauthenticated(headers={"WWW-Authenticate": style.CHALLENGE}) from error
    if current is not None:
        current.principal = principal.subject
    return principal
