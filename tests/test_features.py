"""A feature is a folder that a service or an option adds: nothing else is edited for it."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import Install
from tests.rendering import render
from tests.service import UNMEASURED, Service

FEATURE = Path(__file__).parent / "feature"


@pytest.mark.parametrize("framework", ["fastapi", "flask"])
def test_a_folder_plugs_in(template: Path, tmp_path: Path, framework: str) -> None:
    service = Service(render(template, tmp_path / "service", framework=framework, database="sqlite", auth="none"))
    service.run("uv", "sync", "--quiet")
    shutil.copytree(FEATURE / "cache", service.directory / "app/cache")
    shutil.copy(FEATURE / "calls.py", service.directory / "tests/unit/test_cache.py")

    service.run("uv", "run", "ty", "check")
    service.run("uv", "run", "lint-imports")
    service.with_settings(UNMEASURED).run("uv", "run", "pytest", "-q", "tests/unit/test_cache.py")


def test_the_tests_of_a_service_bear_a_feature(template: Path, tmp_path: Path) -> None:
    service = Service(render(template, tmp_path / "service", database="sqlite", auth="none"))
    service.run("uv", "sync", "--quiet")
    shutil.copytree(FEATURE / "cache", service.directory / "app/cache")
    page = service.directory / "docs/configuration.md"
    page.write_text(page.read_text("utf-8") + "\n`CACHE_URL`, `CACHE_SECONDS`\n", "utf-8")

    service.with_settings(UNMEASURED).run("uv", "run", "just", "test")


REFUSED = {
    "settings.py": ("from app.core.settings import Settings\n", "cannot import name 'Settings'"),
    "commands.py": ("def command(): ...\n", "app/billing/commands.py has no command of click `command`"),
    "http.py": ("import httpx2\n", "app/billing/http.py has no function `middleware`"),
}
SECOND_SERVE = "import click\n@click.command()\ndef serve(): ...\ncommand = serve\n"


def test_a_folder_that_does_not_fit_is_one_sentence(install: Install) -> None:
    service = install({"framework": "fastapi", "database": "sqlite", "auth": "none", "example": True})
    folder = service.directory / "app/billing"
    cases = [*((name, *case) for name, case in REFUSED.items()), ("commands.py", SECOND_SERVE, "a command `serve`")]
    for name, code, sentence in cases:
        folder.mkdir()
        (folder / name).write_text(code, "utf-8")
        try:
            printed = service.fails("uv", "run", "app", "serve")
        finally:
            shutil.rmtree(folder)
        assert sentence in printed
        assert printed.startswith("Error: ")
        assert 1 == printed.count("\n"), printed
