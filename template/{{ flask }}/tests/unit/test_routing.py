"""The layer that gives Flask its routes, tried with routes of its own: a service may have few."""

from collections.abc import Generator
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

import pytest
from flask import Response
from flask.testing import FlaskClient
from pydantic import Field

from app.api.docs import document
from app.api.routing import Router
from app.auth.policy import public
from app.core.errors import PreconditionFailed
from app.core.ids import new_id
from app.core.preconditions import Precondition, etag
from app.core.settings import Settings
from app.http.openapi import CREATED, ETAG, NOT_MODIFIED, errors
from app.main import create_app
from app.schemas.base import Schema
from app.schemas.errors import Error
from app.schemas.fields import ShortText

router = Router("things", url_prefix="/things")
_ID = new_id()


class ThingWrite(Schema):
    name: ShortText


class ThingRead(ThingWrite):
    id: UUID


class ThingQuery(Schema):
    color: Annotated[list[ShortText], Field(default_factory=list, description="One of these.")]
    size: ShortText = "any"


@router.get("")
@public
def list_things(query: ThingQuery) -> ThingRead:
    return ThingRead(id=_ID, name="-".join([query.size, *query.color]))


@router.post("", status=HTTPStatus.CREATED, responses={201: CREATED, **errors(409)})
@public
def create_thing(body: ThingWrite) -> tuple[ThingRead, dict[str, str]]:
    """Create a thing."""
    return ThingRead(id=_ID, name=body.name), {"Location": f"/things/{_ID}"}


@router.get("/<thing_id>", responses={200: ETAG, 304: NOT_MODIFIED, 404: {"description": "", "model": Error}})
@public
def get_thing(thing_id: UUID) -> Response:
    response = Response(str(thing_id))
    response.set_etag("1")
    return response


@router.put("/<thing_id>")
@public
def replace_thing(thing_id: UUID, body: ThingWrite, expected: Precondition) -> ThingRead:
    expected.require(1)
    return ThingRead(id=thing_id, name=body.name)


@router.patch("/<thing_id>")
@public
def change_thing(thing_id: UUID, body: ThingWrite) -> tuple[ThingRead, int]:
    return ThingRead(id=thing_id, name=body.name), HTTPStatus.ACCEPTED


@router.delete("/<thing_id>", status=HTTPStatus.NO_CONTENT)
@public
def delete_thing(thing_id: UUID) -> None:
    assert thing_id == _ID


@pytest.fixture
def things(settings: Settings) -> Generator[FlaskClient]:
    app = create_app(settings.model_copy(update={"max_body_bytes": 100}))
    app.register_blueprint(router)
    with app.test_client() as client:
        yield client
    app.extensions["database"].dispose()


class TestViews:
    def test_a_model_becomes_the_answer(self, things: FlaskClient) -> None:
        response = things.post("/things", json={"name": "cup"})

        assert (201, f"/things/{_ID}") == (response.status_code, response.headers["location"])
        assert {"id": str(_ID), "name": "cup"} == response.json

    def test_a_view_may_choose_the_status(self, things: FlaskClient) -> None:
        assert things.patch(f"/things/{_ID}", json={"name": "mug"}).status_code == 202

    def test_nothing_has_no_body_and_no_type(self, things: FlaskClient) -> None:
        response = things.delete(f"/things/{_ID}")

        assert (response.status_code, response.data, response.headers.get("content-type")) == (204, b"", None)

    def test_a_response_is_left_as_it_is(self, things: FlaskClient) -> None:
        response = things.get(f"/things/{_ID}")

        assert (str(_ID), etag(1)) == (response.text, response.headers["etag"])

    def test_preconditions_reach_the_view(self, things: FlaskClient) -> None:
        response = things.put(f"/things/{_ID}", json={"name": "mug"}, headers={"If-Match": etag(2)})

        assert PreconditionFailed.code == response.get_json()["code"]

    def test_a_query_has_defaults_and_lists(self, things: FlaskClient) -> None:
        assert things.get("/things").get_json()["name"] == "any"
        assert things.get("/things?color=red&size=big&color=blue").get_json()["name"] == "big-red-blue"


class TestRefusals:
    @pytest.mark.parametrize(
        ("sent", "status", "code"),
        [
            ({"json": {"name": "x" * 100}}, 413, "body_too_large"),
            ({"data": b"name=cup"}, 415, "unsupported_media_type"),
            ({"json": {"name": "cup"}, "headers": {"Accept": "text/html"}}, 406, "not_acceptable"),
            ({"data": b"{", "content_type": "application/json"}, 400, "malformed_body"),
            ({"json": {"name": "cup"}, "query_string": {"x": "1"}}, 422, "validation_error"),
        ],
    )
    def test_what_cannot_be_read(self, things: FlaskClient, sent: dict[str, Any], status: int, code: str) -> None:
        response = things.post("/things", **sent)

        assert (status, code) == (response.status_code, response.get_json()["code"])

    def test_everything_that_is_wrong_is_named_at_once(self, things: FlaskClient) -> None:
        details = things.put("/things/7", json={"name": ""}).get_json()["details"]

        assert {"thing_id", "name"} == {detail["field"] for detail in details}

    def test_a_view_that_forgets_a_variable_does_not_start(self) -> None:
        @public
        def forgetful() -> None: ...

        with pytest.raises(TypeError, match="takes"):
            router.get("/<thing_id>/parts")(forgetful)


class TestDocument:
    def test_it_says_what_the_annotations_say(self) -> None:
        paths = document(router.operations)["paths"]
        listing, creation, one = paths["/things"]["get"], paths["/things"]["post"], paths["/things/{thing_id}"]

        assert [parameter["name"] for parameter in listing["parameters"]] == ["color", "size"]
        assert _reference(creation["requestBody"]) == "#/components/schemas/ThingWrite"
        assert _reference(creation["responses"]["201"]) == "#/components/schemas/ThingRead"
        assert {"400", "406", "409", "413", "415"} <= creation["responses"].keys()
        assert {"thing_id", "If-Match", "If-None-Match"} == {each["name"] for each in one["put"]["parameters"]}
        assert {"304", "404"} <= one["get"]["responses"].keys()
        assert "content" not in one["delete"]["responses"]["204"]


def _reference(part: dict[str, Any]) -> str:
    found: str = part["content"]["application/json"]["schema"]["$ref"]
    return found
