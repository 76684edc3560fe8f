"""A table that every service has while these tests run."""

from sqlalchemy import select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from app.db.types import ExactText


class Base(DeclarativeBase):
    """Not the service's, which may have no tables yet."""


class Thing(Base):
    __tablename__ = "things_of_the_tests"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(ExactText(64))


def add(session: Session, number: int) -> None:
    session.add(Thing(id=number, name="new"))


def rename(session: Session, number: int = 1, name: str = "renamed") -> None:
    session.execute(update(Thing).where(Thing.id == number).values(name=name))


def names(session: Session) -> list[str]:
    return list(session.scalars(select(Thing.name).order_by(Thing.id)))
