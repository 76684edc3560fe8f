"""What becomes of an account: weak passwords and forgotten ones."""

from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import select, update

from app.core import clock
from app.core.about import NAME, SLUG
from app.db.database import Database
from app.db.models.users import OneTimeToken
from tests import mailbox
from tests.callers import PASSWORD
from tests.conftest import Command
from tests.mailbox import Outbox
from tests.requests import assert_failed
from tests.users import EMAIL, NEW_PASSWORD, bearer, register, set_password, sign_in, tokens_of

_ME = "/v1/users/me"
outbox, proving = mailbox.outbox, mailbox.proving


class TestWeakPasswords:
    @pytest.mark.parametrize(
        "password",
        [
            *("password1", "PassWord1", "pass\u200bword1", "12345678", "qwertyuiop"),
            *("ada.lovelace", "Ada.Lovelace@example.com", NAME, SLUG),
        ],
    )
    def test_refuses_passwords_that_are_easy_to_guess(self, client: httpx2.Client, password: str) -> None:
        body = {"email": "ada.lovelace@example.com", "password": password.ljust(8)}
        (detail,) = assert_failed(client.post("/v1/users", json=body), 422, "validation_error")

        assert (detail["field"], detail["code"]) == ("password", "weak_password")

    def test_also_when_it_is_changed_or_set_anew(self, client: httpx2.Client, command: Command) -> None:
        register(client)
        caller = bearer(client, tokens_of(client))
        change = {"password": "password1", "current_password": PASSWORD}
        token = command("users", "reset", EMAIL).out.splitlines()[-1]

        assert_failed(caller.patch(_ME, json=change), 422, "validation_error")
        assert_failed(set_password(client, token, "Ada@Example.com"), 422, "validation_error")
        assert set_password(client, token).status_code == 204


class TestReset:
    def test_a_token_sets_a_new_password_once_and_ends_all_sessions(
        self, client: httpx2.Client, command: Command
    ) -> None:
        register(client)
        tokens = tokens_of(client)
        made = command("users", "reset", EMAIL.upper())
        token = made.out.splitlines()[-1]

        assert set_password(client, token).status_code == 204
        assert_failed(set_password(client, token, PASSWORD), 400, "invalid_token")
        assert_failed(bearer(client, tokens).get(_ME), 401, "unauthenticated")
        assert sign_in(client, password=PASSWORD).status_code == 401
        assert sign_in(client, password=NEW_PASSWORD).status_code == 200
        assert token not in made.err

    def test_limits_reset_mails_and_keeps_earlier_tokens_valid(
        self, client: httpx2.Client, command: Command, outbox: Outbox
    ) -> None:
        register(client)
        first = command("users", "reset", EMAIL).out.splitlines()[-1]
        asked = [client.post("/v1/auth/reset", json={"email": EMAIL}).status_code for _ in range(10)]

        assert (asked, len(outbox.sent)) == ([202] * 10, 4)
        assert set_password(client, first).status_code == 204
        assert_failed(set_password(client, outbox.sent[0][2]), 400, "invalid_token")

    @pytest.mark.parametrize("written", ["ada@straße.example", "ada@\u017ftrasse.example", "ADA@STRASSE.EXAMPLE"])
    def test_it_goes_to_the_address_of_the_account_however_it_is_asked_for(
        self, client: httpx2.Client, outbox: Outbox, written: str
    ) -> None:
        register(client, "ada@strasse.example")
        assert client.post("/v1/auth/reset", json={"email": written}).status_code == 202

        assert [sent[:2] for sent in outbox.sent] == [("reset", "ada@strasse.example")]

    def test_another_new_password_ends_it(self, client: httpx2.Client, command: Command) -> None:
        register(client)
        token = command("users", "reset", EMAIL).out.splitlines()[-1]
        caller = bearer(client, tokens_of(client))
        caller.patch(_ME, json={"password": NEW_PASSWORD, "current_password": PASSWORD})

        assert_failed(set_password(client, token, PASSWORD), 400, "invalid_token")

    def test_it_expires_and_is_stored_as_a_hash(
        self, client: httpx2.Client, command: Command, database: Database
    ) -> None:
        register(client)
        token = command("users", "reset", EMAIL).out.splitlines()[-1]
        stored = database.read(lambda session: session.scalars(select(OneTimeToken.token_hash)).one())
        past = clock.now() - timedelta(seconds=1)
        database.write(lambda session: session.execute(update(OneTimeToken).values(expires_at=past)))

        assert token not in stored
        assert_failed(set_password(client, token), 400, "invalid_token")

    def test_a_token_for_something_else_does_not(self, proving: httpx2.Client, outbox: Outbox) -> None:
        register(proving)

        assert_failed(set_password(proving, outbox.sent[0][2]), 400, "invalid_token")
        assert_failed(set_password(proving, "none"), 400, "invalid_token")

    def test_who_has_an_account_can_ask_for_one(self, client: httpx2.Client, outbox: Outbox) -> None:
        register(client)
        answers = [client.post("/v1/auth/reset", json={"email": email}) for email in (EMAIL, "eve@example.com")]

        assert {(answer.status_code, answer.content) for answer in answers} == {(202, b"")}
        ((purpose, address, token),) = outbox.sent
        assert (purpose, address) == ("reset", EMAIL)
        assert set_password(client, token).status_code == 204

    def test_the_answer_does_not_wait_for_the_mail_and_its_failure_is_logged(
        self, client: httpx2.Client, outbox: Outbox, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        def fail(*_: str) -> None:
            raise ConnectionError("planted")

        register(client)
        monkeypatch.setattr(outbox, "send_reset", fail)
        answers = [client.post("/v1/auth/reset", json={"email": email}) for email in (EMAIL, "eve@example.com")]

        assert {(answer.status_code, answer.content) for answer in answers} == {(202, b"")}
        assert capfd.readouterr().out.count('"crash"') == 1

    def test_where_nothing_can_be_sent_nobody_can(self, client: httpx2.Client) -> None:
        assert_failed(client.post("/v1/auth/reset", json={"email": EMAIL}), 404, "not_found")
