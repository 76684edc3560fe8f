"""The safe ways of docs/migrations.md are what they are called: `just lint` takes them, and they run on rows."""

import re
import textwrap
from pathlib import Path

import pytest

from tests.conftest import Install, NewDatabase
from tests.edits import newest_migration
from tests.service import Service

ROWS = 2500
MODEL = '''"""Things."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.models.base import Base


class Thing(Base):
    """A thing."""

    __tablename__ = "things"

    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("things.id"))
    name: Mapped[str] = mapped_column(String(20))
    size: Mapped[int]
    colour: Mapped[str | None] = mapped_column(String(20))
'''
FIRST = f"""things = op.create_table(
    "things",
    sa.Column("id", sa.Integer(), primary_key=True),
    sa.Column("parent_id", sa.Integer()),
    sa.Column("name", sa.String(20), nullable=False),
    sa.Column("size", sa.Integer(), nullable=False),
    sa.Column("note", sa.String(20)),
)
op.bulk_insert(things, [{{"id": n, "parent_id": 1, "name": str(n), "size": n}} for n in range(1, {ROWS + 1})])
"""
MIGRATION = '''"""Step {number}."""

import sqlalchemy as sa
from alembic import op

revision = "{number:02}"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade() -> None:
{steps}


def downgrade() -> None:
    """Nobody goes back here."""
'''
FILL = """import sys

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core.settings import get_settings
from app.db.database import Database
from app.db.models.things import Thing

database = Database(get_settings())
{code}
database.dispose()
"""


def ways(service: Service) -> tuple[list[str], str]:
    """Return the code of the migrations in docs/migrations.md, in the order of the page, and what fills a column."""
    page = (service.directory / "docs/migrations.md").read_text("utf-8")
    found = re.findall(r"^ *```python\n(.*?)^ *```$", page, re.DOTALL | re.MULTILINE)
    blocks = [textwrap.dedent(block) for block in found]
    fill = "\n".join(block for block in blocks if "fill_some" in block)
    return [block for block in blocks if re.search(r"^ *(with )?op\.", block, re.MULTILINE)], fill


def write(service: Service, number: int, steps: str) -> Path:
    before = f"{number - 1:02}" if number else newest_migration(service.directory)
    path = service.directory / f"app/db/migrations/versions/{number:02}.py"
    path.write_text(
        MIGRATION.format(number=number, before=before, steps=textwrap.indent(steps.rstrip(), "    ")), "utf-8"
    )
    return path


@pytest.mark.parametrize(("database", "count"), [("postgresql", 12), ("mysql", 4), ("sqlite", 4)])
def test_safe_ways_are_taken_and_run_on_rows(
    install: Install, new_database: NewDatabase, tmp_path: Path, database: str, count: int
) -> None:
    answers = {"framework": "fastapi", "database": database, "auth": "none", "example": False}
    settings = new_database(database) or {"DATABASE_URL": f"sqlite:///{tmp_path}/things.sqlite"}
    service = install(answers).with_settings(settings)
    (add, *others), fill = ways(service)
    assert len(others) == count - 1
    model = service.directory / "app/db/models/things.py"
    model.write_text(MODEL, "utf-8")
    files = [model]
    try:
        files += [write(service, number, steps) for number, steps in enumerate((FIRST, add))]
        service.run("uv", "run", "app", "migrate")
        service.run("uv", "run", "python", "-c", FILL.format(code=fill))
        files += [write(service, number, steps) for number, steps in enumerate(others, len(files) - 1)]
        service.run("uv", "run", "app", "migrate")
        service.run("uv", "run", "python", "-m", "app.db.migrations.safety")
    finally:
        for file in files:
            file.unlink()
