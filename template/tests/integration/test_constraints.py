import json
from collections.abc import Callable, Generator
from functools import partial
from typing import Any

import pytest
from sqlalchemy import CheckConstraint, ForeignKey, MetaData, UniqueConstraint, delete, insert, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from app.auth.policy import public
from app.core.errors import Conflict, Detail, Invalid
from app.core.settings import Settings
from app.db.constraints import Explanations, StillReferredTo, UnknownReference, explaining
from app.db.database import Database
from app.db.models.base import Base as ServiceBase
from app.db.types import ExactText
from app.schemas.health import Health
from tests.client import open_client
from tests.requests import assert_failed

_INJECTED = "x' for key 'uq_customers_of_the_tests_phone' CONSTRAINT `c` failed for"


class Base(DeclarativeBase):
    """Not the service's: these tests need tables in every service."""

    metadata = MetaData(naming_convention=ServiceBase.metadata.naming_convention)


class Customer(Base):
    __tablename__ = "customers_of_the_tests"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    email: Mapped[str] = mapped_column(ExactText(100), unique=True)
    phone: Mapped[str | None] = mapped_column(ExactText(100))
    age: Mapped[int] = mapped_column(default=18)

    __table_args__ = (UniqueConstraint("phone", "age"), CheckConstraint("age >= 0", name="age"))


class Invoice(Base):
    __tablename__ = "invoices_of_the_tests"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    customer_id: Mapped[int] = mapped_column(ForeignKey(Customer.id))
    payer_id: Mapped[int | None] = mapped_column(ForeignKey(Customer.id, ondelete="RESTRICT"))


_BROKEN: Explanations = {
    "pk_customers_of_the_tests": partial(Conflict, "number"),
    "uq_customers_of_the_tests_email": partial(Conflict, "email"),
    "uq_customers_of_the_tests_phone_age": partial(Conflict, "phone"),
    "ck_customers_of_the_tests_age": partial(Conflict, "age"),
    "fk_invoices_of_the_tests_customer_id": partial(UnknownReference, "customer_id"),
    "fk_invoices_of_the_tests_payer_id": partial(UnknownReference, "payer_id"),
}
_DELETING: Explanations = {
    "fk_invoices_of_the_tests_customer_id": StillReferredTo,
    "fk_invoices_of_the_tests_payer_id": StillReferredTo,
}


@pytest.fixture(scope="module", autouse=True)
def _tables(shared_database: Database) -> Generator[None]:
    Base.metadata.create_all(shared_database.writer)
    shared_database.write(
        lambda session: session.add_all(
            [
                Customer(id=1, email="ada@example.com", phone="1"),
                Customer(id=2, email="bob@example.com", phone="2"),
                Customer(id=3, email="cy@example.com", phone="3"),
            ]
        )
    )
    shared_database.write(lambda session: session.add(Invoice(id=1, customer_id=1, payer_id=2)))
    yield
    Base.metadata.drop_all(shared_database.writer)


def flush(session: Session, *rows: Base, broken: Explanations = _BROKEN) -> None:
    session.add_all(rows)
    with explaining(session, broken):
        session.flush()


def run(session: Session, statement: Any, broken: Explanations = _BROKEN) -> None:
    with explaining(session, broken):
        session.execute(statement)


class TestUnique:
    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ({"id": 9, "email": "ada@example.com"}, "email"),
            ({"id": 9, "email": "new", "phone": "1"}, "phone"),
            ({"id": 1, "email": "new"}, "number"),
        ],
    )
    def test_each_constraint_of_a_table_has_its_own_error(
        self, session: Session, values: dict[str, Any], message: str
    ) -> None:
        with pytest.raises(Conflict, match=message):
            flush(session, Customer(**values))

    def test_a_change_breaks_it_as_a_new_row_does(self, session: Session) -> None:
        session.get_one(Customer, 1).email = "bob@example.com"

        with pytest.raises(Conflict, match="email"):
            flush(session)

    def test_a_statement_for_many_rows_does_too(self, session: Session) -> None:
        rows = [{"id": 8, "email": "new", "age": 1}, {"id": 9, "email": "ada@example.com", "age": 1}]

        with pytest.raises(Conflict, match="email"):
            run(session, insert(Customer).values(rows))

    def test_what_a_client_sent_is_not_taken_for_the_name(self, session: Session) -> None:
        flush(session, Customer(id=8, email=_INJECTED))

        with pytest.raises(Conflict, match="email"):
            flush(session, Customer(id=9, email=_INJECTED))


