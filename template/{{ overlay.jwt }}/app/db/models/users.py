"""Users, where they are signed in, and the refresh tokens that keep them signed in."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db.models.base import Base, Identified, Timestamps
from app.db.types import ExactText


class User(Identified, Timestamps, Base):
    """A user. `email_key` is the address without its case, which can grow when it is folded.

    `scopes` bounds what the user is granted, and is null where nothing does. A disabled user can do nothing.
    """

    __tablename__ = "users"

    email: Mapped[str] = mapped_column(ExactText(254))
    email_key: Mapped[str] = mapped_column(ExactText(762), unique=True)
    password_hash: Mapped[str] = mapped_column(ExactText(255))
    # Not moved by a new hash of the same password.
    password_changed_at: Mapped[datetime]
    roles: Mapped[list[str]] = mapped_column(JSON)
    scopes: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    disabled_at: Mapped[datetime | None]
    email_proven_at: Mapped[datetime | None]


class UserSession(Identified, Base):
    """One sign-in: all refresh tokens that descend from it are its family, and end with it.

    `last_used_at` is when it was last refreshed, and null where it was not yet.
    """

    __tablename__ = "sessions"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    scopes: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_sessions_user_id", "user_id"), Index("ix_sessions_expires_at", "expires_at"))


class RefreshToken(Identified, Base):
    """A refresh token: only a hash is kept, also of those that were used, so that a second use is noticed."""

    __tablename__ = "refresh_tokens"

    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    token_hash: Mapped[str] = mapped_column(ExactText(64), unique=True)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_refresh_tokens_session_id", "session_id"),)


class OneTimeToken(Identified, Base):
    """What sets a new password or proves an address, once: only a hash is kept."""

    __tablename__ = "one_time_tokens"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    purpose: Mapped[str] = mapped_column(ExactText(16))
    token_hash: Mapped[str] = mapped_column(ExactText(64), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]

    __table_args__ = (Index("ix_one_time_tokens_user_id", "user_id"),)
