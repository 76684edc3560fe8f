"""API keys."""

from datetime import datetime

from sqlalchemy import JSON, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db.models.base import Base, Identified
from app.db.types import ExactText


class ApiKey(Identified, Base):
    """A key: of the secret, only a hash is kept."""

    __tablename__ = "api_keys"

    prefix: Mapped[str] = mapped_column(ExactText(16), unique=True)
    secret_hash: Mapped[str] = mapped_column(ExactText(64))
    owner: Mapped[str] = mapped_column(ExactText(128))
    scopes: Mapped[list[str]] = mapped_column(JSON)
    roles: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_api_keys_created_at", "created_at", "id"),)
