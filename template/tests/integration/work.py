"""Units of work under other conditions."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import copy_context
from typing import TypeVar

from app.core import context
from app.core.context import RequestContext
from app.core.settings import Settings
from app.db.database import Database

T = TypeVar("T")


def within(seconds: float, function: Callable[[], T]) -> T:
    """Return `function()` as a request that has so much time."""

    def request() -> T:
        deadline = time.monotonic() + seconds
        context.enter(RequestContext("id", "0" * 32, "GET", "/", deadline=deadline))
        return function()

    return copy_context().run(request)


@contextmanager
def opened(settings: Settings, **changes: object) -> Generator[Database]:
    """Yield the units of work with other settings."""
    database = Database(settings.model_copy(update=changes))
    yield database
    database.dispose()
