"""Idempotency keys: which requests were made, and what they were answered."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db.models.base import Base, Identified
from app.db.types import ExactText

LARGEST_ANSWER = 65_535
"""The largest answer that is kept, in bytes: what every database takes."""


class IdempotencyKey(Identified, Base):
    """A key of a caller. While `status` is null, the request that holds it is under way, until `held_until` at most."""

    __tablename__ = "idempotency_keys"

    caller: Mapped[str] = mapped_column(ExactText(128))
    key: Mapped[str] = mapped_column(ExactText(255))
    fingerprint: Mapped[str] = mapped_column(ExactText(64))
    holder: Mapped[UUID]
    held_until: Mapped[datetime]
    expires_at: Mapped[datetime]
    status: Mapped[int | None]
    headers: Mapped[list[tuple[str, str]] | None] = mapped_column(JSON(none_as_null=True))
    body: Mapped[bytes | None] = mapped_column(LargeBinary)

    __table_args__ = (UniqueConstraint("caller", "key"), Index("ix_idempotency_keys_expires_at", "expires_at"))
