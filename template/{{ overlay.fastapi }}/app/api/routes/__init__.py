"""Every module in this folder has a `router`; all are part of the service."""

from fastapi import APIRouter

from app.http.routers import routers_of


def routers() -> list[APIRouter]:
    """Return the routers of all modules in this folder, by the modules' names.

    Raises:
        RouteError: a module has none.
    """
    return routers_of(__name__, __path__, APIRouter)
