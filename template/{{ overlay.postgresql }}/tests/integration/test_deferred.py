from collections.abc import Generator

import pytest
from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from app.core.errors import Conflict
from app.db.constraints import explaining
from app.db.database import Database


class Base(DeclarativeBase):
    """Not the service's, which may have no such constraint."""


class Place(Base):
    __tablename__ = "places_of_the_tests"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    rank: Mapped[int]

    __table_args__ = (UniqueConstraint("rank", name="uq_rank", deferrable=True, initially="DEFERRED"),)


@pytest.fixture(autouse=True)
def _table(shared_database: Database) -> Generator[None]:
    Base.metadata.create_all(shared_database.writer)
    yield
    Base.metadata.drop_all(shared_database.writer)


def test_a_constraint_that_is_checked_at_the_commit_is_explained(shared_database: Database) -> None:
    def add(session: Session) -> None:
        session.add_all([Place(id=1, rank=1), Place(id=2, rank=1)])
        with explaining(session, {"uq_rank": Conflict}):
            session.flush()

    with pytest.raises(Conflict):
        shared_database.write(add)
