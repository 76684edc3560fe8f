"""The spans of requests, as a receiver gets them when the service stops."""

import json
from collections.abc import Callable
from http.cookies import SimpleCookie
from typing import Any

import httpx2
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as families
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.auth.policy import public
from app.core.settings import Settings
from app.db.database import Database
from app.db.url import database_url
from tests.client import open_client
from tests.receiver import CLIENT, ERROR, SERVER, Receiver, attributes

_TRACE, _CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
_SAMPLED = {"traceparent": f"00-{_TRACE}-{_CALLER}-01"}
_NOT_SAMPLED = {"traceparent": f"00-{_TRACE}-{_CALLER}-00"}
_SECRET = "Vq3Zt8Lw1Xr6Mb9K"
_OPEN_METRICS = {"accept": "application/openmetrics-text"}

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(capfd: pytest.CaptureFixture[str]) -> Lines:
    """Return what gives the lines of the log since its last call."""
    return lambda: [json.loads(line) for line in capfd.readouterr().out.splitlines()]


@public
def thing(thing_id: str) -> str:
    """Return it."""
    return thing_id


@public
def nothing() -> str:
    """Return no more than that."""
    return "nothing"


@public
def crash() -> str:
    """Fail."""
    raise ZeroDivisionError(_SECRET)


class TestServerSpan:
    @pytest.mark.parametrize(
        ("method", "path", "name", "expected"),
        [
            ("GET", "/things/7", "GET /things/{thing_id}", ("GET", "/things/{thing_id}", 200)),
            ("HEAD", "/things/7", "HEAD /things/{thing_id}", ("HEAD", "/things/{thing_id}", 200)),
            ("GET", "/things/7/none", "GET", ("GET", None, 404)),
            ("DELETE", "/things/7", "DELETE", ("DELETE", None, 405)),
            ("BREW", "/things/7", "HTTP", ("_OTHER", None, 405)),
        ],
    )
    def test_it_says_what_was_asked_and_answered(
        self,
        traced: Settings,
        receiver: Receiver,
        method: str,
        path: str,
        name: str,
        expected: tuple[str, str | None, int],
    ) -> None:
        with open_client(traced, [("GET", "/things/{thing_id}", thing)]) as client:
            client.request(method, path)

        (span,) = receiver.spans()
        found = attributes(span)
        assert (span.name, span.kind, span.status.code) == (name, SERVER, 0)
        assert (found["url.path"], found["url.scheme"]) == (path, "http")
        asked = (found["http.request.method"], found.get("http.route"), found["http.response.status_code"])
        assert asked == expected

    def test_a_crash_is_an_error_without_its_message(self, traced: Settings, receiver: Receiver, lines: Lines) -> None:
        with open_client(traced, [("GET", "/crash", crash)]) as client:
            answer = client.get("/crash")

        (span,) = receiver.spans()
        found = attributes(span)
        assert (found["http.response.status_code"], found["error.type"]) == (500, "ZeroDivisionError")
        assert (span.status.code, span.status.message, [*span.events]) == (ERROR, "", [])
        assert _SECRET not in str(span)
        (line,) = [line for line in lines() if line["event"] == "crash"]
        assert line["trace_id"] == answer.json()["trace_id"] == span.trace_id.hex()

    def test_each_says_who_sends_it(self, traced: Settings, receiver: Receiver) -> None:
        named = traced.model_copy(update={"otel_service_name": "things"})
        with open_client(named) as client:
            client.get("/nothing")

        assert receiver.paths == ["/v1/traces"]
        assert receiver.resource()["service.name"] == "things"
        assert receiver.resource().keys() >= {"service.version", "service.instance.id", "telemetry.sdk.version"}

    @pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
    def test_operations_are_not_traced(self, traced: Settings, receiver: Receiver, path: str) -> None:
        with open_client(traced) as client:
            assert client.get(path).status_code == 200

        assert receiver.spans() == []

    def test_nothing_secret_is_in_it(self, traced: Settings, receiver: Receiver) -> None:
        cookie = SimpleCookie({"session": _SECRET}).output(header="").strip()
        headers = {"authorization": f"Bearer {_SECRET}", "cookie": cookie, "x-own": _SECRET}
        with open_client(traced, [("POST", "/things/{thing_id}", thing)]) as client:
            client.post("/things/7", params={"token": _SECRET}, headers=headers, json={"password": _SECRET})

        assert len(receiver.spans()) == 1
        assert _SECRET.encode() not in b"".join(each.SerializeToString() for each in receiver.requests)


