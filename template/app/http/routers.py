"""The routers of a folder, by the modules that it has."""

from collections.abc import Iterable
from importlib import import_module
from pkgutil import iter_modules
from typing import TypeVar

from app.core.errors import RouteError

Router = TypeVar("Router")


def routers_of(package: str, paths: Iterable[str], kind: type[Router]) -> list[Router]:
    """Return the `router` of each module of `package`, which is at `paths`, by the modules' names.

    Raises:
        RouteError: a module has none of that `kind`.
    """
    modules = [import_module(f"{package}.{module.name}") for module in iter_modules(paths)]
    for module in modules:
        if not isinstance(getattr(module, "router", None), kind):
            raise RouteError(
                f"{module.__name__} has no `router`: give it one, `router = {kind.__name__}(...)`, or move the module "
                "to another folder. Every module in this one has its routes there."
            )
    return [module.router for module in modules]
