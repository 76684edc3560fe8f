import hmac
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.auth import keys, scheme
from app.auth.keys import KeyGrant, NewKey
from app.auth.principal import ADMIN, Credentials, Principal
from app.core import clock
from app.core.errors import InvalidCursor, NotFound, Unauthenticated, Unavailable
from app.core.scopes import SCOPES
from app.db.database import Database
from app.db.models.api_keys import ApiKey
from app.schemas.keys import KeyQuery

_ROOT = Principal("root", roles=frozenset({ADMIN}))
_UNKNOWN = "key_0123456789abcdef." + "A" * 43


@pytest.fixture
def key(session: Session) -> NewKey:
    return made(session)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Set the clock."""
    return lambda instant: monkeypatch.setattr(clock, "now", lambda: instant)


def made(session: Session, **changes: Any) -> NewKey:
    return keys.create(session, replace(KeyGrant(owner="alice", scopes=list(SCOPES)), **changes))


class TestCreate:
    def test_a_key_has_a_prefix_that_names_it_and_a_secret(self, key: NewKey) -> None:
        assert re.fullmatch(r"key_[0-9a-f]{16}\.[A-Za-z0-9_-]{43}", key.key)
        assert key.key.startswith(f"key_{key.prefix}.")

    def test_only_a_hash_is_stored(self, session: Session, key: NewKey) -> None:
        row = session.execute(select(*ApiKey.__table__.columns).where(ApiKey.id == key.id)).one()

        secret = key.key.partition(".")[2]
        assert secret not in str(row)
        assert re.fullmatch("[0-9a-f]{64}", row.secret_hash)

    def test_no_two_are_alike(self, session: Session) -> None:
        assert len({made(session).key.partition(".")[2] for _ in range(10)}) == 10


class TestFind:
    def test_the_key_itself_is_found(self, session: Session, key: NewKey) -> None:
        found = keys.find(session, key.key)

        assert (key.id, "alice", list(SCOPES), []) == (found.id, found.owner, found.scopes, found.roles)

    def test_refuses_anything_but_the_key(self, session: Session, key: NewKey) -> None:
        prefix, _, secret = key.key.partition(".")
        other = made(session).key.partition(".")
        for wrong in (
            *("", "garbage", _UNKNOWN, prefix, secret, f"{prefix}.", f"{prefix}.{'A' * 43}"),
            *(f"{prefix}.{other[2]}", f"{other[0]}.{secret}", key.key + "A", key.key[:-1], key.key + "\n"),
            *(key.key.swapcase(), f" {key.key}", f"{prefix}.{secret[:-1]}\0", f"{prefix}.{'é' * 43}"),
        ):
            with pytest.raises(Unauthenticated):
                keys.find(session, wrong)

    def test_an_expired_one_is_refused_from_that_instant_on(
        self, session: Session, at: Callable[[datetime], None]
    ) -> None:
        expiry = clock.now() + timedelta(hours=1)
        key = made(session, expires_at=expiry)

        at(expiry - timedelta(microseconds=1))
        assert key.id == keys.find(session, key.key).id
        at(expiry)
        with pytest.raises(Unauthenticated):
            keys.find(session, key.key)

    def test_a_revoked_one_is_refused(self, session: Session, key: NewKey) -> None:
        keys.revoke(session, key.id)

        with pytest.raises(Unauthenticated):
            keys.find(session, key.key)

    @pytest.mark.parametrize("kind", ["right", "wrong", "unknown", "malformed"])
    def test_secrets_are_compared_once_in_constant_time_whatever_was_sent(
        self, session: Session, key: NewKey, kind: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        compared, compare = list[int](), hmac.compare_digest

        def counted(left: str, right: str) -> bool:
            compared.append(len(left))
            assert len(left) == len(right)
            return compare(left, right)

        monkeypatch.setattr(hmac, "compare_digest", counted)
        sent = {"right": key.key, "wrong": f"{key.key[:21]}{'A' * 43}", "unknown": _UNKNOWN, "malformed": "garbage"}
        try:
            keys.find(session, sent[kind])
        except Unauthenticated:
            assert kind != "right"

        assert compared == [64]


class TestRevoke:
    def test_it_works_once(self, session: Session, key: NewKey) -> None:
        keys.revoke(session, key.id)

        with pytest.raises(NotFound):
            keys.revoke(session, key.id)

    def test_other_keys_of_the_owner_stay(self, session: Session, key: NewKey) -> None:
        other = made(session)
        keys.revoke(session, key.id)

        assert other.id == keys.find(session, other.key).id


class TestList:
    def test_pages_show_each_key_once_newest_first_without_secrets(self, session: Session) -> None:
        made_keys = [made(session, owner=f"owner {number}") for number in range(5)]
        keys.revoke(session, made_keys.pop(2).id)
        shown, cursor = [], None
        while cursor is not None or not shown:
            page = keys.list_keys(session, _ROOT, KeyQuery(limit=2, cursor=cursor))
            shown += page.data
            cursor = page.next_cursor

        assert [key.id for key in reversed(made_keys)] == [key.id for key in shown]
        assert not any(key.key.partition(".")[2] in str(shown) for key in made_keys)

    def test_a_cursor_belongs_to_one_caller(self, session: Session) -> None:
        made(session)
        made(session)
        cursor = keys.list_keys(session, _ROOT, KeyQuery(limit=1)).next_cursor

        with pytest.raises(InvalidCursor):
            keys.list_keys(session, Principal("other"), KeyQuery(limit=1, cursor=cursor))


class TestAuthenticate:
    def test_the_caller_has_what_the_key_was_granted(self, database: Database) -> None:
        key = database.write(made, roles=[ADMIN])
        caller = scheme.authenticate(database, Credentials((key.key,)))

        assert Principal("alice", frozenset(SCOPES), frozenset({ADMIN})) == caller

    def test_one_key_is_needed(self, database: Database) -> None:
        key = database.write(made).key
        for credentials in (Credentials(), Credentials(("",)), Credentials((key, key))):
            with pytest.raises(Unauthenticated):
                scheme.authenticate(database, credentials)

    def test_its_use_is_noted_at_most_once_a_minute(self, database: Database, at: Callable[[datetime], None]) -> None:
        key, start = database.write(made), clock.now()
        noted = []
        for seconds in (0, 1, 60, 61, 62, 121, 122):
            at(start + timedelta(seconds=seconds))
            scheme.authenticate(database, Credentials((key.key,)))
            noted.append(database.read(lambda session: session.get_one(ApiKey, key.id).last_used_at))

        assert [start + timedelta(seconds=seconds) for seconds in (0, 0, 0, 61, 61, 61, 122)] == noted

    def test_a_database_that_takes_no_changes_is_asked_again_in_a_minute(
        self, database: Database, at: Callable[[datetime], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        key, start = database.write(made), clock.now()
        asked: list[int] = []

        def refuse(*_: object) -> None:
            asked.append(seconds)
            raise Unavailable

        with monkeypatch.context() as patch:
            patch.setattr(scheme, "_notes", scheme._Notes())  # noqa: SLF001 - what other tests have left
            patch.setattr(database, "write", refuse)
            for seconds in (0, 1, 59, 60, 61):
                at(start + timedelta(seconds=seconds))
                assert scheme.authenticate(database, Credentials((key.key,))).subject == "alice"

        assert asked == [0, 60]
