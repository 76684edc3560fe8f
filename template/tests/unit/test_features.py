"""Folders of `app` that plug in."""

import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import cast

import pytest

import app
from app.core import features
from app.core.errors import FeatureError, SettingsError
from app.core.features import FeatureSettings
from app.core.settings import Settings
from app.db.database import Database
from app.services.health import readiness

Plant = Callable[[str, str], object]

_CHECK = """
from app.core.errors import FeatureError, SettingsError

def check(settings):
    raise SettingsError("LANTERN_URL is not set.")
"""
_SETTINGS = """
from app.core.features import FeatureSettings

class LanternSettings(FeatureSettings):
    lantern_url: str = "here"

class Others(FeatureSettings):
    lantern_url: str = "there"
"""
_LIST = """
from app.core.entries import CommaSeparated
from app.core.features import FeatureSettings

class LanternSettings(FeatureSettings):
    lantern_colours: CommaSeparated = ()
"""

_EXTENDED = """
from app.lantern.base import LanternSettings

class Own(LanternSettings):
    wick: int = 1
"""


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Plant]:
    """Return a function that writes a module of a folder `lantern`, which is in `app` for this test."""
    folder = tmp_path / "lantern"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.setattr(app, "__path__", [*app.__path__, str(tmp_path)])
    yield lambda module, code: (folder / module).write_text(code, "utf-8")
    for name in [name for name in sys.modules if name.startswith("app.lantern")]:
        del sys.modules[name]


def test_a_check_stops_the_start(plant: Plant, settings: Settings) -> None:
    features.check(settings)
    plant("checks.py", _CHECK)

    with pytest.raises(SettingsError, match="LANTERN_URL is not set"):
        features.check(settings)


@pytest.mark.parametrize(
    ("answer", "status", "result"),
    [
        ("return True", "ready", "ok"),
        ("return False", "unavailable", "failed"),
        ("pass", "unavailable", "failed"),
        ("return 'no'", "unavailable", "failed"),
        ("raise OSError", "unavailable", "failed"),
    ],
)
def test_readiness_asks_each(plant: Plant, database: Database, answer: str, status: str, result: str) -> None:
    plant("readiness.py", f"def is_ready(database):\n    {answer}\n")
    found = readiness(database).model_dump()

    assert found["status"] == status
    assert found["checks"]["lantern"] == result


@pytest.mark.parametrize(
    ("module", "code", "sentence"),
    [
        ("checks.py", "def verify(settings): ...", "app/lantern/checks.py has no function `check`"),
        ("readiness.py", "is_ready = True", "app/lantern/readiness.py has no function `is_ready`"),
        ("commands.py", "def command(): ...", "app/lantern/commands.py has no command of click `command`"),
        ("http.py", "import httpx2", "app/lantern/http.py has no function `middleware`"),
        ("checks.py", "async def check(settings): ...", "app/lantern/checks.py: write `def check`"),
        ("readiness.py", "async def is_ready(database): ...", "app/lantern/readiness.py: write `def is_ready`"),
        ("http.py", "async def middleware(app, settings): ...", "app/lantern/http.py: write `def middleware`"),
    ],
)
def test_a_module_that_does_not_fit_stops_the_start(
    plant: Plant, settings: Settings, module: str, code: str, sentence: str
) -> None:
    plant(module, code)

    with pytest.raises(FeatureError, match=sentence):
        features.check(settings)


def test_a_folder_is_found_without_an_init(plant: Plant, settings: Settings, tmp_path: Path) -> None:
    plant("checks.py", _CHECK)
    (tmp_path / "lantern/__init__.py").unlink()

    with pytest.raises(SettingsError, match="LANTERN_URL is not set"):
        features.check(settings)


def test_readiness_has_lines_of_its_own(plant: Plant, settings: Settings, tmp_path: Path) -> None:
    plant("readiness.py", "def is_ready(database): return False")
    (tmp_path / "lantern").rename(tmp_path / "migrations")

    with pytest.raises(FeatureError, match=r"^app/migrations/readiness.py: /readyz has a line of that name"):
        features.check(settings)


class TestSettings:
    def test_a_module_without_any_is_refused(self, plant: Plant) -> None:
        plant("settings.py", "lantern_url = 'here'")

        with pytest.raises(FeatureError, match=r"^app/lantern/settings.py has no subclass of `FeatureSettings`"):
            features.settings_of_features()

    def test_a_list_has_commas(self, plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
        plant("settings.py", _LIST)
        monkeypatch.setenv("LANTERN_COLOURS", "red, green")

        assert features.settings_of_features()().model_dump()["lantern_colours"] == ("red", "green")

    def test_two_features_cannot_have_one(self, plant: Plant) -> None:
        plant("settings.py", _SETTINGS)

        with pytest.raises(FeatureError) as refused:
            features.settings_of_features()
        owners = "app.lantern.settings.LanternSettings and app.lantern.settings.Others"
        assert str(refused.value) == f"LANTERN_URL is a setting of both {owners}: each needs a name of its own."

    def test_a_feature_cannot_have_one_of_the_service(self) -> None:
        class Lantern(FeatureSettings):
            port: int = 1

        class Whole(Lantern):
            port: int = 2

        with pytest.raises(FeatureError, match=r"^PORT is a setting of both .*Whole and .*Lantern"):
            features.check(cast("Settings", Whole.model_construct()))

    def test_those_that_are_extended_or_imported_are_read_once(self, plant: Plant) -> None:
        plant("base.py", _SETTINGS.replace("class Others(FeatureSettings)", "class Others(LanternSettings)"))
        plant("settings.py", _EXTENDED)
        found = features.settings_of_features()

        assert found.model_fields["wick"].default == 1
        assert found.model_fields["lantern_url"].default == "here"

    def test_one_that_needs_all_settings_is_named(self, plant: Plant) -> None:
        plant("settings.py", "raise ImportError(\"cannot import name 'Settings'\", name='app.core.settings')")

        with pytest.raises(FeatureError, match=r"cannot import name 'Settings'\. Import it where"):
            features.settings_of_features()
