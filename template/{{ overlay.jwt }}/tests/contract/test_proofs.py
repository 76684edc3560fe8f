"""Addresses are proved: by who reads their mail and knows the password of the account."""

import httpx2
import pytest
from sqlalchemy import select, update

from app.auth import checks
from app.core import clock
from app.core.errors import SettingsError
from app.core.settings import Settings
from app.db.database import Database
from app.db.models.users import OneTimeToken, User
from tests import mailbox
from tests.callers import PASSWORD
from tests.conftest import Command
from tests.mailbox import Outbox
from tests.requests import Caller, assert_failed
from tests.users import EMAIL, NEW_PASSWORD, bearer, refresh, register, set_password, sign_in, tokens_of

_ME = "/v1/users/me"
outbox, proving = mailbox.outbox, mailbox.proving
_EVE = "eve@example.net"
_OTHER = "ada@example.org"


def prove(client: httpx2.Client, token: str, password: str = PASSWORD) -> httpx2.Response:
    return client.post("/v1/auth/proof", json={"token": token, "password": password})


def registered(client: httpx2.Client, outbox: Outbox, email: str = EMAIL, password: str = PASSWORD) -> Caller:
    """Return a new user who has proved the address."""
    register(client, email, password)
    assert prove(client, outbox.sent[-1][2], password).status_code == 204
    return bearer(client, tokens_of(client, email, password))


def move(caller: Caller, email: str) -> httpx2.Response:
    return caller.patch(_ME, json={"email": email, "current_password": PASSWORD})


class TestRegistration:
    def test_who_has_not_proved_the_address_cannot_sign_in(self, proving: httpx2.Client, outbox: Outbox) -> None:
        register(proving)
        before = sign_in(proving)
        ((purpose, address, token),) = outbox.sent
        proved = [prove(proving, token) for _ in range(2)]

        assert_failed(before, 401, "unauthenticated")
        assert (purpose, address) == ("proof", EMAIL)
        assert proved[0].status_code == 204
        assert_failed(proved[1], 400, "invalid_token")
        assert sign_in(proving).status_code == 200

    def test_the_token_alone_proves_nothing(self, proving: httpx2.Client, outbox: Outbox) -> None:
        register(proving)

        assert_failed(proving.post("/v1/auth/proof", json={"token": outbox.sent[0][2]}), 422, "validation_error")
        assert_failed(prove(proving, outbox.sent[0][2], NEW_PASSWORD), 403, "forbidden")
        assert_failed(sign_in(proving), 401, "unauthenticated")

    def test_the_password_of_the_last_registration_counts(self, proving: httpx2.Client, outbox: Outbox) -> None:
        register(proving, password=NEW_PASSWORD)
        register(proving, EMAIL.title())
        first, second = (token for _, _, token in outbox.sent)

        assert outbox.sent[1][:2] == ("proof", EMAIL.title())
        for token in (first, second):
            assert_failed(prove(proving, token, NEW_PASSWORD), 403, "forbidden")
        assert prove(proving, second).status_code == 204
        assert_failed(sign_in(proving, password=NEW_PASSWORD), 401, "unauthenticated")
        assert_failed(prove(proving, first), 400, "invalid_token")

    def test_a_proved_address_is_taken(self, proving: httpx2.Client, outbox: Outbox) -> None:
        registered(proving, outbox)

        again = proving.post("/v1/users", json={"email": EMAIL, "password": NEW_PASSWORD})
        assert_failed(again, 409, "email_taken")

    @pytest.mark.parametrize("what", [("disable",), ("grant", "admin")])
    def test_one_that_an_operator_has_decided_about_is_too(
        self, proving: httpx2.Client, outbox: Outbox, command: Command, what: tuple[str, ...]
    ) -> None:
        register(proving)
        assert outbox.sent
        command("users", what[0], EMAIL, *what[1:])

        again = proving.post("/v1/users", json={"email": EMAIL, "password": NEW_PASSWORD})
        assert_failed(again, 409, "email_taken")

    def test_an_address_that_only_compares_as_the_same_is_too(self, proving: httpx2.Client) -> None:
        register(proving, "ada@straße.example")

        again = proving.post("/v1/users", json={"email": "ada@strasse.example", "password": PASSWORD})
        assert_failed(again, 409, "email_taken")

    def test_limits_proof_mails_and_keeps_tokens_for_new_passwords(
        self, proving: httpx2.Client, outbox: Outbox
    ) -> None:
        register(proving)
        proving.post("/v1/auth/reset", json={"email": EMAIL})
        for _ in range(9):
            register(proving, password=NEW_PASSWORD)

        assert [purpose for purpose, _, _ in outbox.sent] == ["proof", "reset", *["proof"] * 4]
        assert set_password(proving, outbox.sent[1][2]).status_code == 204

    def test_a_new_password_by_mail_is_a_proof_too(self, proving: httpx2.Client, outbox: Outbox) -> None:
        register(proving)
        proving.post("/v1/auth/reset", json={"email": EMAIL})

        assert set_password(proving, outbox.sent[1][2]).status_code == 204
        assert sign_in(proving, password=NEW_PASSWORD).status_code == 200
        assert_failed(prove(proving, outbox.sent[0][2], NEW_PASSWORD), 400, "invalid_token")

    def test_sessions_of_who_has_proved_nothing_do_not_go_on(
        self, proving: httpx2.Client, outbox: Outbox, database: Database
    ) -> None:
        registered(proving, outbox)
        tokens = tokens_of(proving)
        database.write(lambda session: session.execute(update(User).values(email_proven_at=None)))

        assert_failed(bearer(proving, tokens).get(_ME), 401, "unauthenticated")
        assert_failed(refresh(proving, tokens), 401, "unauthenticated")


