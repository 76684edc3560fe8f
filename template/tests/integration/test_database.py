import time

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from app.core import context
from app.core.errors import RequestTimeout, Unavailable
from app.core.settings import Settings
from app.db.database import Database
from tests.databases import without_database
from tests.integration.tables import Thing, add, names, rename
from tests.integration.work import opened, plan_of, within


class TestWrite:
    def test_it_is_committed_before_it_returns(self, things: Database) -> None:
        things.write(rename)

        assert things.read(names) == ["renamed", "new"]

    def test_what_the_function_returns_can_be_used_afterwards(self, things: Database) -> None:
        thing = things.write(lambda session: session.get_one(Thing, 1))

        assert thing.name == "new"

    def test_changes_need_not_be_flushed(self, things: Database) -> None:
        things.write(add, 3)

        assert things.read(names) == ["new", "new", "new"]

    def test_an_exception_leaves_nothing(self, things: Database) -> None:
        def fail(session: Session) -> None:
            rename(session)
            raise LookupError

        with pytest.raises(LookupError):
            things.write(fail)

        assert things.read(names) == ["new", "new"]

    def test_a_broken_constraint_is_for_the_service_to_explain(self, things: Database) -> None:
        with pytest.raises(IntegrityError):
            things.write(add, 1)

    def test_others_do_not_see_what_is_not_committed(self, things: Database) -> None:
        def look(session: Session) -> list[str]:
            rename(session)
            return things.read(names)

        assert things.write(look) == ["new", "new"]


class TestDeadline:
    def test_refuses_to_read_or_write_after_the_deadline(self, things: Database) -> None:
        for work in (things.read, things.write):
            with pytest.raises(RequestTimeout):
                within(-1, lambda work=work: work(rename))

        assert things.read(names) == ["new", "new"]

    def test_does_not_commit_after_the_deadline(self, things: Database) -> None:
        def dawdle(session: Session) -> None:
            rename(session)
            time.sleep(0.06)

        with pytest.raises(RequestTimeout):
            within(0.05, lambda: things.write(dawdle))

        assert things.read(names) == ["new", "new"]

    def test_says_after_a_commit_that_something_may_have_been_written(self, things: Database) -> None:
        def write_and_run_out_of_time() -> None:
            things.write(rename)
            request = context.current()
            assert request is not None
            request.deadline = 0
            context.check_deadline()

        with pytest.raises(RequestTimeout, match="its change may have been made"):
            within(60, write_and_run_out_of_time)
        with pytest.raises(RequestTimeout, match="was abandoned"):
            within(-1, context.check_deadline)

    def test_one_in_time_is_not_disturbed(self, things: Database) -> None:
        within(60, lambda: things.write(rename))

        assert things.read(names) == ["renamed", "new"]


@pytest.mark.usefixtures("things")
class TestWaiting:
    def test_a_lock_is_not_waited_for_longer_than_a_request(self, things: Database, settings: Settings) -> None:
        with opened(settings, request_timeout_seconds=1) as impatient, Session(things.writer) as other:
            rename(other)
            started = time.monotonic()
            with pytest.raises(RequestTimeout):
                impatient.write(rename)

        assert 0.5 < time.monotonic() - started < 30

    def test_no_free_connection_is_unavailable(self, settings: Settings) -> None:
        with opened(settings, request_timeout_seconds=1, database_pool_size=1) as small:
            for work, engine in ((small.read, small.reader), (small.write, small.writer)):
                with engine.connect(), pytest.raises(Unavailable):
                    work(names)

    def test_connections_go_back_to_the_pool_after_failures(self, settings: Settings) -> None:
        def fail(session: Session) -> None:
            names(session)
            raise LookupError

        with opened(settings, database_pool_size=1) as small:
            for work in (small.read, small.write) * 2:
                with pytest.raises(LookupError):
                    work(fail)


class TestDispose:
    def test_a_connection_in_use_is_closed_when_it_comes_back(self, settings: Settings) -> None:
        database = Database(settings)
        closed: list[object] = []
        event.listen(database.reader, "close", lambda connection, _: closed.append(connection))
        with database.reader.connect() as used:
            own = used.connection.dbapi_connection
            database.dispose()
            assert closed == []

        assert [own] == closed


class TestUnreachable:
    def test_a_database_that_is_away_is_unavailable(self, settings: Settings) -> None:
        with opened(without_database(settings)) as away:
            for work in (away.read, away.write):
                with pytest.raises(Unavailable) as failure:
                    work(names)

                assert failure.value.headers["Retry-After"] == "5"


class TestRead:
    def test_it_needs_no_transaction(self, things: Database) -> None:
        def count(session: Session) -> int:
            return session.scalar(select(func.count()).select_from(Thing)) or 0

        assert things.read(count) == 2
        assert things.reader.pool.checkedout() == 0  # ty: ignore[missing-attribute]

    @pytest.mark.parametrize("mistake", ["SELECT 1 FROM no_such", "SELECT no_such FROM things_of_the_tests"])
    def test_a_mistake_in_sql_does_not_look_like_an_outage(self, things: Database, mistake: str) -> None:
        with pytest.raises(DBAPIError, match="no_such"):
            things.read(lambda session: session.execute(text(mistake)))


class TestPlans:
    """The tests of indexes rely on this: a statement that has none is found out."""

    def test_a_statement_without_an_index_sorts_or_scans(self, things: Database) -> None:
        plan = things.write(
            lambda session: plan_of(session, lambda: session.scalars(select(Thing).order_by(Thing.name)))
        )

        assert plan.sorts or plan.scans
        assert plan.indexes == set()

    def test_one_with_an_index_does_not(self, things: Database) -> None:
        plan = things.write(lambda session: plan_of(session, lambda: session.get(Thing, 1)))

        assert not plan.sorts
        assert not plan.scans
