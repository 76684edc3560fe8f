"""What a request with an idempotency key leaves when something goes wrong: nothing."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from app.core import context
from app.core.errors import Conflict, Unavailable
from app.core.settings import Settings
from app.db.database import Database
from app.idempotency import keys
from tests.integration.keyed import Service, count, serving
from tests.integration.tables import add, names
from tests.integration.work import opened
from tests.requests import assert_failed

_MANY = 64
"""More requests than the event loop has threads."""


class TestFailures:
    def test_an_answer_that_says_so_leaves_nothing(self, here: Database, settings: Settings) -> None:
        statuses = iter((503, 200))

        def work() -> int:
            here.write(add, 3)
            return next(statuses)

        with serving(settings, Service(work)) as client:
            assert client.post("/").status_code == 503
            assert here.read(names) == ["new", "new"]
            assert client.post("/").status_code == 200
        assert here.read(names) == ["new", "new", "new"]

    def test_a_crash_leaves_nothing(self, here: Database, settings: Settings) -> None:
        crashes = iter((True, False))

        def work() -> None:
            here.write(add, 3)
            if next(crashes):
                raise LookupError

        with serving(settings, Service(work)) as client:
            assert_failed(client.post("/"), 500, "internal_error")
            assert here.read(names) == ["new", "new"]
            assert client.post("/").status_code == 200

    def test_what_was_to_come_after_does_not_if_the_answer_cannot_be_stored(
        self, here: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> None:
            raise Unavailable

        done: list[int] = []
        service = Service(lambda: here.write(add, 3))
        service.afterwards = lambda: done.append(1)
        monkeypatch.setattr(keys, "store", fail)
        with serving(settings, service) as client:
            assert_failed(client.post("/"), 503, "unavailable")

        assert here.read(names) == ["new", "new"]
        assert count(here) == 0
        assert done == []

    def test_one_that_is_late_does_not_keep_its_transaction(self, here: Database, settings: Settings) -> None:
        goes_on, pool = threading.Event(), ThreadPoolExecutor(_MANY)

        def work() -> None:
            current = context.current()
            if current is None or current.method == "GET":
                goes_on.wait(60)
                return
            here.write(add, 3)
            # Nobody is there to undo it at once: all threads have other work by then.
            others.extend(pool.submit(client.get, "/") for _ in range(_MANY))
            time.sleep(1.1)
            raise context.timed_out()

        others: list[Any] = []
        with serving(settings, Service(work), request_timeout_seconds=1) as client:
            assert client.post("/").status_code == 504
            goes_on.set()
            assert {each.result().status_code for each in others} == {200}
        with opened(settings) as another:
            another.write(add, 4)
        assert here.read(names) == ["new", "new", "new"]
        assert count(here) == 0

    def test_an_application_cannot_take_a_refusal_for_something_else(self, here: Database, settings: Settings) -> None:
        here.write(keys.hold, keys.Wanted("alice", "one", "another"), 60, 60)

        def work() -> bytes:
            with suppress(Conflict, Exception):
                here.write(add, 3)
            return b"made"

        with serving(settings, Service(work)) as client:
            assert_failed(client.post("/"), 422, "idempotency_key_reused")
        assert here.read(names) == ["new", "new"]
