"""What Alembic is told beyond the connection and the tables."""

from typing import Any

OPTIONS: dict[str, Any] = {}
