import pytest
from sqlalchemy import select

from app.auth.users import UserDetails
from app.core.scopes import SCOPES
from app.core.settings import Settings
from app.db.database import Database
from app.db.models.users import User, UserSession
from app.services import accounts
from tests.callers import PASSWORD, headers_for
from tests.commands import assert_refused, run_app
from tests.databases import without_database

_EMAIL = "ada@example.com"


@pytest.fixture(autouse=True)
def user(settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch) -> UserDetails:
    assert settings.database_url is not None
    monkeypatch.setenv("DATABASE_URL", settings.database_url.get_secret_value())
    return accounts.register(database, _EMAIL, PASSWORD)


def stored(database: Database) -> User:
    return database.read(lambda session: session.scalars(select(User)).one())


class TestGrant:
    def test_the_user_has_the_role_and_can_lose_it(self, database: Database) -> None:
        granted = run_app("users", "grant", _EMAIL, "admin")
        roles = stored(database).roles
        revoked = run_app("users", "revoke", _EMAIL, "admin")

        assert (granted.code, roles) == (0, ["admin"])
        assert (revoked.code, stored(database).roles) == (0, [])

    def test_the_address_is_known_in_any_case(self, database: Database) -> None:
        assert run_app("users", "grant", _EMAIL.upper(), "admin").code == 0
        assert stored(database).roles == ["admin"]

    def test_twice_is_once(self, database: Database) -> None:
        for _ in range(2):
            assert run_app("users", "grant", _EMAIL, "admin").code == 0

        assert stored(database).roles == ["admin"]

    @pytest.mark.parametrize("command", ["grant", "revoke"])
    @pytest.mark.parametrize(
        ("arguments", "word"),
        [
            (["eve@example.com", "admin"], "eve@example.com"),
            ([_EMAIL, "emperor"], "emperor"),
            ([_EMAIL], "ROLE"),
            ([], "EMAIL"),
            ([_EMAIL, "admin", "more"], "more"),
        ],
    )
    def test_refuses_invalid_arguments(self, command: str, arguments: list[str], word: str) -> None:
        assert_refused(run_app("users", command, *arguments), word)

    def test_a_role_that_is_not_there_cannot_be_taken(self) -> None:
        assert_refused(run_app("users", "revoke", _EMAIL, "admin"), "does not have the role admin")


class TestLimit:
    @pytest.mark.parametrize(
        ("sent", "scopes"), [("all", None), ("", []), (",".join(SCOPES), sorted(SCOPES)), (" , ", [])]
    )
    def test_the_user_can_have_no_other_scopes(self, database: Database, sent: str, scopes: list[str] | None) -> None:
        outcome = run_app("users", "limit", _EMAIL, sent)

        assert (0, scopes) == (outcome.code, stored(database).scopes)

    @pytest.mark.parametrize(("email", "sent"), [(_EMAIL, "no:such"), ("eve@example.com", "all")])
    def test_refuses_invalid_arguments(self, email: str, sent: str) -> None:
        assert_refused(run_app("users", "limit", email, sent))


class TestSignOut:
    def test_all_sessions_end(self, database: Database) -> None:
        for _ in range(2):
            headers_for(database, "ada")

        assert run_app("users", "sign-out", _EMAIL).code == 0
        ended = database.read(lambda session: session.scalars(select(UserSession.revoked_at)).all())
        assert len(ended) == 2
        assert None not in ended

    def test_refuses_to_sign_out_an_unknown_user(self) -> None:
        assert_refused(run_app("users", "sign-out", "eve@example.com"), "eve@example.com")


def test_a_database_that_is_away_is_an_error(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    url = without_database(settings).database_url
    assert url is not None
    monkeypatch.setenv("DATABASE_URL", url.get_secret_value())

    assert_refused(run_app("users", "grant", _EMAIL, "admin"), "database")
