"""Functions that give views the caller, the database and the settings."""

from contextvars import ContextVar

from flask import current_app, g, request

from app.auth import scheme
from app.auth.identify import identify, identify_if_sent
from app.auth.principal import Credentials, Principal
from app.core.errors import AppError
from app.core.preconditions import Precondition
from app.core.settings import Settings
from app.db.database import Database
from app.http.conditional import precondition

checked_before: ContextVar[Principal | AppError | None] = ContextVar("checked_before", default=None)
"""What was found out about a request before its body was read: its caller, or why it is refused."""


def get_settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def get_database() -> Database:
    database: Database = current_app.extensions["database"]
    return database


def get_caller() -> Principal:
    """Return who sent the request.

    Raises:
        Unauthenticated: no credentials were sent. In a @public view, use `get_optional_caller`.
    """
    caller: Principal | None = g.get("caller")
    return caller or identify_caller()


def get_optional_caller() -> Principal | None:
    """Return who sent the request, or None if no credentials were sent.

    Raises:
        Unauthenticated: they are not valid.
    """
    if "caller" not in g:
        g.caller = identify_if_sent(get_database(), _credentials())
    caller: Principal | None = g.caller
    return caller


def identify_caller() -> Principal:
    """Return who sent the request, and keep it for the view.

    Raises:
        Unauthenticated: the credentials are missing or not valid.
    """
    before = checked_before.get()
    caller = g.caller = before if isinstance(before, Principal) else identify(get_database(), _credentials())
    return caller


def _credentials() -> Credentials:
    return Credentials.sent(request.headers.getlist(scheme.HEADER))


def get_precondition() -> Precondition:
    return precondition(request.headers.getlist("if-match"), request.headers.getlist("if-none-match"))
