"""What else the log hides, by its form. Every module in this folder has a `FORM`, a regular expression."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Final

FORMS: Final[tuple[str, ...]] = tuple(
    import_module(f"{__name__}.{module.name}").FORM for module in iter_modules(__path__)
)
