"""Users sign in, stay signed in, and sign out."""

from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from app.auth import scheme
from app.auth.principal import Credentials
from app.core.scopes import SCOPES
from app.core.settings import Settings
from app.db.database import Database
from tests.callers import PASSWORD
from tests.client import open_client
from tests.requests import assert_failed
from tests.users import EMAIL, bearer, refresh, register, sign_in, tokens_of

_ME = "/v1/users/me"
_TOKEN = "/v1/auth/token"
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def user(client: httpx2.Client) -> dict[str, Any]:
    return register(client)


@pytest.mark.usefixtures("user")
class TestToken:
    def test_the_password_is_answered_with_tokens(self, client: httpx2.Client, settings: Settings) -> None:
        response = sign_in(client)

        tokens = response.json()
        assert response.status_code == 200
        assert {"access_token", "refresh_token", "token_type", "expires_in"} == tokens.keys()
        assert ("Bearer", settings.auth_access_token_seconds) == (tokens["token_type"], tokens["expires_in"])
        assert response.headers["cache-control"] == "no-store"
        assert bearer(client, tokens).get(_ME).status_code == 200

    @pytest.mark.parametrize("email", [EMAIL.upper(), EMAIL.title()])
    def test_the_address_is_known_in_any_case(self, client: httpx2.Client, email: str) -> None:
        assert sign_in(client, email).status_code == 200

    def test_a_header_of_another_scheme_does_no_harm(self, client: httpx2.Client) -> None:
        # Swagger UI sends an empty client id and secret.
        form = {"grant_type": "password", "username": EMAIL, "password": PASSWORD, "scope": ""}
        response = client.post(_TOKEN, data=form, headers={"Authorization": "Basic Og=="})

        assert response.status_code == 200

    def test_nobody_and_a_wrong_password_get_the_same_answer(self, client: httpx2.Client) -> None:
        answers = [sign_in(client, password="wrong"), sign_in(client, "eve@example.com"), sign_in(client, "no address")]
        answers += [sign_in(client, password=PASSWORD.upper()), sign_in(client, password=f"{PASSWORD} ")]

        for answer in answers:
            assert_failed(answer, 401, "unauthenticated")
            assert answer.headers["www-authenticate"] == "Bearer"
        seen = {(str({**answer.json(), "trace_id": ""}), answer.headers["content-length"]) for answer in answers}
        assert len(seen) == 1

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("grant_type", "client_credentials"),
            ("grant_type", ""),
            ("username", ""),
            ("username", "x" * 255),
            ("username", "ada\x00"),
            ("password", ""),
            ("password", "x" * 129),
            ("scope", "no:such"),
            ("scope", " "),
            ("client_id", "app"),
            ("nonsense", "x"),
        ],
    )
    def test_names_the_invalid_field(self, client: httpx2.Client, field: str, value: str) -> None:
        response = client.post(_TOKEN, data={"username": EMAIL, "password": PASSWORD, field: value})

        (detail,) = assert_failed(response, 422, "validation_error")
        assert field == detail["field"]
        assert PASSWORD not in response.text

    def test_an_empty_form_lacks_both(self, client: httpx2.Client) -> None:
        details = assert_failed(client.post(_TOKEN, headers=_FORM), 422, "validation_error")

        assert [detail["field"] for detail in details] == ["username", "password"]

    def test_a_field_sent_twice_is_refused(self, client: httpx2.Client) -> None:
        content = f"username={EMAIL}&username=eve%40example.com&password=x".encode()
        (detail,) = assert_failed(client.post(_TOKEN, content=content, headers=_FORM), 422, "validation_error")

        assert (detail["field"], detail["code"]) == ("username", "repeated")

    @pytest.mark.parametrize("content", [b"username=%FF&password=x", b"username=\xff&password=x", b"username=%"])
    def test_what_is_no_form_in_utf8_is_malformed(self, client: httpx2.Client, content: bytes) -> None:
        assert_failed(client.post(_TOKEN, content=content, headers=_FORM), 400, "malformed_body")

    @pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""])
    def test_another_media_type_is_unsupported(self, client: httpx2.Client, kind: str) -> None:
        response = client.post(_TOKEN, content=b"{}", headers={"Content-Type": kind})

        assert_failed(response, 415, "unsupported_media_type")

    def test_a_form_is_no_json(self, client: httpx2.Client) -> None:
        assert_failed(client.post("/v1/auth/refresh", data={"refresh_token": "x"}), 415, "unsupported_media_type")


