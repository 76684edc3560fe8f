"""What a receiver of OpenTelemetry gets from a service in production, and what happens while it is away."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from template.tests.receiver import CLIENT, SERVER, Receiver, attributes, receiving
from tests.conftest import Install, NewDatabase
from tests.rendering import choices
from tests.servers import free_port
from tests.service import Service
from tests.wire.samples import an_order

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
SECRET = "Vq3Zt8Lw1Xr6Mb9K"
REQUESTS = 20
VARIANTS = [("fastapi", "postgresql"), ("flask", "postgresql"), ("fastapi", "mysql"), ("flask", "sqlite")]
# Nothing is sent before the service stops.
AT_THE_END = {"OTEL_BSP_SCHEDULE_DELAY": "600000"}
SOON = {"OTEL_BSP_SCHEDULE_DELAY": "100", "OTEL_EXPORTER_OTLP_TIMEOUT": "3"}
SERVE = ("uv", "run", "app", "serve")


@pytest.fixture
def traced(install: Install, new_database: NewDatabase) -> Callable[..., Service]:
    """Return what gives a migrated service, in production, with two workers and an empty database."""

    def make(framework: str, database: str, endpoint: str, **settings: str) -> Service:
        service = install({"framework": framework, "database": database, "auth": "none", "example": True})
        for file in service.directory.glob("app.db*"):
            file.unlink()
        here = {} if database != "sqlite" else {"DATABASE_URL": "sqlite:///app.db"}
        own = {"ENVIRONMENT": "production", "WORKERS": "2", "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
        service = service.with_settings({**here, **new_database(database), **own, **settings})
        service.run("uv", "run", "just", "migrate")
        return service

    return make


def lines(service: Service) -> Iterator[dict[str, Any]]:
    """Yield the lines of the service's log."""
    for line in (service.directory / "serve.log").read_text("utf-8").splitlines():
        yield json.loads(line)


def logged(service: Service, event: str) -> list[dict[str, Any]]:
    """Return the lines about `event`."""
    return [line for line in lines(service) if line["event"] == event]


def wait_until(holds: Callable[[], object], what: object) -> None:
    """Return once `holds` does."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def create(base_url: str) -> None:
    """Create orders, none in a trace of the caller."""
    for _ in range(REQUESTS):
        httpx2.post(f"{base_url}/v1/orders", json=an_order(note=SECRET)).raise_for_status()


def below(receiver: Receiver, parent: Span) -> Counter[str]:
    """Return how often the statements of a request have which name."""
    return Counter(span.name for span in receiver.spans(CLIENT) if span.parent_span_id == parent.span_id)


@pytest.mark.parametrize(("framework", "database"), VARIANTS)
def test_all_spans_of_two_workers_are_received_before_they_stop(
    traced: Callable[..., Service], framework: str, database: str
) -> None:
    with receiving() as receiver:
        service = traced(framework, database, receiver.url, **AT_THE_END)
        with service.serving(*SERVE, codes=[0]) as base_url:
            failure = httpx2.get(f"{base_url}/v1/orders?cursor={SECRET}", headers=SAMPLED)
            create(base_url)
            assert [] == receiver.requests

        spans = {span.span_id.hex(): span for span in receiver.spans(SERVER)}
    requests = {line["span_id"]: line for line in logged(service, "request") if "span_id" in line}
    assert requests.keys() == spans.keys()
    assert [line["trace_id"] for line in requests.values()] == [spans[each].trace_id.hex() for each in requests]
    assert Counter({"POST /v1/orders": REQUESTS, "GET /v1/orders": 1}) == Counter(each.name for each in spans.values())
    (of_caller,) = (span for span in spans.values() if span.trace_id.hex() == TRACE)
    assert (CALLER, TRACE) == (of_caller.parent_span_id.hex(), failure.json()["trace_id"])
    assert 400 == attributes(of_caller)["http.response.status_code"]
    for span in spans.values():
        if span is not of_caller:
            found = below(receiver, span)
            assert (1, 1) == (found["INSERT orders"], found["INSERT order_items"]), found
    assert not [each for each in receiver.requests if SECRET.encode() in each.SerializeToString()]
    statement = next(span for span in receiver.spans(CLIENT) if span.name == "INSERT orders")
    assert database in {attributes(statement)["db.system.name"], "mysql"}


@pytest.mark.parametrize("framework", choices("framework"))
def test_nothing_is_sent_where_nothing_is_sampled(traced: Callable[..., Service], framework: str) -> None:
    with receiving() as receiver:
        service = traced(framework, "postgresql", receiver.url, OTEL_TRACES_SAMPLER="always_off", **SOON)
        with service.serving(*SERVE, codes=[0]) as base_url:
            create(base_url)
            httpx2.get(f"{base_url}/v1/orders", headers=SAMPLED).raise_for_status()
        assert [] == receiver.requests
    assert [TRACE] == [line["trace_id"] for line in logged(service, "request") if line.get("route") == "/v1/orders"][
        -1:
    ]


@pytest.mark.parametrize("framework", choices("framework"))
def test_a_receiver_that_is_away_is_no_failure_and_one_line(traced: Callable[..., Service], framework: str) -> None:
    port = free_port()
    service = traced(framework, "postgresql", f"http://127.0.0.1:{port}", WORKERS="1", **SOON)
    with service.serving(*SERVE, codes=[0]) as base_url:
        create(base_url)
        wait_until(lambda: logged(service, "traces_not_received"), [*lines(service)])
        with receiving(port) as receiver:

            def is_back() -> list[dict[str, Any]]:
                httpx2.get(f"{base_url}/v1/orders").raise_for_status()
                return logged(service, "traces_received_again")

            wait_until(is_back, [*lines(service)])
            assert receiver.spans(SERVER)
    (away,), (back,) = logged(service, "traces_not_received"), logged(service, "traces_received_again")
    assert "Connection refused" in away["reason"]
    assert back["lost_spans"] > 0
    assert not [line for line in lines(service) if "batch" in line["event"]]


@pytest.mark.parametrize("framework", choices("framework"))
def test_a_receiver_that_does_not_answer_holds_no_stop(traced: Callable[..., Service], framework: str) -> None:
    with receiving() as receiver:
        receiver.answers.clear()
        settings = {"OTEL_EXPORTER_OTLP_TIMEOUT": "300", "SHUTDOWN_TASKS_SECONDS": "1", "WORKERS": "1"}
        service = traced(framework, "postgresql", receiver.url, **AT_THE_END, **settings)
        with service.serving(*SERVE, codes=[0]) as base_url:
            create(base_url)
    assert 1 == len(logged(service, "traces_abandoned"))


def test_what_can_never_work_stops_the_start(traced: Callable[..., Service]) -> None:
    service = traced("flask", "sqlite", "http://127.0.0.1:4318")
    found = service.with_settings({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}).fails(*SERVE)
    assert "Error: OTEL_EXPORTER_OTLP_PROTOCOL: " in found
