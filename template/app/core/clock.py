"""The time. Everything that needs the present asks here, so that a test can set it."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the present instant in UTC, with microseconds."""
    return datetime.now(UTC)
