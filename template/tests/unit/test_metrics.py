"""Metrics of several processes, and their settings."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.core.errors import SettingsError
from app.core.settings import Settings
from app.metrics import processes
from app.metrics.checks import check

_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_COUNT = """
import os
from prometheus_client import Counter, Gauge
from app.metrics import processes
from app.metrics.exposition import exposition

counter = Counter("things_total", "Things.")
gauge = Gauge("things_open", "Open things.", multiprocess_mode="livesum")
for is_last in (False, True):
    if (child := os.fork()) == 0:
        processes.join()
        counter.inc()
        gauge.inc()
        if is_last:
            print(exposition("")[0].decode(), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that processes share."""
    monkeypatch.setenv(_VARIABLE, str(tmp_path))
    return tmp_path


class TestProcesses:
    def test_what_one_that_ended_has_counted_stays_and_what_it_had_open_goes(self, directory: Path) -> None:
        command = [sys.executable, "-c", _COUNT]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own command

        assert "things_total 2.0" in text
        assert "things_open 1.0" in text
        assert len([*directory.glob("counter_*.db")]) >= 2

    def test_one_that_lives_is_not_taken_for_dead(self, directory: Path) -> None:
        processes.join()

        assert processes.processes_that_ended() == []
        assert [mark.stem for mark in directory.glob("*.worker")] == [str(os.getpid())]

    @pytest.mark.parametrize(("free", "left"), [(2**30, 2), (2**20, 1)])
    def test_where_room_is_short_those_that_ended_are_forgotten(
        self, directory: Path, monkeypatch: pytest.MonkeyPatch, free: int, left: int
    ) -> None:
        with subprocess.Popen([sys.executable, "-c", ""]) as ended:
            pass
        for process in (ended.pid, os.getpid()):
            (directory / f"counter_{process}.db").touch()
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
        processes.join()

        assert len([*directory.glob("*.db")]) == left

    def test_alone_there_is_nothing_to_join(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv(_VARIABLE, raising=False)
        processes.join()

        assert not processes.is_shared()


class TestSharedDirectory:
    @pytest.mark.parametrize(
        ("arguments", "changes", "is_needed"),
        [
            (["serve"], {"workers": 2}, True),
            (["serve"], {"workers": 1}, False),
            (["serve"], {"workers": 2, "metrics_enabled": False}, False),
            (["migrate"], {"workers": 2}, False),
            ([], {"workers": 2}, False),
        ],
    )
    def test_several_workers_have_one_while_they_serve(
        self,
        settings: Settings,
        monkeypatch: pytest.MonkeyPatch,
        arguments: list[str],
        changes: dict[str, object],
        *,
        is_needed: bool,
    ) -> None:
        monkeypatch.delenv(_VARIABLE, raising=False)
        monkeypatch.setattr(processes, "get_settings", lambda: settings.model_copy(update=changes))
        with processes.shared_directory(arguments):
            named = os.environ.get(_VARIABLE)
            assert (named is not None and Path(named).is_dir()) is is_needed

        assert not processes.is_shared()
        assert named is None or not Path(named).exists()

    def test_one_that_the_environment_names_is_kept(self, directory: Path) -> None:
        with processes.shared_directory(["serve"]):
            assert os.environ[_VARIABLE] == str(directory)

        assert processes.is_shared()

    def test_wrong_settings_are_left_to_the_command(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail() -> None:
            raise SettingsError("PORT: wrong.")

        monkeypatch.setattr(processes, "get_settings", fail)
        with processes.shared_directory(["serve"]):
            assert not processes.is_shared()


class TestSettings:
    def test_a_port_with_nothing_to_show_is_refused(self, settings: Settings) -> None:
        check(settings.model_copy(update={"metrics_port": 9000}))

        with pytest.raises(SettingsError, match="METRICS_PORT"):
            check(settings.model_copy(update={"metrics_port": 9000, "metrics_enabled": False}))
