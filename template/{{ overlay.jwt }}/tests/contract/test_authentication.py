"""What opens the service, and what does not."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import delete, update

from app.auth.tokens import key_id
from app.core import clock
from app.core.settings import Settings
from app.db.database import Database
from app.db.models.users import User, UserSession
from tests.callers import headers_for
from tests.client import open_client
from tests.forge import changed, claims_of, forgeries, header, signed
from tests.requests import Caller, assert_failed
from tests.users import bearer, register, tokens_of

_PATH = "/v1/users/me"


@pytest.fixture
def tokens(client: httpx2.Client) -> dict[str, Any]:
    register(client)
    return tokens_of(client)


@pytest.fixture
def good(database: Database) -> str:
    return headers_for(database, "ada")["Authorization"].removeprefix("Bearer ")


def _refused(response: httpx2.Response) -> dict[str, str]:
    assert_failed(response, 401, "unauthenticated")
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.headers["cache-control"] == "no-store"
    return {name: value for name, value in response.json().items() if name != "trace_id"}


class TestAccepted:
    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer  "])
    def test_a_token_opens(self, client: httpx2.Client, tokens: dict[str, Any], scheme: str) -> None:
        sent = {"Authorization": f"{scheme} {tokens['access_token']}"}

        assert client.get(_PATH, headers=sent).status_code == 200

    def test_one_that_is_put_together_the_same_way_opens_too(self, client: httpx2.Client, good: str) -> None:
        # So that the others below are refused for what is wrong with them.
        remade = signed(header(), claims_of(good))

        assert client.get(_PATH, headers={"Authorization": f"Bearer {remade}"}).status_code == 200

    def test_claims_of_others_do_no_harm(self, client: httpx2.Client, good: str) -> None:
        more = signed(header(), changed(claims_of(good), name="Ada"))

        assert client.get(_PATH, headers={"Authorization": f"Bearer {more}"}).status_code == 200


class TestRefused:
    """All with one answer, which does not tell one case from another."""

    @pytest.fixture(autouse=True)
    def _all_alike(self, client: httpx2.Client) -> None:
        self.expected = _refused(client.get(_PATH))

    def test_a_token_that_was_forged(self, client: httpx2.Client, good: str, subtests: pytest.Subtests) -> None:
        for about, forged in forgeries(good).items():
            with subtests.test(about):
                assert self.expected == _refused(client.get(_PATH, headers={"Authorization": f"Bearer {forged}"}))

    @pytest.mark.parametrize(
        "form", ["", "Bearer", "Bearer ", "{}", "Basic {}", "Bearer\t{}", "Bearer {} x", "Bearer {},", "Token {}"]
    )
    def test_another_form_of_the_header(self, client: httpx2.Client, good: str, form: str) -> None:
        assert self.expected == _refused(client.get(_PATH, headers={"Authorization": form.format(good)}))

    @pytest.mark.parametrize("sent", ["Bearer é", "é", "Bearer 🍵"])
    def test_what_is_not_ascii(self, client: httpx2.Client, sent: str) -> None:
        assert self.expected == _refused(client.get(_PATH, headers={b"Authorization": sent.encode()}))

    def test_a_token_in_another_place(self, client: httpx2.Client, good: str) -> None:
        for headers in ({"X-Token": good}, {"Cookie": f"access_token={good}"}):
            assert self.expected == _refused(client.get(_PATH, headers=headers))
        assert self.expected == _refused(client.get(f"{_PATH}?access_token={good}"))

    def test_a_token_that_is_sent_twice(self, client: httpx2.Client, good: str) -> None:
        one = ("Authorization", f"Bearer {good}")

        for headers in ([one, one], [one, ("Authorization", "Bearer x")], [("Authorization", ""), one]):
            assert self.expected == _refused(client.get(_PATH, headers=headers))

    def test_a_refresh_token(self, client: httpx2.Client, tokens: dict[str, Any]) -> None:
        sent = {"Authorization": f"Bearer {tokens['refresh_token']}"}

        assert self.expected == _refused(client.get(_PATH, headers=sent))

    @pytest.mark.parametrize(
        "end",
        [
            lambda: update(UserSession).values(revoked_at=clock.now()),
            lambda: update(UserSession).values(expires_at=clock.now() - timedelta(seconds=1)),
            lambda: delete(UserSession),
            lambda: delete(User),
        ],
        ids=["revoked", "expired", "deleted", "of a user who was deleted"],
    )
    def test_a_good_token_of_a_session_that_is_over(
        self, client: httpx2.Client, good: str, database: Database, end: Callable[[], Any]
    ) -> None:
        database.write(lambda session: session.execute(end()))

        assert self.expected == _refused(client.get(_PATH, headers={"Authorization": f"Bearer {good}"}))


class TestKeys:
    """AUTH_JWT_SECRET holds several secrets while one takes over from another."""

    OLD, NEW = "o7Yk2mQx9Lr4Vb8Zt1Wc6Hs3Jd5Nf0Pg", "N3xB8vQe5Ru2Ty7Ui1Op4As9Df6Gh0Jk"

    @pytest.fixture
    def with_secrets(self, settings: Settings) -> Callable[..., Any]:
        return lambda *secrets: open_client(
            settings.model_validate({**dict(settings), "auth_jwt_secret": ",".join(secrets)})
        )

    def test_old_tokens_are_good_while_the_old_secret_is_there(
        self, client: httpx2.Client, with_secrets: Callable[..., Any]
    ) -> None:
        register(client)
        with (
            with_secrets(self.OLD) as before,
            with_secrets(self.NEW, self.OLD) as during,
            with_secrets(self.NEW) as after,
        ):
            old, new = tokens_of(before), tokens_of(during)

            assert [bearer(each, old).get(_PATH).status_code for each in (before, during, after)] == [200, 200, 401]
            assert [bearer(each, new).get(_PATH).status_code for each in (before, during, after)] == [401, 200, 200]

    def test_a_token_of_one_key_under_the_name_of_another_is_refused(
        self, client: httpx2.Client, with_secrets: Callable[..., Any]
    ) -> None:
        register(client)
        with with_secrets(self.NEW, self.OLD) as service:
            token = tokens_of(service)["access_token"]
            crossed = signed(header(kid=key_id(self.OLD)), claims_of(token), self.NEW)

            assert Caller(service, {"Authorization": f"Bearer {crossed}"}).get(_PATH).status_code == 401
