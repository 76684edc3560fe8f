"""Writes and what is `limited` are counted, for each caller or address, and answers say what is left."""

from collections.abc import Generator
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from app.auth.policy import public, requires
from app.auth.scheme import SECURITY_SCHEMES
from app.core.errors import RouteError
from app.core.settings import Settings
from app.db.database import Database
from app.http.limited import limited, limits_of, require_rates
from app.limits import counters
from app.schemas.base import Schema
from tests.callers import headers_for
from tests.client import document_of, open_client
from tests.metrics import value_of
from tests.requests import Caller, assert_failed

# The tests' clients have no address, so one counter holds them all. Proxies are trusted: they can pretend to have.
_LIMITED = {"rate_limit_enabled": True, "rate_limit_writes": "3/hour", "trusted_proxies": ("*",)}


class Note(Schema):
    text: str


@public
def write_note(body: Note) -> Note:
    return body


@public
def remove_note() -> None:
    """Remove a note."""


@requires()
def write_own_note(body: Note) -> Note:
    return body


@public
def read_notes() -> Note:
    return Note(text="tea")


@public
def read_cakes() -> Note:
    return Note(text="cake")


@public
@limited("burst", "2/second")
@limited("reports", "4/day")
def read_report() -> Note:
    return Note(text="a report")


@public
@limited("imports", lambda settings: settings.rate_limit_writes.replace("3", "5"))
def write_many(body: Note) -> Note:
    return body


_NOTES = [
    ("POST", "/notes", write_note),
    ("DELETE", "/notes", remove_note),
    ("POST", "/own", write_own_note),
    ("GET", "/notes", read_notes),
    ("GET", "/report", read_report),
    ("POST", "/imports", write_many),
]


@pytest.fixture(scope="module")
def service(settings: Settings) -> Generator[httpx2.Client]:
    with open_client(settings.model_copy(update=_LIMITED), _NOTES) as client:
        yield client


@pytest.fixture
def client(service: httpx2.Client) -> Generator[httpx2.Client]:
    counters.forget()
    yield service
    counters.forget()


def _write(client: Any, path: str = "/notes") -> httpx2.Response:
    response: httpx2.Response = client.post(path, json={"text": "tea"})
    return response


class TestWrites:
    def test_every_answer_says_what_is_left(self, client: httpx2.Client) -> None:
        answers = [_write(client).headers for _ in range(3)]

        assert {'"writes";q=3;w=3600'} == {each["ratelimit-policy"] for each in answers}
        assert [each["ratelimit"].split(";t=")[0] for each in answers] == [f'"writes";r={left}' for left in (2, 1, 0)]

    def test_too_many_are_429_with_retry_after(self, client: httpx2.Client) -> None:
        for _ in range(3):
            _write(client)
        before = value_of("rate_limit_refused_total", limit="writes")
        response = _write(client)

        assert_failed(response, 429, "rate_limited")
        assert 3590 <= int(response.headers["retry-after"]) <= 3600
        assert response.headers["ratelimit"] == f'"writes";r=0;t={response.headers["retry-after"]}'
        assert value_of("rate_limit_refused_total", limit="writes") == before + 1

    def test_all_routes_and_methods_have_one_count(self, client: httpx2.Client) -> None:
        seen = [_write(client).status_code, *(client.delete("/notes").status_code for _ in range(3))]

        assert [status < 300 for status in seen] == [True, True, True, False]

    def test_reads_are_not_counted(self, client: httpx2.Client) -> None:
        answers = [client.request(method, "/notes") for method in ("GET", "HEAD", "OPTIONS") for _ in range(4)]

        assert {each.is_success for each in answers} == {True}
        assert not any("ratelimit" in each.headers for each in answers)

    def test_each_address_has_its_own(self, client: httpx2.Client) -> None:
        seen = [_write(_from(client, address)).status_code for address in ("1.2.3.4", "1.2.3.5") for _ in range(4)]

        assert seen == [200, 200, 200, 429] * 2

    def test_what_a_network_is_refused_is_not_counted_for_its_neighbours(self, client: httpx2.Client) -> None:
        loud = [_write(_from(client, f"2001:db8:1:1::{number}")) for number in range(30)]
        quiet = _write(_from(client, "2001:db8:1:2::1"))

        assert [each.status_code for each in loud] == [200] * 3 + [429] * 27
        assert quiet.status_code == 200
        assert quiet.headers["ratelimit"].startswith('"writes";r=2;')

    def test_each_caller_has_its_own(self, client: httpx2.Client, database: Database) -> None:
        callers = [Caller(client, headers_for(database, name)) for name in ("ada", "eve")]
        seen = [_write(caller, "/own").status_code for caller in callers for _ in range(4)]
        elsewhere = _write(Caller(client, {**callers[0].headers, "X-Forwarded-For": "1.2.3.4"}), "/own")

        # Without authentication the address alone tells callers apart.
        assert seen == ([200, 200, 200, 429] * 2 if SECURITY_SCHEMES else [200] * 3 + [429] * 5)
        assert elsewhere.status_code == (429 if SECURITY_SCHEMES else 200)

    def test_can_be_turned_off(self, settings: Settings) -> None:
        with open_client(settings.model_copy(update={**_LIMITED, "rate_limit_enabled": False}), _NOTES) as client:
            answers = [_write(client) for _ in range(5)]

        assert {each.status_code for each in answers} == {200}
        assert not any("ratelimit" in each.headers for each in answers)


