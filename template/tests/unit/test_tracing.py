"""Settings of traces, and what has no part in a request."""

import subprocess
import sys
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from pydantic import SecretStr

from app.core.errors import SettingsError
from app.core.settings import Settings, load_settings
from app.http.asgi import Receive, Scope, Send
from app.http.headers import new_trace_id
from app.http.middleware import ContextMiddleware
from app.observability.logging import configure_logging
from app.tracing.checks import check
from app.tracing.middleware import TracingMiddleware
from app.tracing.provider import WatchedExporter, make_provider
from app.tracing.statements import summary
from tests.asgi import client_of
from tests.receiver import ERROR, attributes, receiving

_ENDPOINT = "http://localhost:4318"
_SPAN = ReadableSpan("GET")
_ANSWER_ONE = """
import asyncio, sys
from app.core import features
from app.core.settings import get_settings
from app.main import create_worker_app

statuses = []

async def answer() -> None:
    app = create_worker_app()
    asked, said = asyncio.Queue(), asyncio.Queue()
    life = asyncio.create_task(app({"type": "lifespan", "state": {}}, asked.get, said.put))
    await asked.put({"type": "lifespan.startup"})
    await said.get()
    await asked.put({"type": "http.request", "body": b""})
    scope = {"type": "http", "method": "GET", "path": "/v1/nothing", "raw_path": b"/v1/nothing", "query_string": b"",
             "headers": [(b"host", b"localhost")], "scheme": "http", "http_version": "1.1", "root_path": "",
             "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "state": {}}
    async def send(message):
        statuses.append(message.get("status"))
    await app(scope, asked.get, send)
    await asked.put({"type": "lifespan.shutdown"})
    await life

asyncio.run(answer())
heavy = ("opentelemetry.sdk", "opentelemetry.exporter", "opentelemetry.proto", "google", "requests")
print(statuses[0], sorted(each for each in sys.modules if each.startswith(heavy)))
"""


