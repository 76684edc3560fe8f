"""The failures of features. Every module in this folder is imported; its classes stand in docs/errors.md."""

from collections.abc import Mapping
from http import HTTPStatus
from importlib import import_module
from pkgutil import iter_modules
from typing import Final

from app.core.errors import REGISTERED, AppError, RegistrationError

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

# Where the names in `http.HTTPStatus` change from one Python to the next.
_CODES: Final = {414: "uri_too_long", 416: "range_not_satisfiable"}
_BEGIN: Final = "<!-- The table is written by `uv run just errors`. -->\n"
_END: Final = "<!-- The table ends here. -->\n"


def failures() -> list[type[AppError]]:
    """Return every kind of failure that has a code, general ones before those of features."""
    return list(REGISTERED.values())


def failure_of(status: int, message: str | None = None, *, headers: Mapping[str, str] | None = None) -> AppError:
    """Return the failure for a `status` that a framework or a library gave, with a code that says no more."""
    known = next((each for each in failures() if each.status == status), None)
    if known is not None:
        return known(message, headers=headers)
    try:
        name, phrase = HTTPStatus(status).name.lower(), HTTPStatus(status).phrase
    except ValueError:
        name, phrase = f"status_{status}", f"Status {status}"
    failure = AppError(message or f"{phrase}.", headers=headers)
    failure.status, failure.code = status, _CODES.get(status, name)
    return failure


def with_table(page: str) -> str:
    """Return `page` with the table of all failures, by status, between its two marks.

    Raises:
        RegistrationError: it does not have both.
    """
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise RegistrationError(f"The page has no place for the table of errors: {_BEGIN.strip()} … {_END.strip()}")
    rows = [
        f"| {error.status} | `{error.code}` | {error.when} |"
        for error in sorted(failures(), key=lambda each: each.status)
    ]
    table = "\n".join(["| status | code | when |", "| --- | --- | --- |", *rows])
    return f"{before}{begin}\n{table}\n\n{end}{after}"
