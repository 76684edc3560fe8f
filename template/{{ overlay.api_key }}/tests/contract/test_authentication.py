"""What opens the service, and what does not."""

from datetime import timedelta

import httpx2
import pytest

from app.auth import keys
from app.auth.keys import KeyGrant
from app.auth.principal import ADMIN
from app.core import clock
from app.db.database import Database
from tests.requests import assert_failed

_PATH = "/v1/keys"


@pytest.fixture
def key(database: Database) -> str:
    return database.write(keys.create, KeyGrant(owner="ops", roles=[ADMIN])).key


def _refused(response: httpx2.Response) -> dict[str, str]:
    assert_failed(response, 401, "unauthenticated")
    assert response.headers["www-authenticate"] == "ApiKey"
    return {name: value for name, value in response.json().items() if name != "trace_id"}


def test_a_key_opens(client: httpx2.Client, key: str) -> None:
    assert client.get(_PATH, headers={"X-API-Key": key}).status_code == 200


class TestRefused:
    """All with one answer, which does not tell one case from another."""

    @pytest.fixture(autouse=True)
    def _all_alike(self, client: httpx2.Client) -> None:
        self.expected = _refused(client.get(_PATH))

    @pytest.mark.parametrize(
        "key", ["", "garbage", "key_", "key_0123456789abcdef." + "x" * 43, "x" * 30_000, "é", "key_é.é"]
    )
    def test_what_is_no_key(self, client: httpx2.Client, key: str) -> None:
        assert self.expected == _refused(client.get(_PATH, headers={b"X-API-Key": key.encode()}))

    def test_the_right_prefix_with_another_secret(self, client: httpx2.Client, key: str) -> None:
        prefix, _, secret = key.partition(".")
        forged = f"{prefix}.{secret[::-1]}"

        assert self.expected == _refused(client.get(_PATH, headers={"X-API-Key": forged}))

    def test_a_key_that_was_cut(self, client: httpx2.Client, key: str) -> None:
        assert self.expected == _refused(client.get(_PATH, headers={"X-API-Key": key[:-1]}))

    def test_a_key_in_another_header(self, client: httpx2.Client, key: str) -> None:
        assert self.expected == _refused(client.get(_PATH, headers={"Authorization": f"Bearer {key}"}))

    def test_a_key_that_is_sent_twice(self, client: httpx2.Client, key: str) -> None:
        twice = [("X-API-Key", key), ("X-API-Key", key)]

        assert self.expected == _refused(client.get(_PATH, headers=twice))

    def test_a_key_that_has_expired(self, client: httpx2.Client, database: Database) -> None:
        past = clock.now() - timedelta(seconds=1)
        expired = database.write(keys.create, KeyGrant(owner="ops", roles=[ADMIN], expires_at=past))

        assert self.expected == _refused(client.get(_PATH, headers={"X-API-Key": expired.key}))

    def test_a_key_that_was_revoked(self, client: httpx2.Client, database: Database) -> None:
        created = database.write(keys.create, KeyGrant(owner="ops", roles=[ADMIN]))
        database.write(keys.revoke, created.id)

        assert self.expected == _refused(client.get(_PATH, headers={"X-API-Key": created.key}))


def test_the_log_has_no_key(client: httpx2.Client, key: str, capfd: pytest.CaptureFixture[str]) -> None:
    client.get(_PATH, headers={"X-API-Key": key})
    client.get(f"{_PATH}?key={key}", headers={"X-API-Key": f"{key}x"})

    assert key.partition(".")[2] not in capfd.readouterr().out