class TestOff:
    def test_nothing_of_it_is_imported(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        assert settings.database_url is not None
        monkeypatch.setenv("DATABASE_URL", settings.database_url.get_secret_value())
        monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
        # The API alone, with which others offer spans, is small.
        command = [sys.executable, "-c", _ANSWER_ONE]
        done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own command

        assert done.stdout.splitlines()[-1] == "404 []"


class TestSettings:
    @pytest.mark.parametrize("url", ["http://localhost:4318", "https://otlp.example.com/base", "http://[::1]:4318"])
    def test_a_url_of_a_receiver_is_taken(self, url: str) -> None:
        assert load_settings(_env_file=None, otel_exporter_otlp_endpoint=url).otel_exporter_otlp_endpoint == url

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "grpc://localhost:4317"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:port"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://name:secret@localhost"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318?secret=1"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_TRACES_SAMPLER", "sometimes"),
            ("OTEL_TRACES_SAMPLER_ARG", "1.5"),
        ],
    )
    def test_what_can_never_work_is_refused(self, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
        monkeypatch.setenv(name, value)

        with pytest.raises(SettingsError, match=rf"^{name}: ") as refused:
            load_settings(_env_file=None)
        assert "secret" not in str(refused.value)

    def test_each_may_be_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "otel_exporter_otlp_endpoint").write_text(_ENDPOINT, "utf-8")

        assert load_settings(_env_file=None, _secrets_dir=tmp_path).otel_exporter_otlp_endpoint == _ENDPOINT

    def test_what_the_sdk_refuses_stops_the_start(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        traced = settings.model_copy(update={"otel_exporter_otlp_endpoint": _ENDPOINT})
        check(traced)
        monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4096")

        with pytest.raises(SettingsError, match=r"^OTEL_…: .*max_export_batch_size"):
            check(traced)
        check(settings)

    @pytest.mark.parametrize(
        ("url", "plaintext_hosts", "is_refused"),
        [
            ("http://collector:4318", (), True),
            ("http://collector:4318", ("collector",), False),
            ("http://localhost:4318", (), False),
            ("https://otlp.example.com", (), False),
        ],
    )
    def test_production_sends_secret_headers_over_tls(
        self, settings: Settings, url: str, plaintext_hosts: tuple[str, ...], *, is_refused: bool
    ) -> None:
        changes = {
            "environment": "production",
            "otel_exporter_otlp_endpoint": url,
            "otel_exporter_otlp_headers": SecretStr("key=secret"),
            "plaintext_hosts": plaintext_hosts,
        }
        production = settings.model_copy(update=changes)
        if not is_refused:
            check(production)
            return
        with pytest.raises(SettingsError, match=r"^OTEL_EXPORTER_OTLP_HEADERS: "):
            check(production)

    def test_headers_past_that_check_are_refused(self, settings: Settings) -> None:
        secret = SecretStr("key=secret")
        changes = {"otel_exporter_otlp_endpoint": _ENDPOINT, "otel_exporter_otlp_traces_headers": secret}

        with pytest.raises(SettingsError, match=r"OTEL_EXPORTER_OTLP_TRACES_HEADERS: .*OTEL_EXPORTER_OTLP_HEADERS"):
            check(settings.model_copy(update=changes))

    def test_a_collector_beside_it_may_be_told_in_plain_text(self, settings: Settings) -> None:
        changes = {"environment": "production", "otel_exporter_otlp_endpoint": "http://collector:4318"}

        check(settings.model_copy(update=changes))


class TestResource:
    def test_a_name_of_its_own_wins_then_the_resources_then_the_projects(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def name(**changes: str) -> object:
            provider = make_provider(settings.model_copy(update={"otel_exporter_otlp_endpoint": _ENDPOINT, **changes}))
            provider.shutdown()
            return provider.resource.attributes["service.name"]

        assert name() not in {"", "unknown_service"}
        monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=of-the-resource,deployment.environment.name=test")
        assert name() == "of-the-resource"
        assert name(otel_service_name="of-its-own") == "of-its-own"


class TestIds:
    def test_samplers_can_decide_by_the_id_that_is_made(self) -> None:
        first_bits = {int(new_trace_id()[16], 16) >> 2 for _ in range(200)}

        assert first_bits == {0, 1, 2, 3}


class _Sometimes(SpanExporter):
    def __init__(self, *results: SpanExportResult) -> None:
        self.results = iter(results)

    def export(self, spans: object) -> SpanExportResult:  # noqa: ARG002 - as in the base class
        return next(self.results)


class TestWatchedExporter:
    def test_it_says_once_that_spans_are_lost_and_once_that_they_are_not(
        self, capfd: pytest.CaptureFixture[str]
    ) -> None:
        configure_logging("INFO")
        taken, lost = SpanExportResult.SUCCESS, SpanExportResult.FAILURE
        exporter = WatchedExporter(_Sometimes(taken, lost, lost, taken, taken, lost))
        for _ in range(6):
            exporter.export([_SPAN])

        found = [word for word in capfd.readouterr().out.split('"') if word.startswith("traces_")]
        assert found == ["traces_not_received", "traces_received_again", "traces_not_received"]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT things.id \nFROM things \nWHERE things.id = ?", "SELECT things"),
        ("SELECT extract(year from day)\nFROM `things`", "SELECT things"),
        ("SELECT 1", "SELECT"),
        ("SELECT count(*) \nFROM (SELECT 1) AS anon_1", "SELECT"),
        ('INSERT INTO "things" (id) VALUES (?)', "INSERT things"),
        ("UPDATE shop.things SET note=? WHERE id = ?", "UPDATE shop.things"),
        ("DELETE FROM things WHERE id = ?", "DELETE things"),
        ("begin immediate", "BEGIN"),
        ("WITH recent AS (SELECT 1) SELECT 2", "WITH"),
        ("", "EXECUTE"),
    ],
)
def test_a_statement_is_called_by_its_operation_and_its_table(statement: str, expected: str) -> None:
    assert summary(statement) == expected


async def _breaks_off(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with a part of an answer."""
    if scope["type"] == "lifespan":
        for phase in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{phase}.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"a part", "more_body": True})
    raise ZeroDivisionError


def test_an_answer_that_breaks_off_is_an_error(settings: Settings) -> None:
    with receiving() as receiver:
        traced = settings.model_copy(update={"otel_exporter_otlp_endpoint": receiver.url})
        service = ContextMiddleware(TracingMiddleware(_breaks_off, traced), traced)
        # The client has no whole answer.
        with client_of(service) as client, pytest.raises(AssertionError):
            client.get("/part")

    (span,) = receiver.spans()
    found = attributes(span)
    assert (found["http.response.status_code"], found["error.type"]) == (200, "ZeroDivisionError")
    assert span.status.code == ERROR
