from collections.abc import Generator
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session

from app.db.database import Database
from app.db.models.base import Identified, Timestamps
from app.db.types import UTCDateTime


class Base(DeclarativeBase):
    """Not the service's, which may have no tables yet."""

    type_annotation_map = {datetime: UTCDateTime}  # noqa: RUF012 - SQLAlchemy reads a plain dict


class Parcel(Identified, Timestamps, Base):
    __tablename__ = "parcels_of_the_tests"

    note: Mapped[int | None]


@pytest.fixture
def parcels(shared_database: Database) -> Generator[Session]:
    Base.metadata.create_all(shared_database.writer)
    with Session(shared_database.writer) as session:
        yield session
    Base.metadata.drop_all(shared_database.writer)


class TestTimestamps:
    def test_a_new_row_was_not_changed(self, parcels: Session) -> None:
        made = [Parcel(), Parcel(created_at=datetime(2026, 1, 1, tzinfo=UTC))]
        parcels.add_all(made)
        parcels.flush()
        parcels.execute(insert(Parcel), [{"note": 1}, {"note": 2}])

        found = parcels.query(Parcel).all()
        assert [parcel.created_at for parcel in found] == [parcel.updated_at for parcel in found]
        assert len(found) == 4