@pytest.mark.usefixtures("user")
class TestScopes:
    @pytest.mark.parametrize("scope", sorted({"", *SCOPES, " ".join(SCOPES)}))
    def test_tokens_are_for_what_was_asked(self, client: httpx2.Client, database: Database, scope: str) -> None:
        tokens = tokens_of(client, scope=scope)

        for each in (tokens, refresh(client, tokens).json()):
            sent = Credentials((f"Bearer {each['access_token']}",))
            assert frozenset(scope.split() or SCOPES) == scheme.authenticate(database, sent).scopes


@pytest.mark.usefixtures("user")
class TestRefresh:
    def test_each_refresh_token_is_good_for_one_use(self, client: httpx2.Client) -> None:
        first = tokens_of(client)
        second = refresh(client, first)

        assert second.status_code == 200
        assert second.headers["cache-control"] == "no-store"
        assert first["refresh_token"] != second.json()["refresh_token"]
        assert bearer(client, second.json()).get(_ME).status_code == 200
        assert refresh(client, second.json()).status_code == 200

    def test_a_second_use_ends_the_session_for_both(self, client: httpx2.Client) -> None:
        stolen = tokens_of(client)
        newest = refresh(client, stolen).json()

        assert_failed(refresh(client, stolen), 401, "unauthenticated")
        assert_failed(refresh(client, newest), 401, "unauthenticated")
        assert [bearer(client, each).get(_ME).status_code for each in (stolen, newest)] == [401, 401]

    def test_a_second_use_at_once_gets_the_same_token(self, settings: Settings) -> None:
        lenient = settings.model_copy(update={"auth_refresh_grace_seconds": 60})
        with open_client(lenient) as tabs:
            shared = tokens_of(tabs)
            first, second = refresh(tabs, shared).json(), refresh(tabs, shared).json()

            assert first["refresh_token"] == second["refresh_token"]
            assert [bearer(tabs, each).get(_ME).status_code for each in (first, second)] == [200, 200]
            # Also when another tab has gone on with it in the meantime.
            newest = refresh(tabs, second).json()
            assert refresh(tabs, shared).json()["refresh_token"] == first["refresh_token"]
            assert refresh(tabs, newest).status_code == 200

    def test_also_when_the_secret_has_changed(self, client: httpx2.Client, settings: Settings) -> None:
        old, new = settings.jwt_secrets[0], "b" * 64
        both = {"auth_jwt_secret": SecretStr(f"{new},{old}"), "auth_refresh_grace_seconds": 60}
        shared = tokens_of(client)
        first = refresh(client, shared).json()
        with open_client(settings.model_copy(update=both)) as rotated:
            assert refresh(rotated, shared).json()["refresh_token"] == first["refresh_token"]
        with open_client(settings.model_copy(update={**both, "auth_jwt_secret": SecretStr(new)})) as rotated:
            # Nobody knows any more what came after it. The session goes on.
            assert_failed(refresh(rotated, shared), 401, "unauthenticated")
            assert refresh(rotated, first).status_code == 200

    def test_other_sessions_of_the_user_go_on(self, client: httpx2.Client) -> None:
        stolen, other = tokens_of(client), tokens_of(client)
        refresh(client, stolen)
        refresh(client, stolen)

        assert bearer(client, other).get(_ME).status_code == 200
        assert refresh(client, other).status_code == 200

    @pytest.mark.parametrize("sent", ["x", "refresh_" + "A" * 43, "é", "🍵" * 50, "x" * 200])
    def test_refuses_an_unknown_token(self, client: httpx2.Client, sent: str) -> None:
        response = client.post("/v1/auth/refresh", json={"refresh_token": sent})

        assert_failed(response, 401, "unauthenticated")
        assert response.headers["www-authenticate"] == "Bearer"

    def test_an_access_token_is_none(self, client: httpx2.Client) -> None:
        sent = {"refresh_token": tokens_of(client)["access_token"][:200]}

        assert client.post("/v1/auth/refresh", json=sent).status_code == 401

    @pytest.mark.parametrize("body", [{}, {"refresh_token": ""}, {"refresh_token": 1}, {"refresh_token": "x", "y": 1}])
    def test_names_the_invalid_field(self, client: httpx2.Client, body: dict[str, Any]) -> None:
        assert assert_failed(client.post("/v1/auth/refresh", json=body), 422, "validation_error")

    def test_a_session_ends_with_its_time(self, client: httpx2.Client, settings: Settings) -> None:
        # Nothing is as short as a second in production; the test need not wait for more.
        with open_client(settings.model_copy(update={"auth_session_seconds": 0})) as hasty:
            tokens = tokens_of(hasty)

        assert refresh(client, tokens).status_code == 401
        assert bearer(client, tokens).get(_ME).status_code == 401


