"""A service without the example, by the words of its own docs/architecture.md."""

import re
from pathlib import Path

from tests.conftest import NewDatabase
from tests.edits import add_resource
from tests.rendering import git, render
from tests.service import UNMEASURED, Service
from tests.updates import commit

SECTION = re.compile(r"^## Remove the example\n(.*?)(?=^## )", re.MULTILINE | re.DOTALL)
INSERT = """
from app.core.settings import get_settings
from app.db.database import Database
from app.db.models.invoices import Invoice
Database(get_settings()).write(lambda session: session.add(Invoice(number="2026-1")))
"""
FAILURE = """
from app.core.errors import AppError


class AlreadyPaid(AppError):
    status, code = 409, "already_paid"
    when = "the invoice is paid"
"""
FIXTURE = """

@pytest.fixture
def clerk(client: httpx2.Client, database: Database) -> Caller:
    return Caller(client, headers_for(database, "clerk", list(SCOPES)))
"""
TEST = """
from tests.requests import Caller


def test_callers_are_who_they_are(alice: Caller, clerk: Caller) -> None:
    assert alice != clerk
"""
SELECT = """
from sqlalchemy import inspect, select
from app.core.settings import get_settings
from app.db.database import Database
from app.db.models.invoices import Invoice
database = Database(get_settings())
print(database.read(lambda session: session.scalars(select(Invoice.number)).all()))
print(sorted(name for name in inspect(database.writer).get_table_names() if "order" in name))
"""


def instructions(service: Service) -> list[list[str]]:
    """Return the commands of each block of the section, in order."""
    text = (service.directory / "docs/architecture.md").read_text("utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", SECTION.findall(text)[0], re.DOTALL)
    return [block.splitlines() for block in blocks]


def follow(service: Service, commands: list[str]) -> None:
    for command in commands:
        service.run("sh", "-c", command)


def add_failure_and_fixture(project: Path) -> None:
    """Add an error beside those of orders, and a fixture beside `alice`."""
    (project / "app/core/failures/invoices.py").write_text(f'"""Failures of invoices."""\n{FAILURE}', "utf-8")
    fixtures = project / "tests/contract/conftest.py"
    fixtures.write_text(fixtures.read_text("utf-8") + FIXTURE, "utf-8")
    (project / "tests/contract/test_clerk.py").write_text(TEST.lstrip(), "utf-8")


def new_service(template: Path, directory: Path, framework: str, database: str, auth: str) -> Service:
    project = render(template, directory, framework=framework, database=database, auth=auth, example=True)
    # Coverage is measured where variants are tested.
    service = Service(project, UNMEASURED)
    git(directory, "init", "--quiet")
    service.run("uv", "sync", "--quiet")
    commit(service.directory, "Lock")
    return service


def test_a_new_service_loses_it(template: Path, tmp_path: Path) -> None:
    service = new_service(template, tmp_path / "service", "flask", "sqlite", "api_key")
    take_it_out, _ = instructions(service)
    follow(service, take_it_out)
    service.run("uv", "run", "just", "check")
    commit(service.directory, "Remove the example")
    assert "" == git(service.directory, "ls-files", "*order*")


def test_a_service_with_data_keeps_what_is_its_own(template: Path, new_database: NewDatabase, tmp_path: Path) -> None:
    service = new_service(template, tmp_path / "service", "fastapi", "postgresql", "jwt")
    service = service.with_settings(new_database("postgresql"))
    add_resource(service.directory, "fastapi")
    add_failure_and_fixture(service.directory)
    routes = service.directory / "app/api/routes/invoices.py"
    routes.write_text(routes.read_text("utf-8").replace('"orders:read"', 'role="admin"'), "utf-8")
    service.run("uv", "run", "just", "openapi")
    service.run("uv", "run", "just", "errors")
    service.run("uv", "run", "just", "migrate")
    service.run("uv", "run", "python", "-c", INSERT)
    commit(service.directory, "Add invoices")

    take_it_out, drop_its_tables = instructions(service)
    follow(service, [*take_it_out, *drop_its_tables])
    assert "['2026-1']\n[]\n" == service.run("uv", "run", "python", "-c", SELECT)
    service.run("uv", "run", "just", "check")
    assert "" == git(
        service.directory, "status", "--porcelain", "app/services/invoices.py", "tests/contract/conftest.py"
    )
    assert "already_paid" in (service.directory / "docs/errors.md").read_text("utf-8")
