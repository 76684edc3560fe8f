"""Every module in this folder has a `router`; all are part of the service."""

from importlib import import_module
from pkgutil import iter_modules

from flask import Blueprint


def routers() -> list[Blueprint]:
    """Return the routers of all modules in this folder, by the modules' names."""
    return [import_module(f"{__name__}.{module.name}").router for module in iter_modules(__path__)]
