"""The documents say what the code does."""

import re
from pathlib import Path

from app.core.errors import failures
from app.core.settings import Settings
from app.main import create_app

_ROW = re.compile(r"^\| (?P<status>\d{3}) \| `(?P<code>\w+)` \|", re.MULTILINE)


def test_every_error_code_is_documented() -> None:
    assert callable(create_app)  # Failures are known once the modules that define them are loaded.
    documented = {(int(row["status"]), row["code"]) for row in _ROW.finditer(Path("docs/errors.md").read_text("utf-8"))}

    assert {(failure.status, failure.code) for failure in failures()} == documented


def test_every_setting_is_documented() -> None:
    documented = set(re.findall(r"`([A-Z_]+)`", Path("docs/configuration.md").read_text("utf-8")))

    assert {name.upper() for name in Settings.model_fields} == documented & {n.upper() for n in Settings.model_fields}


def test_every_link_leads_somewhere() -> None:
    for page in (Path("README.md"), *Path("docs").glob("*.md")):
        links = re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text("utf-8"))
        assert [link for link in links if not (page.parent / link).exists()] == [], page


def test_every_test_that_a_page_names_is_there() -> None:
    for page in Path("docs").glob("*.md"):
        for file, name in re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", page.read_text("utf-8")):
            code = Path(file).read_text("utf-8")
            assert not name or re.search(rf"^(class|def) {name}\b", code, re.MULTILINE), f"{page}: {file}::{name}"
