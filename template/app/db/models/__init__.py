"""The tables. Every module in this folder is imported, so that migrations see what it defines."""

from importlib import import_module
from pkgutil import iter_modules

from app.db.models.base import Base

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["Base"]
