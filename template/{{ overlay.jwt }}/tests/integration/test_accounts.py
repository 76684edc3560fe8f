"""Accounts on the real database: what is committed, and what happens at once."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import TypeVar

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.auth import administration, sessions, tokens, users
from app.auth.principal import Principal
from app.auth.users import UserDetails
from app.core import clock
from app.core.errors import AppError, Forbidden, Unauthenticated
from app.core.scopes import SCOPES
from app.core.settings import Settings
from app.db.database import Database
from app.db.models.users import RefreshToken, User, UserSession
from app.services import accounts
from app.services.accounts import Tokens, UserChanges
from tests.callers import PASSWORD
from tests.integration.work import opened

T = TypeVar("T")

_EMAIL = "ada@example.com"
_SECRET = (_EMAIL, PASSWORD)
_THREADS = 4


@pytest.fixture
def user(database: Database) -> UserDetails:
    return accounts.register(database, *_SECRET)


def at_once(call: Callable[[int], T]) -> list[T | AppError]:
    """Return what calls that start together return or raise."""
    start = Barrier(_THREADS)

    def one(number: int) -> T | AppError:
        start.wait(5)
        try:
            return call(number)
        except AppError as error:
            return error

    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(one, range(_THREADS)))


def kinds(outcomes: list[T | AppError]) -> Counter[str]:
    return Counter(type(outcome).__name__ for outcome in outcomes)


def caller_of(database: Database, pair: Tokens) -> Principal:
    settings = database.settings
    return database.read_latest(sessions.principal, settings, tokens.read(settings, pair.access_token))


class TestRegister:
    def test_concurrent_registrations_of_one_address_succeed_once(self, database: Database) -> None:
        emails = [_EMAIL, _EMAIL.upper(), _EMAIL.title(), _EMAIL]
        outcomes = at_once(lambda n: accounts.register(database, emails[n], PASSWORD))

        assert kinds(outcomes) == {"UserDetails": 1, "EmailTaken": _THREADS - 1}
        assert database.read(_count, User) == 1

    def test_the_password_is_not_stored(self, database: Database, user: UserDetails) -> None:
        stored = database.read(lambda session: session.scalar(select(User.password_hash)))

        assert user.email == _EMAIL
        assert stored is not None
        assert PASSWORD not in stored
        assert stored.startswith("$argon2id$")


@pytest.mark.usefixtures("user")
class TestSignIn:
    def test_it_hashes_again_when_the_parameters_have_changed(self, database: Database, settings: Settings) -> None:
        with opened(settings, auth_password_iterations=2) as stronger:
            accounts.sign_in(stronger, *_SECRET)
            first = database.read(_hash)
            accounts.sign_in(stronger, *_SECRET)

        assert ",t=2," in first
        assert first == database.read(_hash)

    def test_a_wrong_password_changes_no_hash(self, database: Database, settings: Settings) -> None:
        before = database.read(_hash)
        with opened(settings, auth_password_iterations=2) as stronger, pytest.raises(Unauthenticated):
            accounts.sign_in(stronger, _EMAIL, "wrong")

        assert before == database.read(_hash)

    def test_many_at_once_all_come_in_while_hashes_are_renewed(self, settings: Settings) -> None:
        with opened(settings, auth_password_iterations=2) as stronger:
            assert kinds(at_once(lambda _: accounts.sign_in(stronger, *_SECRET))) == {"Tokens": _THREADS}

    def test_a_password_that_was_changed_in_the_meantime_is_not_good(self, database: Database) -> None:
        known = database.read(users.secret_of, _EMAIL)
        assert known is not None
        database.write(lambda session: session.execute(update(User).values(password_changed_at=clock.now())))
        verified = (database.settings, known.user_id, known.password_changed_at, None)

        assert database.write(sessions.start, *verified) is None

    def test_sessions_that_have_expired_are_cleared_away(self, database: Database) -> None:
        for _ in range(2):
            accounts.sign_in(database, *_SECRET)
        past = clock.now() - timedelta(seconds=1)
        database.write(lambda session: session.execute(update(UserSession).values(expires_at=past)))
        accounts.sign_in(database, *_SECRET)

        assert (database.read(_count, UserSession), database.read(_count, RefreshToken)) == (1, 1)


@pytest.mark.usefixtures("user")
class TestRefresh:
    def test_concurrent_refreshes_succeed_at_most_once(self, database: Database) -> None:
        for _ in range(3):
            pair = accounts.sign_in(database, *_SECRET)
            outcomes = at_once(lambda _, token=pair.refresh_token: accounts.refresh(database, token))

            assert kinds(outcomes) == {"Tokens": 1, "Unauthenticated": _THREADS - 1}

    def test_concurrent_refreshes_get_the_same_token_within_the_grace(self, settings: Settings) -> None:
        with opened(settings, auth_refresh_grace_seconds=60) as database:
            pair = accounts.sign_in(database, *_SECRET)
            outcomes = at_once(lambda _: accounts.refresh(database, pair.refresh_token))

        assert kinds(outcomes) == {"Tokens": _THREADS}
        assert len({outcome.refresh_token for outcome in outcomes if isinstance(outcome, Tokens)}) == 1

    def test_that_a_session_was_revoked_is_committed_although_the_answer_is_a_refusal(self, database: Database) -> None:
        pair = accounts.sign_in(database, *_SECRET)
        accounts.refresh(database, pair.refresh_token)
        with pytest.raises(Unauthenticated):
            accounts.refresh(database, pair.refresh_token)

        assert database.read(lambda session: session.scalar(select(UserSession.revoked_at))) is not None

    def test_of_a_token_only_a_hash_is_stored(self, database: Database) -> None:
        pair = accounts.sign_in(database, *_SECRET)
        stored = database.read(lambda session: session.scalar(select(RefreshToken.token_hash)))

        assert stored is not None
        assert pair.refresh_token.removeprefix("refresh_") not in stored
        assert len(stored) == 64


@pytest.mark.usefixtures("user")
class TestUpdate:
    def test_of_two_changes_with_one_password_the_second_fails(self, database: Database) -> None:
        caller = caller_of(database, accounts.sign_in(database, *_SECRET))
        known = database.read(users.own_secret, caller)
        assert known is not None
        accounts.update_me(database, caller, UserChanges(password="a better one", current_password=PASSWORD))

        with pytest.raises(Forbidden):
            database.write(users.update_me, database.settings, caller, known, "eve@example.com", None)

    def test_many_at_once_leave_one_session(self, database: Database) -> None:
        pairs = [accounts.sign_in(database, *_SECRET) for _ in range(_THREADS)]
        callers = [caller_of(database, pair) for pair in pairs]
        outcomes = at_once(
            lambda n: accounts.update_me(
                database, callers[n], UserChanges(password=f"password {n}", current_password=PASSWORD)
            )
        )

        assert kinds(outcomes) == {"UserDetails": 1, "Forbidden": _THREADS - 1}
        alive = select(func.count()).select_from(UserSession).where(UserSession.revoked_at.is_(None))
        assert database.read(lambda session: session.scalar(alive)) == 1

    def test_a_user_who_is_gone_cannot_change(self, database: Database) -> None:
        caller = caller_of(database, accounts.sign_in(database, *_SECRET))
        database.write(lambda session: session.delete(session.scalars(select(User)).one()))

        with pytest.raises(Forbidden):
            accounts.update_me(database, caller, UserChanges(password="a better one", current_password=PASSWORD))
        with pytest.raises(Unauthenticated):
            accounts.update_me(database, caller, UserChanges())


@pytest.mark.usefixtures("user")
class TestPrincipal:
    def test_it_is_the_user_with_all_scopes(self, database: Database, user: UserDetails) -> None:
        caller = caller_of(database, accounts.sign_in(database, *_SECRET))

        assert (str(user.id), frozenset(SCOPES), frozenset[str]()) == (caller.subject, caller.scopes, caller.roles)

    def test_what_is_granted_counts_at_once(self, database: Database) -> None:
        pair = accounts.sign_in(database, *_SECRET)
        database.write(administration.grant, _EMAIL, "admin")
        database.write(administration.limit, _EMAIL, [])

        assert caller_of(database, pair).is_admin
        assert caller_of(database, pair).scopes == frozenset()

    def test_it_is_read_where_nothing_lags_behind(self, database: Database, settings: Settings) -> None:
        pair = accounts.sign_in(database, *_SECRET)
        with opened(settings, database_read_url=settings.database_url) as replicated:
            assert replicated.latest is not replicated.reader
            assert caller_of(replicated, pair)


def _count(session: Session, model: type[User | UserSession | RefreshToken]) -> int:
    return session.scalars(select(func.count()).select_from(model)).one()


def _hash(session: Session) -> str:
    return session.scalars(select(User.password_hash)).one()
