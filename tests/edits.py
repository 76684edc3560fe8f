"""What a team does to its service between two updates: a resource of its own, and changes to what was rendered."""

import re
from pathlib import Path

from tests.jobs import add_job
from tests.updates import own_files

MODEL = '''\
"""Invoices."""

from sqlalchemy.orm import Mapped, mapped_column

from app.db.models.base import Base, Identified, Timestamps
from app.db.types import ExactText


class Invoice(Identified, Timestamps, Base):
    """What a customer has to pay."""

    __tablename__ = "invoices"

    number: Mapped[str] = mapped_column(ExactText(64), unique=True)
'''
REVISION = "5f0c6d1c2a7e"
MIGRATION = '''\
"""invoices"""

import sqlalchemy as sa
from alembic import op

from app.db import types

revision = "{revision}"
down_revision = "{previous}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "invoices",
        sa.Column("number", types.ExactText(length=64), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", types.UTCDateTime(), nullable=False),
        sa.Column("updated_at", types.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoices")),
        sa.UniqueConstraint("number", name=op.f("uq_invoices_number")),
    )


def downgrade() -> None:
    op.drop_table("invoices")
'''
SCHEMA = '''\
"""Invoices, as clients see them."""

from uuid import UUID

from app.schemas.base import Schema


class InvoiceRead(Schema):
    """An invoice."""

    id: UUID
    number: str
'''
SERVICE = '''\
"""What can be done with invoices."""

from uuid import UUID

from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.db.models.invoices import Invoice
from app.schemas.invoices import InvoiceRead


def get(session: Session, invoice_id: UUID) -> InvoiceRead:
    """Return the invoice `invoice_id`."""
    invoice = session.get(Invoice, invoice_id)
    if invoice is None:
        message = f"Invoice {invoice_id} does not exist."
        raise NotFound(message)
    return InvoiceRead(id=invoice.id, number=invoice.number)
'''
ROUTES = {
    "fastapi": '''\
"""Invoices."""

from uuid import UUID

from fastapi import APIRouter

from app.api.deps import Caller, Work
from app.api.routing import ContractRoute
from app.auth.policy import requires
from app.http.openapi import errors
from app.schemas.invoices import InvoiceRead
from app.services import invoices

router = APIRouter(prefix="/v1/invoices", tags=["invoices"], route_class=ContractRoute)


@router.get("/{invoice_id}", responses=errors(404))
@requires("orders:read")
async def get_invoice(invoice_id: UUID, _caller: Caller, work: Work) -> InvoiceRead:
    """Get an invoice."""
    return await work.read(invoices.get, invoice_id)
''',
    "flask": '''\
"""Invoices."""

from uuid import UUID

from app.api.deps import get_database
from app.api.routing import Router
from app.auth.policy import requires
from app.http.openapi import errors
from app.schemas.invoices import InvoiceRead
from app.services import invoices

router = Router("invoices", url_prefix="/v1/invoices")


@router.get("/<invoice_id>", responses=errors(404))
@requires("orders:read")
def get_invoice(invoice_id: UUID) -> InvoiceRead:
    """Get an invoice."""
    return get_database().read(invoices.get, invoice_id)
''',
}
TEST = """\
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.db.models.invoices import Invoice
from app.services import invoices


def test_an_invoice_is_found(session: Session) -> None:
    invoice = Invoice(number="1")
    session.add(invoice)
    session.flush()
    assert invoices.get(session, invoice.id).number == "1"


def test_another_is_not(session: Session) -> None:
    with pytest.raises(NotFound):
        invoices.get(session, uuid4())
"""
# Put in after the first line that fits, which is the anchor where a release has one.
LINES = {
    "pyproject.toml": ("--- dependencies of this service", '    "packaging>=24",\n'),
    "app/core/settings.py": ("--- settings of this service", "    invoice_days: int = 30\n"),
    "docs/configuration.md": ("`TRUSTED_PROXIES`", "| `INVOICE_DAYS` | 30 | when an invoice is due |\n"),
    ".env.example": ("--- settings of this service|LOG_LEVEL", "INVOICE_DAYS=30\n"),
    "README.md": ("# ", "\nAsk #orders on chat.\n"),
    "docs/architecture.md": ("# ", "\nInvoices are ours.\n"),
}
SIDECAR = """\
  metrics:
    image: registry.example.com/metrics:1
    networks: [edge]

"""

RENAMED = ("order_lists", "order_pages")
"""A module of services, as the template and as the team calls it."""


def edit(service: Path, framework: str) -> None:
    """Do to a service with the example what a team would."""
    add_resource(service, framework)
    for name, (words, line) in LINES.items():
        _insert(service / name, words, line)
    _replace(service / "deploy/compose/compose.yaml", "\nnetworks:\n", f"\n{SIDECAR}networks:\n")
    _replace(service / "Dockerfile", "USER 10001", "RUN mkdir /reports\nUSER 10001", missing="FROM python:3.13\n")
    add_job(service)
    (service / "CHANGELOG.md").unlink()
    (service / "tests/integration/test_order_indexes.py").unlink()
    _rename(service, *RENAMED)


def migration(previous: str) -> str:
    """Return the migration that makes the table of the resource, after another one."""
    return MIGRATION.format(revision=REVISION, previous=previous)


def newest_migration(service: Path) -> str:
    """Return the last revision of the template in a service."""
    return max(path.stem for path in (service / "app/db/migrations/versions").glob("0*.py"))


def add_resource(service: Path, framework: str) -> None:
    """Add invoices to a service, in every layer, as a team would: after the newest migration."""
    files = {
        "app/db/models/invoices.py": MODEL,
        "app/db/migrations/versions/20261201_invoices.py": migration(newest_migration(service)),
        "app/schemas/invoices.py": SCHEMA,
        "app/services/invoices.py": SERVICE,
        "app/api/routes/invoices.py": ROUTES[framework],
        "tests/integration/test_invoices.py": TEST,
    }
    for name, text in files.items():
        (service / name).write_text(text, "utf-8")


def _insert(path: Path, words: str, line: str) -> None:
    if path.exists():
        lines = path.read_text("utf-8").splitlines(keepends=True)
        fits = [index for word in words.split("|") for index, text in enumerate(lines) if word in text]
        at = fits[0]
        path.write_text("".join([*lines[: at + 1], line, *lines[at + 1 :]]), "utf-8")


def _replace(path: Path, old: str, new: str, *, missing: str = "") -> None:
    if path.exists():
        text = path.read_text("utf-8")
        assert old in text, f"{path} has no {old!r}"
        path.write_text(text.replace(old, new, 1), "utf-8")
    elif missing:
        path.write_text(missing, "utf-8")


def _rename(service: Path, old: str, new: str) -> None:
    """Rename a service module, and import it by its new name."""
    (service / f"app/services/{old}.py").rename(service / f"app/services/{new}.py")
    for name, path in own_files(service).items():
        if name.endswith(".py"):
            path.write_text(re.sub(rf"\b{old}\b", new, path.read_text("utf-8")), "utf-8")
