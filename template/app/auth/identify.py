"""Who the caller is, worked out in one place."""

from app.auth import style
from app.auth.principal import Credentials, Principal
from app.core import context
from app.core.errors import Unauthenticated
from app.db.database import Database
from app.observability.security_log import record


def identify(database: Database, credentials: Credentials) -> Principal:
    """Return the caller with these credentials, and note them for the log. Blocks if `style.BLOCKING`.

    Raises:
        Unauthenticated: the credentials are missing or not valid; which of these is not said.
    """
    context.keep_private()
    current = context.current()
    try:
        principal = style.authenticate(database, credentials)
    except Unauthenticated:
        if credentials.authorization or credentials.api_key:
            record("authn_login_fail", account=None)
        raise
    if current is not None:
        current.principal = principal.subject
    return principal
