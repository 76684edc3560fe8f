"""A deadlock undoes all that a request with an idempotency key has done, with its savepoints."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier

from sqlalchemy.orm import Session

from app.core.errors import AppError
from app.core.settings import Settings
from app.db.database import Database
from tests.integration.keyed import Service, count, serving
from tests.integration.tables import add, names, rename
from tests.integration.work import opened
from tests.requests import assert_failed

_SECONDS = 10


def test_it_is_not_answered_as_if_it_were_done(here: Database, settings: Settings) -> None:
    both_hold_one = Barrier(2)

    def other(session: Session) -> None:
        rename(session, 2, "by the other")
        # Who has changed less loses.
        for number in range(10, 60):
            add(session, number)
        session.flush()
        both_hold_one.wait(_SECONDS)
        rename(session, 1, "by the other")

    def work() -> bytes:
        here.write(rename, 1, "by the request")
        both_hold_one.wait(_SECONDS)
        with suppress(AppError):
            here.write(rename, 2, "by the request")
        return b"made"

    with opened(settings) as another, ThreadPoolExecutor(1) as thread:
        done = thread.submit(another.write, other)
        with serving(settings, Service(work)) as client:
            assert_failed(client.post("/"), 503, "unavailable")
        done.result()

    assert here.read(names)[:2] == ["by the other", "by the other"]
    assert count(here) == 0
