"""What requests with an idempotency key leave in the database, with any endpoint and whatever goes wrong."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core import clock
from app.core.errors import NotFound, Unavailable
from app.core.failures.idempotency import KeyInProgress
from app.core.settings import Settings
from app.db.database import Database
from app.db.models.idempotency_keys import LARGEST_ANSWER, IdempotencyKey
from app.idempotency import keys
from tests.conftest import Command
from tests.integration.keyed import Service, count, serving
from tests.integration.tables import add, names, rename
from tests.integration.work import opened
from tests.metrics import value_of
from tests.requests import assert_failed

WANTED = keys.Wanted("alice", "one", "0" * 64)
DAY = 86_400


class TestOneTransaction:
    def test_all_that_a_request_does_is_committed_with_its_answer(self, here: Database, settings: Settings) -> None:
        seen = []

        def work() -> bytes:
            here.write(add, 3)
            seen.append(here.read(names))
            here.write(rename, 3)
            with opened(settings) as others:
                seen.append(others.read(names))
            return b"made"

        with serving(settings, Service(work)) as client:
            first, second = client.post("/"), client.post("/")

        assert (first.content, second.content) == (b"made", b"made")
        assert second.headers["idempotent-replayed"] == "true"
        assert second.headers["x-work"] == "done"
        assert seen == [["new", "new", "new"], ["new", "new"]]
        assert here.read(names) == ["new", "new", "renamed"]

    def test_what_came_of_each_is_counted(self, here: Database, settings: Settings) -> None:
        outcomes = ("carried_out", "replayed", "idempotency_key_reused")
        before = [value_of("idempotency_requests_total", outcome=each) for each in outcomes]
        with serving(settings, Service(lambda: here.write(add, 3))) as client:
            for path in ("/", "/", "/", "/another"):
                client.post(path)

        found = [value_of("idempotency_requests_total", outcome=each) for each in outcomes]
        assert [now - then for now, then in zip(found, before, strict=True)] == [1, 2, 1]

    def test_what_fails_does_not_undo_what_was_done_before(self, here: Database, settings: Settings) -> None:
        def work() -> None:
            here.write(add, 3)
            with suppress(IntegrityError):
                here.write(add, 1)
            here.write(rename, 3)

        with serving(settings, Service(work)) as client:
            assert client.post("/").status_code == 200

        assert here.read(names) == ["new", "new", "renamed"]

    def test_a_failure_leaves_nothing_and_is_an_answer(self, here: Database, settings: Settings) -> None:
        def fail(session: Session) -> None:
            rename(session)
            raise NotFound

        with serving(settings, Service(lambda: here.write(fail))) as client:
            first, second = client.post("/"), client.post("/")

        assert_failed(first, 404, "not_found")
        assert second.headers["idempotent-replayed"] == "true"
        assert here.read(names) == ["new", "new"]

    def test_what_comes_after_the_answer_is_not_part_of_it(self, here: Database, settings: Settings) -> None:
        service = Service(lambda: here.write(add, 3))
        service.afterwards = lambda: here.write(add, 4)
        with serving(settings, service) as client:
            client.post("/")

        assert len(here.read(names)) == 4

    def test_a_request_that_changes_nothing_is_not_kept(self, here: Database, settings: Settings) -> None:
        with serving(settings, Service(lambda: b"%d" % len(here.read(names)))) as client:
            client.post("/")
            here.write(add, 3)

            assert client.post("/").content == b"3"
        assert count(here) == 0

    def test_routes_that_take_no_key_pay_it_no_heed(self, here: Database, settings: Settings) -> None:
        numbers = iter((3, 4))
        service = Service(lambda: here.write(add, next(numbers)))
        service.takes_key = False
        with serving(settings, service) as client:
            client.post("/")
            client.post("/")

        assert len(here.read(names)) == 4
        assert count(here) == 0


class TestHeldKeys:
    def test_one_that_is_held_is_in_progress(self, here: Database, settings: Settings) -> None:
        with serving(settings, Service(lambda: here.write(add, 3))) as client:
            client.post("/")
        here.write(lambda session: session.execute(update(IdempotencyKey).values(status=None)))
        with serving(settings, Service(lambda: here.write(add, 4))) as client:
            response = client.post("/")

        assert_failed(response, 409, "idempotency_in_progress")
        assert response.headers["retry-after"] == "1"

    def test_one_that_was_lost_with_its_process_can_be_taken_over(self, here: Database) -> None:
        lost = here.write(keys.hold, WANTED, -1, DAY)
        taken = here.write(keys.take_over, WANTED, 60, DAY)

        with pytest.raises(Unavailable):
            here.write(keys.store, lost, 200, [], b"")
        here.write(keys.store, taken, 201, [("x", "y")], b"answer")
        here.write(keys.let_go, lost)
        with pytest.raises(keys.Stored) as stored:
            here.write(keys.take_over, WANTED, 60, DAY)
        assert stored.value.answer == (201, [("x", "y")], b"answer")

    def test_one_that_was_let_go_at_this_moment_is_in_progress(self, here: Database) -> None:
        with pytest.raises(KeyInProgress):
            here.write(keys.take_over, WANTED, 60, DAY)

    def test_of_many_processes_one_carries_it_out(self, here: Database, settings: Settings) -> None:
        with opened(settings) as other, ThreadPoolExecutor(8) as threads:
            services = [Service(lambda each=each: each.write(add, 3)) for each in (here, other)]
            with serving(settings, services[0]) as one, serving(settings, services[1]) as two:
                answers = list(threads.map(lambda client: client.post("/"), [one, two] * 4))

        assert {answer.status_code for answer in answers} <= {200, 409}
        assert [answer.status_code for answer in answers if "idempotent-replayed" not in answer.headers].count(200) == 1
        assert here.read(names) == ["new", "new", "new"]

    def test_requests_with_keys_leave_a_connection_for_the_others(self, settings: Settings, here: Database) -> None:
        numbers = iter(range(10, 100))

        def twice(database: Database) -> None:
            database.write(add, next(numbers))
            database.write(add, next(numbers))

        with (
            opened(settings, database_pool_size=2) as small,
            serving(settings, Service(lambda: twice(small)), database_pool_size=2) as client,
            ThreadPoolExecutor(6) as threads,
        ):
            paths = [f"/{number}" for number in range(6)]
            answers = list(threads.map(lambda key: client.post("/", headers={"Idempotency-Key": key}), paths))

        assert {answer.status_code for answer in answers} == {200}
        assert len(here.read(names)) == 14


class TestAnswers:
    def test_a_large_one_is_sent_whole_and_not_kept(self, here: Database, settings: Settings) -> None:
        def work() -> bytes:
            here.write(add, 3)
            return b"x" * (LARGEST_ANSWER + 1)

        with serving(settings, Service(work)) as client:
            first, second = client.post("/"), client.post("/")

        assert len(first.content) == LARGEST_ANSWER + 1
        assert_failed(second, 409, "idempotency_answer_not_kept")
        assert len(here.read(names)) == 3

    def test_those_that_nobody_may_ask_for_any_more_are_purged(self, here: Database, command: Command) -> None:
        here.write(keys.hold, WANTED._replace(key="old"), 1, 60)
        here.write(keys.hold, WANTED, 1, DAY)
        long_ago = clock.now() - timedelta(days=1)
        old = update(IdempotencyKey).where(IdempotencyKey.key == "old").values(expires_at=long_ago)
        here.write(lambda session: session.execute(old))

        assert command("idempotency", "purge").out == "Deleted 1.\n"
        assert count(here) == 1

    def test_one_that_is_taken_over_meanwhile_is_not(self, here: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        here.write(keys.hold, WANTED, 60, DAY)
        long_ago = clock.now() - timedelta(days=1)
        here.write(lambda session: session.execute(update(IdempotencyKey).values(expires_at=long_ago)))
        found = here.read(lambda session: session.scalars(select(IdempotencyKey.id)).all())
        here.write(keys.take_over, WANTED, 60, DAY)
        # What was found before.
        monkeypatch.setattr(Session, "scalars", lambda *_: SimpleNamespace(all=lambda: found))

        assert here.write(keys.purge, 10) == 0
        monkeypatch.undo()
        assert count(here) == 1
