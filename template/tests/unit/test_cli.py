from pathlib import Path

import pytest

from app.core.settings import Settings
from app.db import dialect
from app.main import openapi_json
from tests.commands import Outcome, assert_refused, run_app, run_process
from tests.databases import without_database


class TestErrors:
    def test_a_process_says_one_sentence_and_fails(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DATABASE_URL", "oracle://ada:hunter2@db.example/app")
        outcome = run_process("migrate")

        assert_refused(outcome, "DATABASE_URL", dialect.HOW_TO_START)
        assert "hunter2" not in outcome.err

    @pytest.mark.parametrize("command", ["serve", "migrate"])
    def test_production_without_a_database_does_not_start(
        self, command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        # Where no .env is: a developer's names a database.
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("ENVIRONMENT", "production")
        monkeypatch.setenv("DATABASE_URL", "")

        assert_refused(run_app(command), "DATABASE_URL is not set")

    def test_a_wrong_setting_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PORT", "hunter2")
        outcome = run_app("serve")

        assert_refused(outcome, "PORT")
        assert "hunter2" not in outcome.err

    @pytest.mark.parametrize("arguments", [["nonsense"], ["migrate", "a", "b"], ["serve", "--nonsense"]])
    def test_refuses_unknown_commands_and_arguments(self, arguments: list[str]) -> None:
        assert_refused(run_app(*arguments))

    def test_an_unreachable_database_is_an_error(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        url = without_database(settings).database_url
        assert url is not None
        monkeypatch.setenv("DATABASE_URL", url.get_secret_value())

        refused = run_app("migrate")

        assert_refused(refused, "database")
        assert "just migrate" not in refused.err

    def test_an_unknown_revision_is_an_error(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        assert settings.database_url is not None
        monkeypatch.setenv("DATABASE_URL", settings.database_url.get_secret_value())

        assert_refused(run_app("migrate", "nonsense"), "nonsense")


class TestOpenapi:
    def test_a_current_file_passes_the_check(self) -> None:
        assert run_app("openapi", "--check") == Outcome(0, "", "")

    def test_it_writes_what_the_code_produces(self, tmp_path: Path) -> None:
        written = tmp_path / "openapi.json"

        assert run_app("openapi", str(written)) == Outcome(0, "", "")
        assert openapi_json() == written.read_text("utf-8")

    @pytest.mark.parametrize("content", [None, "", "{}"])
    def test_check_fails_for_a_stale_or_missing_file(self, tmp_path: Path, content: str | None) -> None:
        file = tmp_path / "openapi.json"
        if content is not None:
            file.write_text(content, "utf-8")

        assert_refused(run_app("openapi", "--check", str(file)), "uv run just openapi")

    def test_a_folder_that_is_not_there_is_an_error(self, tmp_path: Path) -> None:
        assert_refused(run_app("openapi", str(tmp_path / "no" / "openapi.json")), "No such file")


class TestHelp:
    def test_every_command_says_what_it_does(self) -> None:
        outcome = run_app("--help")

        assert outcome.code == 0
        for command in ("serve", "migrate", "openapi"):
            assert f"  {command} " in outcome.out

    def test_without_a_command_it_is_shown(self) -> None:
        outcome = run_app()

        assert outcome.code != 0
        assert "Usage: " in outcome.err