class TestContext:
    def test_the_callers_span_is_the_parent(self, traced: Settings, receiver: Receiver, lines: Lines) -> None:
        with open_client(traced) as client:
            answer = client.get("/nothing", headers={**_SAMPLED, "tracestate": "vendor=1,other=2"})

        (span,) = receiver.spans()
        assert (span.trace_id.hex(), span.parent_span_id.hex()) == (_TRACE, _CALLER)
        assert (span.trace_state, answer.json()["trace_id"]) == ("vendor=1,other=2", _TRACE)
        (line,) = [line for line in lines() if line["event"] == "request"]
        assert (line["trace_id"], line["span_id"]) == (_TRACE, span.span_id.hex())

    @pytest.mark.parametrize("sent", [{}, {"traceparent": f"00-{_TRACE}-{'0' * 16}-01"}])
    def test_a_trace_that_begins_here_has_the_id_of_the_answer(
        self, traced: Settings, receiver: Receiver, lines: Lines, sent: dict[str, str]
    ) -> None:
        with open_client(traced) as client:
            answer = client.get("/nothing", headers=sent)

        (span,) = receiver.spans()
        (line,) = [line for line in lines() if line["event"] == "request"]
        assert span.trace_id.hex() == answer.json()["trace_id"] == line["trace_id"] != _TRACE
        assert span.parent_span_id == b""

    def test_a_state_that_is_wrong_is_dropped_and_not_in_the_log(
        self, traced: Settings, receiver: Receiver, lines: Lines
    ) -> None:
        with open_client(traced) as client:
            client.get("/nothing", headers={**_SAMPLED, "tracestate": "guess what"})

        (span,) = receiver.spans()
        assert (span.trace_state, span.parent_span_id.hex()) == ("", _CALLER)
        assert "guess what" not in str(lines())


class TestSampling:
    @pytest.mark.parametrize(
        ("sampler", "ratio", "sent", "expected"),
        [
            ("parentbased_always_on", 1, {}, 1),
            ("parentbased_always_on", 1, _NOT_SAMPLED, 0),
            ("parentbased_traceidratio", 0, {}, 0),
            ("parentbased_traceidratio", 0, _SAMPLED, 1),
            ("parentbased_always_off", 1, _SAMPLED, 1),
            ("traceidratio", 0, _SAMPLED, 0),
            ("always_on", 1, _NOT_SAMPLED, 1),
            ("always_off", 1, _SAMPLED, 0),
        ],
    )
    def test_the_sampler_decides_what_is_sent(
        self, traced: Settings, receiver: Receiver, sampler: str, ratio: float, sent: dict[str, str], expected: int
    ) -> None:
        changes = {"otel_traces_sampler": sampler, "otel_traces_sampler_arg": ratio}
        with open_client(traced.model_copy(update=changes)) as client:
            client.get("/nothing", headers=sent)

        assert len(receiver.spans()) == expected

    @pytest.mark.parametrize(("sent", "is_example"), [(_SAMPLED, True), (_NOT_SAMPLED, False)])
    def test_no_exemplar_leads_to_a_trace_that_was_not_sent(
        self, traced: Settings, sent: dict[str, str], *, is_example: bool
    ) -> None:
        path = "/sampled/things" if is_example else "/dropped/things"
        with open_client(traced, [("GET", path, nothing)]) as client:
            client.get(path, headers=sent)
            found = client.get("/metrics", headers=_OPEN_METRICS).text

        (duration,) = (each for each in families(found) if each.name == "http_request_duration_seconds")
        examples = [each.exemplar for each in duration.samples if each.labels["route"] == path and each.exemplar]
        assert [each.labels["trace_id"] for each in examples] == ([_TRACE] if is_example else [])


