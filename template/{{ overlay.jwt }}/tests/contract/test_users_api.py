"""Users register and look after themselves."""

import httpx2
import pytest

from app.auth import scheme
from app.auth.principal import Credentials
from app.core.scopes import SCOPES
from app.db.database import Database
from tests.callers import PASSWORD
from tests.requests import assert_failed
from tests.users import EMAIL, bearer, refresh, register, sign_in, tokens_of

_ME = "/v1/users/me"
_NEW = "a better password"


class TestRegister:
    def test_a_new_user_is_shown_without_the_password(self, client: httpx2.Client) -> None:
        response = client.post("/v1/users", json={"email": "Ada@Example.com", "password": PASSWORD})

        user = response.json()
        assert response.status_code == 201
        assert {"id", "email", "roles", "created_at"} == user.keys()
        assert (user["email"], user["roles"]) == ("Ada@Example.com", [])
        assert user["created_at"].endswith("Z")

    @pytest.mark.parametrize("email", [EMAIL, EMAIL.upper(), EMAIL.title()])
    def test_an_address_is_taken_whatever_its_case(self, client: httpx2.Client, email: str) -> None:
        register(client)

        assert_failed(client.post("/v1/users", json={"email": email, "password": PASSWORD}), 409, "email_taken")

    @pytest.mark.parametrize(
        ("one", "other"), [("straße@example.com", "STRASSE@example.com"), ("σς@example.com", "ΣΣ@example.com")]
    )
    def test_case_is_that_of_every_alphabet(self, client: httpx2.Client, one: str, other: str) -> None:
        register(client, one)

        assert_failed(client.post("/v1/users", json={"email": other, "password": PASSWORD}), 409, "email_taken")

    def test_letters_may_be_composed_in_either_way(self, client: httpx2.Client) -> None:
        register(client, "ren\u00e9e@example.com")
        decomposed = {"email": "rene\u0301e@example.com", "password": PASSWORD}

        assert_failed(client.post("/v1/users", json=decomposed), 409, "email_taken")
        assert sign_in(client, decomposed["email"]).status_code == 200

    def test_they_count_composed(self, client: httpx2.Client) -> None:
        email, password = "e\u0301" * 240 + "@example.com", "e\u0301" * 120
        register(client, email, password)
        caller = bearer(client, tokens_of(client, email, password))

        assert caller.get(_ME).json()["email"] == "\u00e9" * 240 + "@example.com"
        assert caller.patch(_ME, json={"password": _NEW, "current_password": password}).status_code == 200

    def test_accents_count(self, client: httpx2.Client) -> None:
        register(client, "andre@example.com")

        register(client, "andré@example.com")

    @pytest.mark.parametrize("password", ["x" * 8, "x" * 128, "žluťoučký", "🍵" * 8, " spaces  "])
    def test_any_password_of_8_to_128_characters_does(self, client: httpx2.Client, password: str) -> None:
        register(client, password=password)

        tokens_of(client, password=password)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("password", "x" * 7),
            ("password", "x" * 129),
            ("password", "12345678\x00"),
            ("password", "1234\n5678"),
            ("password", 12345678),
            ("password", None),
            ("email", "ada"),
            ("email", "a@b"),
            ("email", "ada@example.com\x00"),
            ("email", "ada\u200b@example.com"),
            ("email", "\u202eada@example.com"),
            ("email", "ada@exam\u00adple.com"),
            ("email", "ada@example\u3000.com"),
            ("email", "\ufeffada@example.com"),
            ("email", "x" * 250 + "@example.com"),
            ("email", "\ufb2c" * 240 + "@a.bc"),
            ("password", "\ufb2c" * 43),
            ("roles", ["admin"]),
            ("scopes", ["everything"]),
            ("id", "019c0f5e-7a3c-7b1e-8f42-3d5a6b7c8d9e"),
        ],
    )
    def test_names_the_invalid_field(self, client: httpx2.Client, field: str, value: object) -> None:
        response = client.post("/v1/users", json={"email": EMAIL, "password": PASSWORD, field: value})

        (detail,) = assert_failed(response, 422, "validation_error")
        assert field == detail["field"]
        assert PASSWORD not in response.text

    def test_a_new_user_has_all_scopes(self, client: httpx2.Client, database: Database) -> None:
        register(client)
        sent = Credentials((f"Bearer {tokens_of(client)['access_token']}",))

        assert scheme.authenticate(database, sent).scopes == SCOPES.keys()


