"""Who the caller is, worked out in one place."""

from app.auth import scheme
from app.auth.principal import Credentials, Principal
from app.core import context
from app.core.errors import Unauthenticated
from app.db.database import Database
from app.observability.security_log import record


def identify(database: Database, credentials: Credentials) -> Principal:
    """Return the caller with these credentials, and note them for the log. Blocks if `scheme.BLOCKING`.

    Raises:
        Unauthenticated: the credentials are missing or not valid; which of these is not said.
    """
    context.keep_private()
    current = context.current()
    try:
        principal = scheme.authenticate(database, credentials)
    except Unauthenticated:
        if credentials.values:
            record("authn_login_fail", account=None)
        raise
    if current is not None:
        current.principal = principal.subject
    return principal


def identify_if_sent(database: Database, credentials: Credentials) -> Principal | None:
    """Return the caller with these credentials, or None if none were sent. Blocks if `scheme.BLOCKING`.

    Raises:
        Unauthenticated: those that were sent are not valid.
    """
    try:
        return identify(database, credentials)
    except Unauthenticated:
        if credentials.values:
            raise
        return None
