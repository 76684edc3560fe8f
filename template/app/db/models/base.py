"""What all tables share."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import MetaData, Uuid
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.core.clock import now
from app.core.ids import new_id
from app.db.types import UTCDateTime


class Base(DeclarativeBase):
    """Declarative base; the naming convention gives every constraint a name that migrations can drop."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UTCDateTime, UUID: Uuid}  # noqa: RUF012 - SQLAlchemy reads a plain dict


def _made_at(context: DefaultExecutionContext) -> datetime:
    made: datetime = context.get_current_parameters()["created_at"]
    return made


class Timestamps:
    """When a row was made and last changed: at the same time, in a new one."""

    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=_made_at)


class Identified:
    """A UUIDv7 made by the service."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
