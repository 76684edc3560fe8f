"""A route on its way out says so."""

from datetime import date

from app.auth.policy import public
from app.core.settings import Settings
from app.http.deprecation import deprecated
from app.schemas.health import Health
from tests.client import document_of, open_client

_NOTE = "https://docs.example.com/v2"


@public
@deprecated(since=date(2026, 1, 31), sunset=date(2027, 1, 31), link=_NOTE)
def old() -> Health:
    """Answer as ever."""
    return Health(status="ok")


def test_every_answer_names_the_dates_and_the_way_forward(settings: Settings) -> None:
    with open_client(settings, [("GET", "/old", old)]) as client:
        headers = client.get("/old").headers

    assert headers["deprecation"] == "@1769817600"
    assert headers["sunset"] == "Sun, 31 Jan 2027 00:00:00 GMT"
    assert headers["link"] == f'<{_NOTE}>; rel="deprecation"; type="text/html"'


def test_a_failure_names_them_too(settings: Settings) -> None:
    with open_client(settings, [("GET", "/old", old)]) as client:
        response = client.get("/old?unknown=1")

    assert response.status_code == 422
    assert response.headers["deprecation"] == "@1769817600"


def test_the_document_marks_it() -> None:
    assert document_of([("GET", "/old", old)])["paths"]["/old"]["get"]["deprecated"] is True
