"""Helpers for the unit of work: a deadline, other settings, a query plan."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any, TypeVar

from sqlalchemy import event
from sqlalchemy.orm import Session

from app.core import context
from app.core.context import RequestContext
from app.core.settings import Settings
from app.db.database import Database
from tests.plans import Plan, explain

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
    try:
        yield database
    finally:
        database.dispose()


def plan_of(session: Session, call: Callable[[], object]) -> Plan:
    """Return how the database runs the one statement of `call()`."""
    connection, sent = session.connection(), list[tuple[str, Any]]()

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        sent.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    call()
    event.remove(connection, "before_cursor_execute", note)
    ((statement, parameters),) = sent
    return explain(connection, statement, parameters)
