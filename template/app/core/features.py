"""What plugs in: a folder of `app` takes part in the service by the modules that it has, and is listed nowhere.

| module | has | is |
| --- | --- | --- |
| `settings.py` | a subclass of `FeatureSettings` | settings, read with all others |
| `checks.py` | `check(settings)` | asked before the start, and stops it with a `SettingsError` |
| `readiness.py` | `is_ready(database)` | asked by `/readyz`, which has its answer under the folder's name |
| `commands.py` | `command`, of click | a command of `app`, or a group of them |
| `http.py` | `middleware(app, settings)` | around every request and every answer (ASGI) |

A module with such a name has what is expected there, or the service does not start: a check that is written wrong
would else be left out, and nobody would know.
"""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from inspect import get_annotations, iscoroutinefunction
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import click
from pydantic_settings import BaseSettings

import app
from app.core.errors import FeatureError

if TYPE_CHECKING:
    from app.core.settings import Settings

_PARTS: Final[dict[str, tuple[str, type]]] = {
    "checks": ("check", Callable),
    "readiness": ("is_ready", Callable),
    "commands": ("command", click.Command),
    "http": ("middleware", Callable),
}


class FeatureSettings(BaseSettings):
    """Settings of one feature. Its fields are fields of `Settings`, too."""


def parts(module: str) -> dict[str, Any]:
    """Return what features have in their modules of this name, by the folder of `app` that each is in.

    Raises:
        FeatureError: a module of this name has something else, or a coroutine function.
    """
    name, kind = _PARTS[module]
    found = {folder: vars(each).get(name) for folder, each in _modules(module).items()}
    for folder, part in found.items():
        if not isinstance(part, kind):
            wanted = "command of click" if kind is click.Command else "function"
            raise _unfit(f"{folder}/{module}", f"{wanted} `{name}`")
        if iscoroutinefunction(part):
            raise FeatureError(f"app/{folder}/{module}.py: write `def {name}`. An `async def` is not awaited here.")
    return found


def check(settings: "Settings") -> None:
    """Return if every feature fits in, and can work with `settings`.

    Raises:
        FeatureError: one has a module that does not fit.
        SettingsError: one cannot work, or not safely.
    """
    found = {module: parts(module) for module in _PARTS}
    for folder in found["readiness"].keys() & {"database", "migrations"}:
        raise FeatureError(f"app/{folder}/readiness.py: /readyz has a line of that name. Give the folder another one.")
    own, *bases = type(settings).__mro__
    for name, base in product(get_annotations(own), bases):
        if name in type(settings).model_fields and name in get_annotations(base):
            raise _shared(name, own, base)
    for ask in found["checks"].values():
        ask(settings)


def settings_of_features() -> type[FeatureSettings]:
    """Return a class with the fields of all features.

    Raises:
        FeatureError: one has no settings in its module of that name, two have a field of the same name, or one needs
            all settings to declare its own.
    """
    try:
        found = [value for folder, module in _modules("settings").items() for value in _classes(folder, module)]
    except ImportError as error:
        if error.name != "app.core.settings":
            raise
        raise FeatureError(
            f"The settings of a feature are read before app/core/settings.py is: {error.msg.split(' (')[0]}. "
            "Import it where the settings are used."
        ) from error
    # Those that others extend are among the bases of these.
    leaves = [each for each in found if not any(issubclass(other, each) for other in found if other is not each)]
    owners: dict[str, type] = {}
    for name, owner in (item for leaf in leaves for item in _owners(leaf).items()):
        if owners.setdefault(name, owner) is not owner:
            raise _shared(name, owners[name], owner)
    return type("SettingsOfFeatures", (*leaves, FeatureSettings), {})


def _modules(name: str) -> dict[str, ModuleType]:
    """Return the modules called `name`, by the folder of `app` that each is in."""
    entries = sorted(entry.name for root in app.__path__ for entry in Path(root).iterdir() if entry.is_dir())
    # Except `core`, on which features build. Folders without `__init__.py` count, too.
    folders = [entry for entry in entries if entry.isidentifier() and entry not in ("core", "__pycache__")]
    paths = {folder: f"{app.__name__}.{folder}.{name}" for folder in folders}
    return {folder: import_module(path) for folder, path in paths.items() if find_spec(path)}


def _classes(folder: str, module: ModuleType) -> list[type[FeatureSettings]]:
    found = [value for value in vars(module).values() if isinstance(value, type)]
    found = [each for each in found if issubclass(each, FeatureSettings) and each.__module__ == module.__name__]
    if not found:
        raise _unfit(f"{folder}/settings", "subclass of `FeatureSettings`")
    return found


def _owners(settings: type[FeatureSettings]) -> dict[str, type]:
    """Return the class that declares each field of `settings`."""
    declared = [(each, get_annotations(each)) for each in settings.__mro__]
    return {name: next(each for each, names in declared if name in names) for name in settings.model_fields}


def _unfit(module: str, wanted: str) -> FeatureError:
    return FeatureError(
        f"app/{module}.py has no {wanted}: modules of that name plug in, as docs/architecture.md says. "
        "Give it one, or another name to the module."
    )


def _shared(setting: str, *owners: type) -> FeatureError:
    names = " and ".join(f"{each.__module__}.{each.__qualname__}" for each in owners)
    return FeatureError(f"{setting.upper()} is a setting of both {names}: each needs a name of its own.")