@pytest.mark.usefixtures("user")
class TestLogout:
    @pytest.mark.parametrize("which", ["the newest", "a used one"])
    def test_the_session_of_the_token_ends(self, client: httpx2.Client, which: str) -> None:
        first = tokens_of(client)
        newest, other = refresh(client, first).json(), tokens_of(client)
        sent = {"refresh_token": (newest if which == "the newest" else first)["refresh_token"]}
        response = client.post("/v1/auth/logout", json=sent)

        assert (response.status_code, response.content) == (204, b"")
        assert [refresh(client, each).status_code for each in (newest, other)] == [401, 200]
        assert [bearer(client, each).get(_ME).status_code for each in (first, newest, other)] == [401, 401, 200]

    def test_it_is_done_when_there_is_none(self, client: httpx2.Client) -> None:
        sent = {"refresh_token": tokens_of(client)["refresh_token"]}

        assert [client.post("/v1/auth/logout", json=sent).status_code for _ in range(2)] == [204, 204]
        assert client.post("/v1/auth/logout", json={"refresh_token": "nonsense"}).status_code == 204


@pytest.mark.parametrize("path", ["refresh", "logout"])
@pytest.mark.parametrize("character", ["\x00", "\n", "\x7f", "\x9f"])
def test_a_refresh_token_is_one_line(client: httpx2.Client, path: str, character: str) -> None:
    response = client.post(f"/v1/auth/{path}", json={"refresh_token": f"refresh_{character}"})

    (detail,) = assert_failed(response, 422, "validation_error")
    assert detail["field"] == "refresh_token"


def test_the_log_holds_no_secret(client: httpx2.Client, capfd: pytest.CaptureFixture[str]) -> None:
    register(client)
    tokens = tokens_of(client)
    bearer(client, tokens).get(f"{_ME}?access_token={tokens['access_token']}")
    bearer(client, tokens).patch(_ME, json={"password": "planted password", "current_password": PASSWORD})
    sign_in(client, password="planted wrong password")
    sign_in(client, PASSWORD, "planted")
    client.post(_TOKEN, json={"password": PASSWORD})
    newest = refresh(client, tokens).json()
    refresh(client, tokens)
    client.post("/v1/auth/logout", json={"refresh_token": newest["refresh_token"]})

    log = capfd.readouterr().out
    assert "authn_token_reuse" in log
    for planted in (PASSWORD, "planted", *(each[name] for each in (tokens, newest) for name in _SECRETS)):
        assert planted not in log


_SECRETS = ("access_token", "refresh_token")
