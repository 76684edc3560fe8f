"""What waits for a commit."""

from contextlib import suppress

import pytest
from sqlalchemy.orm import Session

from app.db.database import Database
from app.observability.commits import once_committed


def test_it_is_done_once_the_change_is_committed(database: Database) -> None:
    done: list[str] = []

    def change(session: Session) -> list[str]:
        once_committed(session, lambda: done.append("counted"))
        return [*done]

    assert database.write(change) == []
    database.write(lambda _: None)
    assert done == ["counted"]


def test_it_is_not_done_for_what_is_taken_back(database: Database) -> None:
    done: list[str] = []

    def fail(session: Session) -> None:
        once_committed(session, lambda: done.append("counted"))
        raise LookupError

    with pytest.raises(LookupError):
        database.write(fail)
    assert done == []


def test_it_is_not_done_for_a_savepoint_that_is_taken_back(database: Database) -> None:
    done: list[str] = []

    def change(session: Session) -> None:
        with suppress(LookupError), session.begin_nested():
            once_committed(session, lambda: done.append("lost"))
            raise LookupError
        with session.begin_nested():
            once_committed(session, lambda: done.append("kept"))

    database.write(change)
    assert done == ["kept"]