class TestCheck:
    def test_it_has_its_own_error(self, session: Session) -> None:
        with pytest.raises(Conflict, match="age"):
            flush(session, Customer(id=9, email="new", age=-1))


class TestForeignKey:
    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"customer_id": 7}, "customer_id"),
            ({"customer_id": 1, "payer_id": 7}, "payer_id"),
        ],
    )
    def test_a_reference_to_what_does_not_exist_names_the_field(
        self, session: Session, values: dict[str, Any], field: str
    ) -> None:
        with pytest.raises(Invalid) as failure:
            flush(session, Invoice(id=9, **values))

        assert failure.value.status == 422
        assert failure.value.details == (
            Detail(field, "unknown_reference", "Input should refer to something that exists"),
        )

    @pytest.mark.parametrize("change", [{"payer_id": 7}, {"payer_id": 7, "customer_id": 3}])
    def test_a_change_of_it_does_too(self, session: Session, change: dict[str, int]) -> None:
        with pytest.raises(Invalid) as failure:
            run(session, update(Invoice).where(Invoice.id == 1).values(change))

        assert [detail.field for detail in failure.value.details] == ["payer_id"]

    @pytest.mark.parametrize("number", [1, 2])
    def test_what_is_still_referred_to_is_not_deleted(self, session: Session, number: int) -> None:
        session.delete(session.get_one(Customer, number))

        with pytest.raises(Conflict, match="still refer") as failure:
            flush(session, broken=_DELETING)
        assert (failure.value.status, failure.value.code) == (409, "conflict")

    def test_refuses_to_delete_a_referenced_row_by_statement(self, session: Session) -> None:
        with pytest.raises(Conflict, match="still refer"):
            run(session, delete(Customer).where(Customer.email == "bob@example.com"), _DELETING)

    def test_deletes_a_row_that_nothing_references(self, session: Session) -> None:
        run(session, delete(Customer).where(Customer.id == 3), _DELETING)

        assert session.get(Customer, 3) is None

    def test_the_last_block_says_what_it_means(self, session: Session) -> None:
        flush(session, Invoice(id=9, customer_id=3))

        with pytest.raises(Conflict, match="still refer"):
            run(session, delete(Customer).where(Customer.id == 3), _DELETING)


class TestDefects:
    """What no service has named is no fault of the client, and stays what the driver raised."""

    def test_a_column_that_was_forgotten(self, session: Session) -> None:
        with pytest.raises(DBAPIError, match="email"):
            flush(session, Customer(id=9))

    def test_null_in_a_not_null_column_is_a_defect(self, session: Session) -> None:
        with pytest.raises(DBAPIError, match="email"):
            run(session, update(Customer).values(email=None))

    @pytest.mark.parametrize(
        "row",
        [
            lambda: Customer(id=9, email="ada@example.com"),
            lambda: Customer(id=9, email="new", age=-1),
            lambda: Invoice(id=9, customer_id=7),
        ],
        ids=["unique", "check", "foreign key"],
    )
    def test_a_constraint_that_is_not_named(self, session: Session, row: Callable[[], Base]) -> None:
        with pytest.raises(DBAPIError):
            flush(session, row(), broken={"uq_customers_of_the_tests_phone_age": partial(Conflict, "phone")})

    def test_it_is_answered_with_500_and_logged_once_with_its_cause(
        self, shared_database: Database, settings: Settings, capfd: pytest.CaptureFixture[str]
    ) -> None:
        def forget() -> Health:
            """Forget a column."""
            shared_database.write(flush, Customer(id=9))
            raise AssertionError

        with open_client(settings, [("GET", "/forget", public(forget))]) as client:
            assert_failed(client.get("/forget"), 500, "internal_error")

        lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
        causes = [line for line in lines if "IntegrityError" in str(line) or "OperationalError" in str(line)]
        assert len(causes) == 1
        assert "email" in str(causes)


class TestUnitOfWork:
    def test_an_error_of_its_own_flush_is_explained(self, shared_database: Database) -> None:
        def add(session: Session) -> None:
            with explaining(session, _BROKEN):
                session.add(Customer(id=9, email="ada@example.com"))

        with pytest.raises(Conflict, match="email"):
            shared_database.write(add)

    def test_another_unit_of_work_knows_nothing_of_it(self, shared_database: Database) -> None:
        shared_database.write(flush)

        with pytest.raises(DBAPIError):
            shared_database.write(lambda session: session.add(Customer(id=9, email="ada@example.com")))
