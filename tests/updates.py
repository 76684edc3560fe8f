"""Services that a release rendered, as their teams keep them: in git, and updated by Copier."""

import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from copier import Settings, VcsRef, run_update
from filelock import FileLock

from tests.rendering import TAG, Answers, git, hurried, render_release, rendered_files, variant_id

# What an update leaves alone, with the reason why it need not equal a fresh copy.
SEEDED = {
    "README.md": "the team's own words",
    "CHANGELOG.md": "the team's own history",
    "openapi.json": "made anew from the service's own code, by `uv run just openapi`",
}
MARKER = re.compile(r"^(<<<<<<<|>>>>>>>)( |$)", re.MULTILINE)
CONFLICT = re.compile(r"^<<<<<<< .*\n((?s:.*?))^=======\n((?s:.*?))^>>>>>>> .*\n", re.MULTILINE)
# Above it stand the lines of the template, below it those of the team.
ANCHOR = re.compile(r"^( *)(#|//) --- [a-z ]+ of this service go below this line ---$", re.MULTILINE)
NEWER = "v999.1.0"
AUDITS = '''\
"""Audits."""

from sqlalchemy.orm import Mapped, mapped_column

from app.db.models.base import Base, Identified
from app.db.types import ExactText


class Audit(Identified, Base):
    """What somebody did."""

    __tablename__ = "audits"

    action: Mapped[str] = mapped_column(ExactText(64))
'''
AUDITS_MIGRATION = '''\
"""audits"""

import sqlalchemy as sa
from alembic import op

from app.db import types
from app.db.migrations.chain import previous

revision = "0009_audits"
down_revision = previous(__file__)
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audits",
        sa.Column("action", types.ExactText(length=64), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audits")),
    )


def downgrade() -> None:
    op.drop_table("audits")
'''

Rendering = Callable[..., Path]


@pytest.fixture(scope="session")
def rendering(template: Path, shared: Path) -> Rendering:
    """Return a function that renders a variant by a release, once for this test run; the tests only read it."""

    def once(answers: Answers, tag: str = TAG) -> Path:
        project = shared / "releases" / tag / variant_id(answers)
        with FileLock(f"{project}.lock"):
            return project if project.exists() else render_release(template, project, tag, answers)

    return once


def started(rendered: Path, destination: Path) -> Path:
    """Return a service of its own made from a rendering, with its first commit."""
    shutil.copytree(rendered, destination)
    git(destination, "init", "--quiet")
    commit(destination, "Start from the template")
    return destination


def commit(service: Path, message: str) -> None:
    """Commit all that has changed in a service."""
    git(service, "add", "--all")
    git(service, "commit", "--quiet", "--no-verify", "--message", message)


def update(service: Path, to: str | VcsRef = TAG, **answers: object) -> Path:
    """Update a service as a bot would, with changed answers if there are any, and return it."""
    with hurried():
        run_update(
            service,
            data=answers,
            vcs_ref=to,
            defaults=True,
            overwrite=True,
            skip_answered=True,
            unsafe=False,
            quiet=True,
            settings=Settings(),
        )
    return service


def own_files(project: Path) -> dict[str, Path]:
    """Return the files of a service by their path, without git's own."""
    return {name: path for name, path in rendered_files(project).items() if not name.startswith(".git/")}


def differences(fresh: Path, service: Path, aside: Mapping[str, str] = SEEDED) -> list[str]:
    """Return the files whose content or right to be executed is not that of a fresh copy, those in `aside` left out."""
    texts = [
        {name: (path.read_bytes(), path.stat().st_mode & 0o111) for name, path in own_files(project).items()}
        for project in (fresh, service)
    ]
    names = texts[0].keys() | texts[1].keys()
    return sorted(name for name in names - aside.keys() if texts[0].get(name) != texts[1].get(name))


def conflicts(service: Path) -> set[str]:
    """Return the files in which an update has left something to solve."""
    files = own_files(service)
    marked = {name for name, path in files.items() if MARKER.search(path.read_text("utf-8", "replace"))}
    return marked | {name for name in files if name.endswith(".rej")}


def settle(service: Path, renamed: tuple[str, str]) -> None:
    """Settle the conflicts of an update as a team would: the template's lines and then its own.

    Of a Dockerfile and of a line of a route there is one: the template's, with the module that the team has renamed.
    """
    for name in conflicts(service):
        path = service / name
        both = r"\2" if name in {"Dockerfile", "app/api/routes/orders.py"} else r"\2\1"
        text = CONFLICT.sub(both, path.read_text("utf-8"))
        path.write_text(re.sub(rf"\b{renamed[0]}\b", renamed[1], text), "utf-8")


def removed(start: Path, edited: Path) -> set[str]:
    """Return the files that a team has removed or renamed."""
    return own_files(start).keys() - own_files(edited).keys()


def lost_lines(start: Path, edited: Path, updated: Path) -> list[str]:
    """Return the lines that a team has added to its service and that an update has lost."""
    before, team, after = (own_files(project) for project in (start, edited, updated))
    lost = []
    for name, path in team.items():
        old, new, now = (set(_lines(files.get(name))) for files in (before, {name: path}, after))
        lost += [f"{name}: {line}" for line in sorted(new - old - now)]
    return lost


def _lines(path: Path | None) -> list[str]:
    return path.read_text("utf-8", "replace").splitlines() if path else []


def next_release(template: Path, destination: Path) -> Path:
    """Clone the template under test and tag a synthetic newer release of it, `NEWER`, with lines and a table to add."""
    git(destination.parent, "clone", "--quiet", str(template), str(destination))
    for path in sorted((destination / "template").rglob("*")):
        if path.is_file() and ANCHOR.search(text := path.read_text("utf-8")):
            path.write_text(ANCHOR.sub(r"\1\2 The template's newest line.\n\g<0>", text), "utf-8")
    models = destination / "template/app/db"
    (models / "models/audits.py").write_text(AUDITS, "utf-8")
    (models / "migrations/versions/0009_audits.py").write_text(AUDITS_MIGRATION, "utf-8")
    commit(destination, "A newer release")
    git(destination, "tag", NEWER)
    return destination
