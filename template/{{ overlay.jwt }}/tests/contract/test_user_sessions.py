"""Sessions that users see and end, and users who are disabled or deleted."""

from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.core import clock
from app.core.settings import Settings
from app.db.database import Database
from app.db.models import Base
from app.db.models.users import OneTimeToken, UserSession
from tests.client import open_client
from tests.commands import assert_refused
from tests.conftest import Command
from tests.requests import assert_failed
from tests.users import EMAIL, bearer, refresh, register, set_password, sign_in, tokens_of

_ME = "/v1/users/me"


def count_of(session: Session, table: type[Base]) -> int:
    return session.scalars(select(func.count()).select_from(table)).one()


class TestSessions:
    def test_a_user_sees_and_ends_them(self, client: httpx2.Client) -> None:
        register(client)
        first, second = tokens_of(client), tokens_of(client)
        caller = bearer(client, first)
        listed = caller.get(f"{_ME}/sessions").json()
        other = listed["data"][0]["id"]
        ended = [caller.delete(f"{_ME}/sessions/{other}").status_code for _ in range(2)]

        assert [each["is_current"] for each in listed["data"]] == [False, True]
        assert (listed["next_cursor"], listed["has_more"]) == (None, False)
        assert ended == [204, 404]
        assert_failed(bearer(client, second).get(_ME), 401, "unauthenticated")
        assert_failed(refresh(client, second), 401, "unauthenticated")
        assert [each["is_current"] for each in caller.get(f"{_ME}/sessions").json()["data"]] == [True]

    def test_nobody_ends_those_of_another(self, client: httpx2.Client) -> None:
        register(client)
        register(client, "eve@example.com")
        mine = bearer(client, tokens_of(client))
        session = mine.get(f"{_ME}/sessions").json()["data"][0]["id"]

        eve = bearer(client, tokens_of(client, "eve@example.com"))
        assert_failed(eve.delete(f"{_ME}/sessions/{session}"), 404, "not_found")
        assert mine.get(_ME).status_code == 200

    def test_sessions_are_paginated(self, client: httpx2.Client) -> None:
        register(client)
        caller, _, _ = (bearer(client, tokens_of(client)) for _ in range(3))
        query = f"{_ME}/sessions?limit=2"
        page = caller.get(query).json()
        seen = page["data"] + caller.get(f"{query}&cursor={page['next_cursor']}").json()["data"]

        assert len({each["id"] for each in seen}) == 3
        assert seen[2]["is_current"]

    def test_an_idle_one_ends(self, client: httpx2.Client, settings: Settings, database: Database) -> None:
        register(client)
        used, idle = tokens_of(client), tokens_of(client)
        used = refresh(client, used).json()
        long_ago = clock.now() - timedelta(seconds=settings.auth_session_idle_seconds + 1)
        database.write(lambda session: session.execute(update(UserSession).values(created_at=long_ago)))

        assert_failed(refresh(client, idle), 401, "unauthenticated")
        used = refresh(client, used).json()
        assert len(bearer(client, used).get(f"{_ME}/sessions").json()["data"]) == 1

    def test_of_too_many_the_one_that_was_not_used_for_longest_ends(
        self, settings: Settings, client: httpx2.Client
    ) -> None:
        register(client)
        with open_client(settings.model_copy(update={"auth_sessions_per_user": 2})) as crowded:
            first, second = tokens_of(crowded), tokens_of(crowded)
            first = refresh(crowded, first).json()
            third = tokens_of(crowded)

            assert [bearer(crowded, each).get(_ME).status_code for each in (first, second, third)] == [200, 401, 200]

    def test_clean_deletes_expired_sessions_and_keeps_the_user(
        self, client: httpx2.Client, command: Command, database: Database
    ) -> None:
        register(client)
        command("users", "reset", EMAIL)
        for _ in range(2):
            tokens_of(client)
        past = clock.now() - timedelta(seconds=1)
        database.write(lambda session: session.execute(update(UserSession).values(expires_at=past)))
        database.write(lambda session: session.execute(update(OneTimeToken).values(expires_at=past)))
        tokens_of(client, EMAIL)
        database.write(lambda session: session.execute(update(UserSession).values(expires_at=past)))

        assert command("users", "clean").out == "Sessions deleted: 1.\n"
        assert [database.read(count_of, table) for table in (UserSession, OneTimeToken)] == [0, 0]


class TestDisabling:
    def test_a_disabled_user_is_out_at_once_and_can_come_back(self, client: httpx2.Client, command: Command) -> None:
        register(client)
        tokens = tokens_of(client)
        token = command("users", "reset", EMAIL).out.splitlines()[-1]
        disabled = command("users", "disable", EMAIL)

        assert (disabled.code, disabled.out) == (0, f"{EMAIL} is disabled.\n")
        assert_failed(bearer(client, tokens).get(_ME), 401, "unauthenticated")
        assert_failed(refresh(client, tokens), 401, "unauthenticated")
        assert_failed(sign_in(client), 401, "unauthenticated")
        assert_failed(set_password(client, token), 400, "invalid_token")
        assert_refused(command("users", "reset", EMAIL), EMAIL, "disabled")
        assert command("users", "enable", EMAIL).code == 0
        assert_failed(set_password(client, token), 400, "invalid_token")
        assert sign_in(client).status_code == 200

    def test_a_deleted_one_is_gone(self, client: httpx2.Client, command: Command, database: Database) -> None:
        register(client)
        tokens = tokens_of(client)
        deleted = command("users", "delete", EMAIL, "--yes")

        assert (deleted.code, deleted.out) == (0, f"{EMAIL} is deleted.\n")
        assert_failed(bearer(client, tokens).get(_ME), 401, "unauthenticated")
        assert sign_in(client).status_code == 401
        assert database.read(count_of, UserSession) == 0
        register(client)

    @pytest.mark.parametrize("words", [["disable"], ["enable"], ["delete", "--yes"], ["reset"]])
    def test_an_unknown_one_is_refused(self, client: httpx2.Client, command: Command, words: list[str]) -> None:
        register(client)

        assert_refused(command("users", words[0], "eve@example.com", *words[1:]), "eve@example.com")
