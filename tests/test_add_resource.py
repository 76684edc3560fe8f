"""A service with one more resource, by the words of docs/how-to/add-a-resource.md."""

import re
from pathlib import Path

import pytest

from tests.conftest import NewDatabase
from tests.rendering import REPOSITORY, git, render
from tests.service import UNMEASURED, Service

HOW_TO = (REPOSITORY / "docs/how-to/add-a-resource.md").read_text("utf-8")
BLOCK = re.compile(r"^```(?P<language>sh|python)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
PLACE = re.compile(r"^`([\w/]+\.py)`", re.MULTILINE)
FRAMEWORK = re.compile(r"^With (\w+):$", re.MULTILINE)
OWN_LINES = re.compile(r"^ *# --- \w+ of this service go below this line ---\n", re.MULTILINE)
ORDER = """
from decimal import Decimal
from app.auth.principal import Principal
from app.core.settings import get_settings
from app.db.database import Database
from app.services.orders import OrderContent, OrderLine, create
line = OrderLine(sku="TEA", quantity=1, unit_price=Decimal("1.50"))
content = OrderContent(reference="1", customer_email="a@example.com", currency="EUR", note=None, items=[line])
Database(get_settings()).write(create, Principal("billing"), content)
"""


def sections() -> list[str]:
    return re.split(r"^## ", HOW_TO, flags=re.MULTILINE)[1:]


def follow(service: Service, section: str, framework: str) -> None:
    """Write the files of a section, and run its commands, in the order in which they stand there."""
    place = PLACE.search(section)
    for block in BLOCK.finditer(section):
        named = FRAMEWORK.findall(section[: block.start()])
        if block["language"] == "sh":
            for command in block["code"].splitlines():
                service.run("sh", "-c", command)
        elif place and (not named or named[-1].lower() == framework):
            write(service.directory / place[1], block["code"])


def write(path: Path, code: str) -> None:
    """Write a new file, or lines of the service below the anchor of a file that is there."""
    if path.exists():
        code = OWN_LINES.sub(lambda anchor: anchor[0] + code, path.read_text("utf-8"))
    path.write_text(code, "utf-8")


@pytest.mark.quick
def test_every_layer_has_its_section() -> None:
    folders = [found[1].rpartition("/")[0] for section in sections() if (found := PLACE.search(section))]
    layers = ["db/models", "schemas", "core/failures", "services", "core", "api/routes"]
    assert [*(f"app/{layer}" for layer in layers), "tests/contract"] == folders


@pytest.mark.parametrize(
    ("framework", "database", "auth"), [("fastapi", "postgresql", "jwt"), ("flask", "mysql", "api_key")]
)
def test_the_how_to_adds_a_resource(
    template: Path, new_database: NewDatabase, tmp_path: Path, framework: str, database: str, auth: str
) -> None:
    directory = render(template, tmp_path / "service", framework=framework, database=database, auth=auth)
    # Coverage is measured where variants are tested.
    service = Service(directory, {**new_database(database), **UNMEASURED})
    git(directory, "init", "--quiet")
    service.run("uv", "sync", "--quiet")
    service.run("uv", "run", "just", "migrate")
    service.run("uv", "run", "python", "-c", ORDER)
    for section in sections():
        follow(service, section, framework)
