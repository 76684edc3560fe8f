"""What an investigation asks for: one line a security event, named as in OWASP's Logging Vocabulary."""

from functools import partial
from typing import Any, Final, Literal

import structlog
from sqlalchemy.orm import Session

from app.core import context
from app.observability.commits import once_committed

Event = Literal[
    "authn_login_success",
    "authn_login_fail",
    "authn_login_fail_max",
    "authn_password_change",
    "authn_password_change_fail",
    "authn_token_created",
    "authn_token_revoked",
    "authn_token_reuse",
    "authz_change",
    "authz_fail",
    "excess_rate_limit_exceeded",
    "session_renewed",
    "user_archived",
    "user_created",
    "user_deleted",
    "user_updated",
]
_ORDINARY: Final = {
    "authn_login_success",
    "authn_password_change",
    "authn_token_created",
    "authn_token_revoked",
    "session_renewed",
    "user_created",
    "user_updated",
}

_log = structlog.get_logger("app.security")


def record(name: Event, **details: Any) -> None:  # noqa: ANN401 - log values are of any type
    """Write a line about `name`: by whom and from where, besides `details`; a warning unless it is ordinary."""
    current = context.current()
    by = (
        {"principal": current.principal, "source_ip": current.client, "route": current.route}
        if current
        else {"principal": "command line"}
    )
    (_log.info if name in _ORDINARY else _log.warning)(name, security=True, **{**by, **details})


def record_once_committed(session: Session, name: Event, **details: Any) -> None:  # noqa: ANN401 - as above
    """Write a line about `name` when the transaction of `session` is committed, and none if it is not."""
    once_committed(session, partial(record, name, **details))
