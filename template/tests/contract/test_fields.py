"""Types of fields over HTTP, in bodies and queries, with endpoints of the tests."""

from collections.abc import Generator
from unittest.mock import ANY

import httpx2
import pytest

from app.auth.policy import public
from app.core.settings import Settings
from app.schemas.base import Schema
from app.schemas.fields import Date, Url
from tests.client import document_of, open_client
from tests.requests import assert_failed

_SENT = {"day": "2026-01-31", "page": "https://example.com/%C5%BE?a=b#c"}


class Visit(Schema):
    day: Date
    page: Url


@public
def create_visit(body: Visit) -> Visit:
    """Return the visit."""
    return Visit(day=body.day, page=body.page)


@public
def find_visit(day: Date, page: Url) -> Visit:
    """Return the visit."""
    return Visit(day=day, page=page)


VISITS = [("POST", "/visits", create_visit), ("GET", "/visits", find_visit)]


@pytest.fixture(scope="module")
def visits(settings: Settings) -> Generator[httpx2.Client]:
    with open_client(settings, VISITS) as client:
        yield client


_DOCUMENTED = {
    "day": {"type": "string", "format": "date"},
    "page": {
        "type": "string",
        "format": "uri",
        "maxLength": 2000,
        "pattern": ANY,
        "examples": ["https://example.com/a?b=c"],
    },
}


class TestCalls:
    def test_a_body_comes_back_as_it_was_sent(self, visits: httpx2.Client) -> None:
        response = visits.post("/visits", json=_SENT)

        assert (response.status_code, response.json()) == (200, _SENT)

    def test_a_query_does_too(self, visits: httpx2.Client) -> None:
        response = visits.get("/visits", params=_SENT)

        assert (response.status_code, response.json()) == (200, _SENT)

    @pytest.mark.parametrize(
        ("wrong", "codes"),
        [
            ({"day": "2026-01-31T00:00:00Z"}, {"day": "date_rfc3339"}),
            ({"day": "1769817600"}, {"day": "date_rfc3339"}),
            ({"page": "javascript:alert(1)"}, {"page": "string_pattern_mismatch"}),
            ({"page": "https://example.com/" + "x" * 2000}, {"page": "string_too_long"}),
        ],
        ids=["instant", "unix time", "script", "long"],
    )
    def test_names_the_invalid_field(self, visits: httpx2.Client, wrong: dict[str, str], codes: dict[str, str]) -> None:
        for response in (visits.post("/visits", json=_SENT | wrong), visits.get("/visits", params=_SENT | wrong)):
            details = assert_failed(response, 422, "validation_error")

            assert codes == {detail["field"]: detail["code"] for detail in details}


class TestDocument:
    def test_both_frameworks_say_the_same(self) -> None:
        document = document_of(VISITS)
        in_body = document["components"]["schemas"]["Visit"]["properties"]
        in_query = {each["name"]: each["schema"] for each in document["paths"]["/visits"]["get"]["parameters"]}

        assert in_body == _DOCUMENTED
        assert in_query == _DOCUMENTED
