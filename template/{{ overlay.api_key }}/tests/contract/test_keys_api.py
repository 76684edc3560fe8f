"""API keys over HTTP, for admins."""

import httpx2
import pytest

from app.auth.principal import ADMIN
from app.db.database import Database
from tests.callers import headers_for
from tests.requests import Caller, assert_failed


@pytest.fixture
def admin(client: httpx2.Client, database: Database) -> Caller:
    return Caller(client, headers_for(database, "ops", roles=[ADMIN]))


class TestCreate:
    def test_the_key_that_is_shown_works(self, admin: Caller) -> None:
        created = admin.post("/v1/keys", json={"owner": "billing", "roles": ["admin"]})

        assert created.status_code == 201
        assert Caller(admin.client, {"X-API-Key": created.json()["key"]}).get("/v1/keys").status_code == 200

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("owner", ""),
            ("owner", "a\x00b"),
            ("scopes", ["no:such"]),
            ("roles", ["root"]),
            ("expires_at", "2027-01-31T00:00:00"),
            ("expires_at", 1800000000),
            ("expires_at", "9999-12-31T23:59:59-12:00"),
            ("key", "mine"),
        ],
    )
    def test_names_the_invalid_field(self, admin: Caller, field: str, value: object) -> None:
        response = admin.post("/v1/keys", json={"owner": "billing", field: value})

        (detail,) = assert_failed(response, 422, "validation_error")
        assert detail["field"].split(".")[0] == field


class TestList:
    def test_no_secret_is_shown(self, admin: Caller) -> None:
        created = admin.post("/v1/keys", json={"owner": "billing"}).json()

        listed = admin.get("/v1/keys")
        assert created["prefix"] in listed.text
        assert created["key"].partition(".")[2] not in listed.text

    def test_pages_hold_every_key_once(self, admin: Caller) -> None:
        made = {admin.post("/v1/keys", json={"owner": f"owner-{n}"}).json()["id"] for n in range(4)}

        seen, cursor = [], None
        while cursor or not seen:
            page = admin.get("/v1/keys", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
            seen += [key["id"] for key in page["data"]]
            cursor = page["next_cursor"]

        assert made < set(seen)
        assert len(seen) == len(set(seen)) == 5

    def test_a_cursor_of_another_caller_is_refused(self, admin: Caller, database: Database) -> None:
        admin.post("/v1/keys", json={"owner": "billing"})
        cursor = admin.get("/v1/keys?limit=1").json()["next_cursor"]

        other = Caller(admin.client, headers_for(database, "other", roles=[ADMIN]))
        assert_failed(other.get("/v1/keys", params={"cursor": cursor}), 400, "invalid_cursor")


class TestRevoke:
    def test_a_revoked_key_is_gone(self, admin: Caller) -> None:
        created = admin.post("/v1/keys", json={"owner": "billing", "roles": ["admin"]}).json()

        first = admin.delete(f"/v1/keys/{created['id']}")
        second = admin.delete(f"/v1/keys/{created['id']}")

        assert (first.status_code, first.content) == (204, b"")
        assert_failed(second, 404, "not_found")
        assert created["id"] not in admin.get("/v1/keys").text