class TestDatabaseSpans:
    def test_each_statement_has_one_below_the_request(
        self, traced: Settings, receiver: Receiver, database: Database
    ) -> None:
        @public
        def ask() -> str:
            """Return what the database says."""
            return database.read(
                lambda session: session.execute(text("SELECT :secret"), {"secret": _SECRET}).scalar_one()
            )

        with open_client(traced, [("GET", "/ask", ask)]) as client:
            assert _SECRET in client.get("/ask").text

        (request,) = receiver.spans(SERVER)
        (statement,) = [span for span in receiver.spans(CLIENT) if span.name == "SELECT"]
        assert (statement.trace_id, statement.parent_span_id) == (request.trace_id, request.span_id)
        assert request.start_time_unix_nano <= statement.start_time_unix_nano <= statement.end_time_unix_nano
        found, url = attributes(statement), database_url(traced)
        assert str(found["db.query.text"]).startswith("SELECT ")
        assert found["db.system.name"] == url.get_backend_name()
        assert (found["db.namespace"], found.get("server.port")) == (url.database, url.port)
        assert _SECRET not in str(receiver.requests)

    def test_a_statement_that_fails_is_an_error(self, traced: Settings, receiver: Receiver, database: Database) -> None:
        @public
        def ask() -> str:
            """Ask for what is not there."""
            with pytest.raises(DBAPIError):
                database.read(lambda session: session.execute(text("SELECT 1\nFROM nowhere")))
            return "asked"

        with open_client(traced, [("GET", "/ask", ask)]) as client:
            client.get("/ask")

        (statement,) = [span for span in receiver.spans(CLIENT) if span.name == "SELECT nowhere"]
        assert (statement.status.code, statement.status.message) == (ERROR, "")
        assert attributes(statement)["error.type"] in {"OperationalError", "ProgrammingError", "UndefinedTable"}

    def test_there_are_none_where_the_trace_is_not_sampled(
        self, traced: Settings, receiver: Receiver, database: Database
    ) -> None:
        @public
        def ask() -> str:
            """Return what the database says."""
            return str(database.read(lambda session: session.execute(text("SELECT 1")).scalar_one()))

        with open_client(traced, [("GET", "/ask", ask)]) as client:
            client.get("/ask", headers=_NOT_SAMPLED)
        database.read(lambda session: session.execute(text("SELECT 1")))

        assert receiver.spans() == []


class TestReceiver:
    def test_one_that_is_away_fails_no_request_and_is_one_line(
        self, traced: Settings, receiver: Receiver, lines: Lines
    ) -> None:
        receiver.status = 400
        with open_client(traced) as client:
            assert client.get("/healthz").status_code == 200
            assert client.get("/nothing").status_code == 404

        (line,) = [line for line in lines() if line["event"] != "request"]
        assert (line["event"], line["level"]) == ("traces_not_received", "warning")
        assert "400" in line["reason"]

    def test_it_is_told_who_sends(self, traced: Settings, receiver: Receiver) -> None:
        headers = {"otel_exporter_otlp_headers": SecretStr("receiver-key=a%20b")}
        with open_client(traced.model_copy(update=headers)) as client:
            client.get("/nothing")

        assert [each["receiver-key"] for each in receiver.headers] == ["a b"]


def test_it_is_off_where_the_sdk_is_disabled(traced: Settings, receiver: Receiver) -> None:
    with open_client(traced.model_copy(update={"otel_sdk_disabled": True})) as client:
        answer: httpx2.Response = client.get("/nothing")

    assert answer.status_code == 404
    assert receiver.spans() == []