class TestChange:
    def test_the_address_stays_until_the_new_one_is_proved(self, proving: httpx2.Client, outbox: Outbox) -> None:
        caller = registered(proving, outbox)
        answer = move(caller, _OTHER)
        shown = caller.get(_ME).json()

        assert (answer.status_code, answer.json()) == (200, shown)
        assert shown["email"] == EMAIL
        assert sign_in(proving).status_code == 200
        assert sign_in(proving, _OTHER).status_code == 401
        assert outbox.sent[1][:2] == ("proof", _OTHER)
        assert prove(proving, outbox.sent[1][2]).status_code == 204
        assert caller.get(_ME).json()["email"] == _OTHER
        assert [sign_in(proving, email).status_code for email in (EMAIL, _OTHER)] == [401, 200]
        assert_failed(prove(proving, outbox.sent[1][2]), 400, "invalid_token")

    def test_who_reads_the_mail_does_not_give_the_address_away(self, proving: httpx2.Client, outbox: Outbox) -> None:
        eve = registered(proving, outbox, _EVE)
        move(eve, EMAIL)

        assert_failed(prove(proving, outbox.sent[1][2], NEW_PASSWORD), 403, "forbidden")
        assert sign_in(proving, EMAIL).status_code == 401
        assert eve.get(_ME).json()["email"] == _EVE

    def test_it_keeps_nobody_else_from_having_the_address(self, proving: httpx2.Client, outbox: Outbox) -> None:
        eve, bob = (registered(proving, outbox, email) for email in (_EVE, "bob@example.com"))
        for caller in (eve, bob):
            assert move(caller, EMAIL).status_code == 200
        registered(proving, outbox, EMAIL, NEW_PASSWORD)

        for _, _, token in outbox.sent[2:4]:
            assert_failed(prove(proving, token), 400, "invalid_token")
        assert_failed(move(eve, EMAIL), 409, "email_taken")
        assert [sign_in(proving, email).status_code for email in (_EVE, "bob@example.com")] == [200, 200]

    def test_a_registration_that_was_not_proved_does_not_keep_from_it(
        self, proving: httpx2.Client, outbox: Outbox, database: Database
    ) -> None:
        caller = registered(proving, outbox)
        register(proving, _OTHER, NEW_PASSWORD)

        assert move(caller, _OTHER).status_code == 200
        assert prove(proving, outbox.sent[2][2]).status_code == 204
        assert caller.get(_ME).json()["email"] == _OTHER
        assert_failed(prove(proving, outbox.sent[1][2], NEW_PASSWORD), 400, "invalid_token")
        assert database.read(lambda session: session.scalars(select(User.email)).all()) == [_OTHER]

    def test_an_address_that_only_compares_as_the_same_is_another_mailbox(
        self, proving: httpx2.Client, outbox: Outbox
    ) -> None:
        caller = registered(proving, outbox, "ada@straße.example")
        move(caller, "ada@strasse.example")

        assert outbox.sent[1][:2] == ("proof", "ada@strasse.example")
        assert caller.get(_ME).json()["email"] == "ada@straße.example"
        assert prove(proving, outbox.sent[1][2]).status_code == 204
        assert caller.get(_ME).json()["email"] == "ada@strasse.example"

    def test_another_case_of_ascii_letters_counts_at_once(self, proving: httpx2.Client, outbox: Outbox) -> None:
        caller = registered(proving, outbox)

        assert move(caller, EMAIL.title()).json()["email"] == EMAIL.title()
        assert len(outbox.sent) == 1

    def test_only_the_last_one_can_be_proved_and_tokens_sent_to_the_old_address_end(
        self, proving: httpx2.Client, outbox: Outbox, command: Command
    ) -> None:
        caller = registered(proving, outbox)
        for email in ("ada@example.net", _OTHER):
            move(caller, email)
        reset = command("users", "reset", EMAIL).out.splitlines()[-1]

        assert_failed(prove(proving, outbox.sent[1][2]), 400, "invalid_token")
        assert prove(proving, outbox.sent[2][2]).status_code == 204
        assert_failed(set_password(proving, reset), 400, "invalid_token")

    def test_a_new_password_ends_it(self, proving: httpx2.Client, outbox: Outbox, command: Command) -> None:
        move(registered(proving, outbox), _OTHER)
        set_password(proving, command("users", "reset", EMAIL).out.splitlines()[-1])

        assert_failed(prove(proving, outbox.sent[1][2]), 400, "invalid_token")

    def test_its_token_cannot_be_made_to_name_another(self, proving: httpx2.Client, outbox: Outbox) -> None:
        move(registered(proving, outbox), _OTHER)
        token = outbox.sent[1][2]

        for forged in (token[:-1], token.partition(".")[0], token + "A"):
            assert_failed(prove(proving, forged), 400, "invalid_token")

    def test_the_longest_address_does(self, proving: httpx2.Client, outbox: Outbox) -> None:
        longest = "\U0001f375" * 246 + "@tea.org"
        caller = registered(proving, outbox)

        assert move(caller, longest).status_code == 200
        assert prove(proving, outbox.sent[1][2]).status_code == 204
        assert caller.get(_ME).json()["email"] == longest


def test_it_expires(proving: httpx2.Client, outbox: Outbox, database: Database) -> None:
    register(proving)
    database.write(lambda session: session.execute(update(OneTimeToken).values(expires_at=clock.now())))

    assert_failed(prove(proving, outbox.sent[0][2]), 400, "invalid_token")


def test_without_a_sender_the_service_does_not_start(settings: Settings) -> None:
    with pytest.raises(SettingsError, match=r"^AUTH_EMAIL_PROOF needs a mail sender"):
        checks.check(settings.model_copy(update={"auth_email_proof": True}))
