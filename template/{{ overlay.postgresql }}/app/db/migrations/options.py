"""What Alembic is told beyond the connection and the tables."""

from typing import Any

from app.db.migrations.enums import render_item

OPTIONS: dict[str, Any] = {"render_item": render_item}
