"""What views ask for."""

from flask import current_app, g, request

from app.auth.identify import identify
from app.auth.principal import Credentials, Principal
from app.core.preconditions import Precondition
from app.core.settings import Settings
from app.db.database import Database
from app.http.conditional import precondition


def get_settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def get_database() -> Database:
    database: Database = current_app.extensions["database"]
    return database


def get_caller() -> Principal:
    caller: Principal = g.caller
    return caller


def identify_caller() -> Principal:
    """Return who sent the request, and keep it for the view.

    Raises:
        Unauthenticated: the credentials are missing or not valid.
    """
    headers = request.headers
    credentials = Credentials.sent(headers.getlist("authorization"), headers.getlist("x-api-key"))
    g.caller = identify(get_database(), credentials)
    return get_caller()


def get_precondition() -> Precondition:
    return precondition(request.headers.getlist("if-match"), request.headers.getlist("if-none-match"))