class TestMe:
    def test_the_caller_is_shown(self, client: httpx2.Client) -> None:
        user = register(client)
        register(client, "bob@example.com")

        response = bearer(client, tokens_of(client)).get(_ME)
        assert user == response.json()
        assert response.headers["cache-control"] == "no-store"

    def test_nothing_sent_changes_nothing(self, client: httpx2.Client) -> None:
        user = register(client)
        caller = bearer(client, tokens_of(client))

        assert user == caller.patch(_ME, json={}).json()
        assert user == caller.get(_ME).json()


class TestChangeEmail:
    def test_the_new_address_signs_in_and_the_old_one_does_not(self, client: httpx2.Client) -> None:
        register(client)
        caller = bearer(client, tokens_of(client))
        response = caller.patch(_ME, json={"email": "ada@work.example", "current_password": PASSWORD})

        assert (response.status_code, response.json()["email"]) == (200, "ada@work.example")
        assert sign_in(client, "ADA@work.example").status_code == 200
        assert sign_in(client, EMAIL).status_code == 401
        assert caller.get(_ME).status_code == 200

    def test_the_case_of_ones_own_can_change(self, client: httpx2.Client) -> None:
        register(client)
        caller = bearer(client, tokens_of(client))
        changed = caller.patch(_ME, json={"email": EMAIL.upper(), "current_password": PASSWORD})

        assert EMAIL.upper() == changed.json()["email"]

    def test_one_that_is_taken_is_a_conflict(self, client: httpx2.Client) -> None:
        register(client)
        register(client, "bob@example.com")
        caller = bearer(client, tokens_of(client))
        response = caller.patch(_ME, json={"email": "BOB@example.com", "current_password": PASSWORD})

        assert_failed(response, 409, "email_taken")
        assert caller.get(_ME).json()["email"] == EMAIL


class TestChangePassword:
    def test_the_new_one_signs_in_and_the_old_one_does_not(self, client: httpx2.Client) -> None:
        register(client)
        caller = bearer(client, tokens_of(client))

        assert caller.patch(_ME, json={"password": _NEW, "current_password": PASSWORD}).status_code == 200
        assert sign_in(client).status_code == 401
        assert sign_in(client, password=_NEW).status_code == 200

    def test_all_other_sessions_end_at_once(self, client: httpx2.Client) -> None:
        register(client)
        register(client, "bob@example.com")
        mine, other, bobs = tokens_of(client), tokens_of(client), tokens_of(client, "bob@example.com")
        bearer(client, mine).patch(_ME, json={"password": _NEW, "current_password": PASSWORD})

        assert [bearer(client, each).get(_ME).status_code for each in (mine, other, bobs)] == [200, 401, 200]
        assert [refresh(client, each).status_code for each in (mine, other, bobs)] == [200, 401, 200]


class TestProof:
    """Who finds an open laptop has a token, and not the password."""

    @pytest.mark.parametrize("change", [{"password": _NEW}, {"email": "eve@example.com"}])
    def test_a_change_needs_the_current_password(self, client: httpx2.Client, change: dict[str, str]) -> None:
        register(client)
        caller = bearer(client, tokens_of(client))

        (detail,) = assert_failed(caller.patch(_ME, json=change), 422, "validation_error")
        assert (detail["field"], detail["code"]) == ("current_password", "missing")
        assert_failed(caller.patch(_ME, json={**change, "current_password": "wrong"}), 403, "forbidden")
        assert sign_in(client).status_code == 200

    @pytest.mark.parametrize(
        "change",
        [
            {"password": None},
            {"email": None},
            {"current_password": None},
            {"password": "short"},
            {"email": "ada"},
            {"roles": ["admin"]},
            {"id": "x"},
        ],
    )
    def test_names_the_invalid_field(self, client: httpx2.Client, change: dict[str, object]) -> None:
        register(client)
        response = bearer(client, tokens_of(client)).patch(_ME, json={"current_password": PASSWORD, **change})

        details = assert_failed(response, 422, "validation_error")
        assert [*change] == [detail["field"] for detail in details]

    def test_without_a_token_nothing_else_is_said(self, client: httpx2.Client) -> None:
        for content in (b"{", b"{}", b'{"password": 1}'):
            response = client.patch(_ME, content=content, headers={"Content-Type": "application/json"})
            assert_failed(response, 401, "unauthenticated")
