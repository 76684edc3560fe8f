"""What every route does before and after its endpoint, tried with endpoints of its own: a service may have few."""

from collections.abc import Generator
from typing import Any
from uuid import UUID

import httpx2
import pytest

from app.auth.policy import public, requires
from app.auth.scheme import SECURITY_SCHEMES
from app.core.ids import new_id
from app.core.settings import Settings
from app.db.database import Database
from app.schemas.base import Schema
from app.schemas.fields import ShortText
from tests.callers import headers_for
from tests.client import document_of, open_client
from tests.requests import assert_failed

_ID = new_id()


class ThingWrite(Schema):
    name: ShortText


class ThingRead(ThingWrite):
    id: UUID


@public
def create_thing(body: ThingWrite) -> ThingRead:
    """Create a thing."""
    return ThingRead(id=_ID, name=body.name)


@public
def replace_thing(thing_id: UUID, body: ThingWrite) -> ThingRead:
    return ThingRead(id=thing_id, name=body.name)


@public
def rename_thing(thing_id: UUID, body: ThingWrite) -> ThingRead:
    return ThingRead(id=thing_id, name=body.name)


@public
def get_thing(thing_id: UUID) -> ThingRead:
    return ThingRead(id=thing_id, name="cup")


@public
def remove_thing(thing_id: UUID) -> ThingRead:
    return ThingRead(id=thing_id, name="gone")


@requires()
def use_thing(thing_id: UUID) -> ThingRead:
    return ThingRead(id=thing_id, name="used")


THINGS = [
    ("POST", "/things", create_thing),
    ("PUT", "/things/{thing_id}", replace_thing),
    ("PATCH", "/things/{thing_id}", rename_thing),
    ("GET", "/things/{thing_id}", get_thing),
    ("DELETE", "/things/{thing_id}", remove_thing),
    ("POST", "/things/{thing_id}/use", use_thing),
]


@pytest.fixture(scope="module")
def things(settings: Settings) -> Generator[httpx2.Client]:
    with open_client(settings.model_copy(update={"max_body_bytes": 100}), THINGS) as client:
        yield client


class TestEndpoints:
    @pytest.mark.parametrize("method", ["PUT", "PATCH"])
    def test_path_and_body_reach_them(self, things: httpx2.Client, method: str) -> None:
        response = things.request(method, f"/things/{_ID}", json={"name": "mug"})

        assert (200, {"id": str(_ID), "name": "mug"}) == (response.status_code, response.json())

    @pytest.mark.parametrize("method", ["GET", "DELETE"])
    def test_what_they_return_is_the_answer(self, things: httpx2.Client, method: str) -> None:
        response = things.request(method, f"/things/{_ID}")

        assert (200, str(_ID)) == (response.status_code, response.json()["id"])
        assert response.headers["content-type"] == "application/json"

    def test_a_known_caller_is_let_in(self, things: httpx2.Client, database: Database) -> None:
        response = things.post(f"/things/{_ID}/use", headers=headers_for(database, "alice"))

        assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")


class TestRefusals:
    @pytest.mark.parametrize(
        ("sent", "status", "code"),
        [
            ({"json": {"name": "x" * 100}}, 413, "body_too_large"),
            ({"content": iter([b'{"name": "', b"x" * 100, b'"}'])}, 413, "body_too_large"),
            ({"json": {"name": "cup"}, "headers": {"Accept": "text/html"}}, 406, "not_acceptable"),
            ({"content": b"{"}, 400, "malformed_body"),
            ({"json": {"name": "cup"}, "params": {"x": "1"}}, 422, "validation_error"),
            ({"json": {"name": 1}}, 422, "validation_error"),
        ],
    )
    def test_what_cannot_be_read(self, things: httpx2.Client, sent: dict[str, Any], status: int, code: str) -> None:
        headers = {"Content-Type": "application/json", **sent.pop("headers", {})}

        assert_failed(things.post("/things", headers=headers, **sent), status, code)

    def test_what_is_not_json(self, things: httpx2.Client) -> None:
        assert_failed(things.post("/things", content=b"name=cup"), 415, "unsupported_media_type")

    def test_everything_that_is_wrong_is_named_at_once(self, things: httpx2.Client) -> None:
        details = assert_failed(things.put("/things/7", json={"name": ""}), 422, "validation_error")

        assert {"thing_id", "name"} == {detail["field"] for detail in details}


class TestDocument:
    def test_it_says_what_the_annotations_say(self) -> None:
        paths = document_of(THINGS)["paths"]
        creation, one = paths["/things"]["post"], paths["/things/{thing_id}"]

        assert creation["description"] == "Create a thing."
        assert _reference(creation["requestBody"]) == "#/components/schemas/ThingWrite"
        assert _reference(creation["responses"]["200"]) == "#/components/schemas/ThingRead"
        assert {"400", "406", "413", "415", "422", "500", "503", "504"} <= creation["responses"].keys()
        assert [
            (parameter["in"], parameter["name"], parameter["required"]) for parameter in one["get"]["parameters"]
        ] == [("path", "thing_id", True)]
        assert "requestBody" not in one["delete"]

    def test_it_says_who_is_let_in(self) -> None:
        paths = document_of(THINGS)["paths"]

        assert "security" not in paths["/things"]["post"]
        assert bool(SECURITY_SCHEMES) is ("security" in paths["/things/{thing_id}/use"]["post"])


def _reference(part: dict[str, Any]) -> str:
    found: str = part["content"]["application/json"]["schema"]["$ref"]
    return found
