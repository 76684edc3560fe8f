"""Every module in this folder has a `router`; all are part of the service."""

from flask import Blueprint

from app.http.routers import routers_of


def routers() -> list[Blueprint]:
    """Return the routers of all modules in this folder, by the modules' names.

    Raises:
        RouteError: a module has none.
    """
    return routers_of(__name__, __path__, Blueprint)