class TestOrder:
    """Limits come after the media type and the caller, and before the body."""

    def test_a_body_that_is_wrong_counts(self, client: httpx2.Client) -> None:
        seen = [client.post("/notes", json={"text": 1}).status_code for _ in range(4)]

        assert seen == [422, 422, 422, 429]

    def test_another_media_type_or_method_does_not(self, client: httpx2.Client) -> None:
        seen = [client.post("/notes", data={"a": "b"}).status_code for _ in range(4)]
        seen += [client.put("/notes", json={"text": "tea"}).status_code for _ in range(4)]

        assert seen == [415] * 4 + [405] * 4
        assert _write(client).headers["ratelimit"].startswith('"writes";r=2;')

    def test_unauthenticated_calls_are_not_counted(self, client: httpx2.Client) -> None:
        seen = [_write(client, "/own").status_code for _ in range(4)]

        assert seen == ([401] * 4 if SECURITY_SCHEMES else [200, 200, 200, 429])


class TestLimited:
    def test_several_limits_are_one_list(self, client: httpx2.Client) -> None:
        headers = client.get("/report").headers

        assert headers.get_list("ratelimit-policy") == ['"burst";q=2;w=1, "reports";q=4;w=86400']
        assert [part.split(";t=")[0] for part in headers["ratelimit"].split(", ")] == ['"burst";r=1', '"reports";r=3']

    def test_what_one_refuses_the_next_does_not_count(self, client: httpx2.Client) -> None:
        for _ in range(5):
            last = client.get("/report")

        assert_failed(last, 429, "rate_limited")
        assert last.headers["ratelimit"] == '"burst";r=0;t=1'
        assert last.headers["retry-after"] == "1"

    def test_takes_the_place_of_the_limit_of_writes(self, client: httpx2.Client) -> None:
        answers = [_write(client, "/imports") for _ in range(6)]

        assert [each.status_code for each in answers] == [200] * 5 + [429]
        assert answers[0].headers["ratelimit-policy"] == '"imports";q=5;w=3600'
        assert _write(client).headers["ratelimit"].startswith('"writes";r=2;')

    @pytest.mark.parametrize("rate", ["abc", "0/minute", "10", "10/week", ""])
    def test_a_rate_that_is_none_stops_the_start(self, rate: Any) -> None:
        with pytest.raises(RouteError, match=r"read_notes has a limit 'reports' of .*like 300/minute"):
            limited("reports", rate)(read_notes)

    @pytest.mark.parametrize(
        "rate",
        [lambda settings: settings.rate_limit_cakes, lambda _: "abc", lambda _: 10, lambda: "10/minute", None],
        ids=["unknown", "abc", "number", "no settings", "none"],
    )
    def test_a_setting_that_is_no_rate_stops_the_start(self, settings: Settings, rate: Any) -> None:
        with pytest.raises(RouteError, match="has a limit 'reports'"):
            require_rates("GET /report", limits_of(limited("reports", rate)(read_cakes)), settings)

    @pytest.mark.parametrize("name", ["", "Reports", 'a"b', "a b", "x" * 65])
    def test_a_name_that_no_header_can_have_stops_the_start(self, name: str) -> None:
        with pytest.raises(RouteError, match="read_notes has a limit called"):
            limited(name, "10/minute")(read_notes)


class TestStorageAway:
    def test_writes_go_on_and_limits_of_routes_hold(
        self, settings: Settings, capfd: pytest.CaptureFixture[str]
    ) -> None:
        # Nothing listens on port 1.
        away = {**_LIMITED, "rate_limit_storage_url": SecretStr("redis://:hunter2@127.0.0.1:1/0")}
        counters.forget()
        with open_client(settings.model_copy(update=away), _NOTES) as client:
            written = [_write(client) for _ in range(5)]
            imported = [_write(client, "/imports").status_code for _ in range(6)]
        found = counters.counters(settings.model_copy(update=away))
        counters.forget()

        assert [each.status_code for each in written] == [200] * 5
        assert not any("ratelimit" in each.headers for each in written)
        assert imported == [200] * 5 + [429]
        assert (found.failures, found.unasked) == (1, 10)
        log = capfd.readouterr().out
        assert log.count("rate_limit_storage_away") == 1
        assert "hunter2" not in log


class TestDocument:
    def test_says_which_routes_are_limited(self) -> None:
        document = document_of(_NOTES)
        limited_ones = {
            f"{method} {path}"
            for path, operations in document["paths"].items()
            for method, operation in operations.items()
            if "429" in operation["responses"]
        }

        assert limited_ones == {"post /notes", "delete /notes", "post /own", "get /report", "post /imports"}
        headers = document["components"]["responses"]["TooManyRequests"]["headers"]
        assert headers.keys() == {"RateLimit", "RateLimit-Policy", "Retry-After"}


def _from(client: httpx2.Client, address: str) -> Caller:
    return Caller(client, {"X-Forwarded-For": address})
