"""The documents say what the code does."""

import re
from importlib import import_module
from pathlib import Path

from app.core.failures import with_table
from app.core.settings import Settings


def test_every_error_is_documented() -> None:
    page = Path("docs/errors.md").read_text("utf-8")

    assert page == with_table(page), "run: uv run just errors"


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


def test_every_name_is_where_a_page_says() -> None:
    page = Path("docs/architecture.md").read_text("utf-8")
    _, _, section = page.partition("## Where names come from\n")
    rows = re.findall(r"^\| (`.*`) \| `(app[\w.]+)` \|$", section.partition("\n## ")[0], re.MULTILINE)
    named = [(module, name) for names, module in rows for name in re.findall(r"`(\w+)`", names)]

    assert [f"{module}.{name}" for module, name in named if not hasattr(import_module(module), name)] == []
    assert ("app.auth.policy", "requires") in named
