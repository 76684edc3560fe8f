import pytest

from app.auth import keys
from app.core.scopes import SCOPES
from app.core.settings import Settings
from app.db.database import Database
from tests.commands import assert_refused, run_app, run_process
from tests.databases import without_database

_SCOPES = ",".join(SCOPES)


@pytest.fixture(autouse=True)
def _environment(settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    assert settings.database_url is not None
    monkeypatch.setenv("DATABASE_URL", settings.database_url.get_secret_value())


class TestCreate:
    def test_the_last_line_is_the_key_alone(self, database: Database) -> None:
        outcome = run_process("keys", "create", "--owner", "alice", "--scopes", _SCOPES)

        key = outcome.out.splitlines()[-1]
        assert outcome.code == 0
        assert database.read(keys.find, key).owner == "alice"
        assert key not in outcome.err

    def test_it_has_what_it_was_granted(self, database: Database) -> None:
        outcome = run_app(
            *("keys", "create", "--owner", "root", "--scopes", _SCOPES, "--roles", "admin"),
            *("--expires", "2999-01-31T01:00:00+01:00"),
        )

        assert outcome.code == 0
        found = database.read(keys.find, outcome.out.splitlines()[-1])
        assert (list(SCOPES), ["admin"]) == (found.scopes, found.roles)
        assert found.expires_at is not None
        assert found.expires_at.isoformat() == "2999-01-31T00:00:00+00:00"

    @pytest.mark.parametrize(
        ("option", "value"),
        [
            ("--owner", ""),
            ("--owner", "x" * 65),
            ("--scopes", "nonsense"),
            ("--roles", "nonsense"),
            ("--expires", "tomorrow"),
            ("--expires", "2999-01-31T00:00:00"),
            ("--nonsense", "x"),
        ],
    )
    def test_a_bad_value_is_refused_by_its_option(self, option: str, value: str) -> None:
        options = {"--owner": "alice", "--scopes": _SCOPES, option: value}

        assert_refused(run_app("keys", "create", *(part for pair in options.items() for part in pair)), option)

    def test_an_owner_is_needed(self) -> None:
        assert_refused(run_app("keys", "create", "--scopes", _SCOPES), "--owner")


class TestList:
    def test_each_key_has_a_line_without_its_secret(self) -> None:
        made = [run_app("keys", "create", "--owner", owner, "--scopes", _SCOPES).out.strip() for owner in ("a", "b")]
        outcome = run_app("keys", "list")

        newest, oldest = outcome.out.splitlines()
        assert "  b  " in newest
        assert "  a  " in oldest
        for key in made:
            prefix, _, secret = key.removeprefix("key_").partition(".")
            assert prefix in outcome.out
            assert secret not in outcome.out

    def test_without_keys_there_is_nothing_to_list(self) -> None:
        assert run_app("keys", "list") == (0, "", "")


class TestRevoke:
    def test_a_revoked_key_is_gone(self) -> None:
        run_app("keys", "create", "--owner", "alice", "--scopes", _SCOPES)
        number = run_app("keys", "list").out.split()[0]

        assert run_app("keys", "revoke", number).code == 0
        assert run_app("keys", "list").out == ""
        assert_refused(run_app("keys", "revoke", number), number)

    def test_what_is_no_id_is_refused(self) -> None:
        assert_refused(run_app("keys", "revoke", "nonsense"), "nonsense")


class TestDatabase:
    @pytest.mark.parametrize("command", [["list"], ["create", "--owner", "a", "--scopes", _SCOPES]])
    def test_one_that_is_away_is_an_error(
        self, settings: Settings, command: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        url = without_database(settings).database_url
        assert url is not None
        monkeypatch.setenv("DATABASE_URL", url.get_secret_value())

        assert_refused(run_app("keys", *command), "database")
