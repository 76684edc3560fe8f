"""What is counted of requests, and how /metrics shows it."""

import asyncio
from collections.abc import Callable, Iterable

import httpx2
import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families
from prometheus_client.parser import text_string_to_metric_families as families

from app.auth.policy import public
from app.core.settings import Settings
from tests.client import open_application, open_client
from tests.metrics import value_of
from tests.requests import assert_failed

_OPEN_METRICS = {"accept": "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5"}
_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"

Parse = Callable[[str], Iterable[Metric]]


def requests(method: str, route: str, status: str) -> float:
    return value_of("http_requests_total", method=method, route=route, status=status)


class TestRequests:
    @pytest.mark.parametrize(
        ("method", "path", "expected"),
        [
            ("GET", "/healthz", ("GET", "/healthz", "200")),
            ("HEAD", "/healthz", ("HEAD", "/healthz", "200")),
            ("GET", "/things/7", ("GET", "/things/{thing_id}", "200")),
            ("GET", "/things/7/none", ("GET", "unmatched", "404")),
            ("DELETE", "/things/7", ("DELETE", "unmatched", "405")),
            ("OPTIONS", "/things/7", ("OPTIONS", "unmatched", "204")),
            ("BREW", "/things/7", ("other", "unmatched", "405")),
        ],
    )
    def test_each_is_counted_by_its_route(
        self, settings: Settings, method: str, path: str, expected: tuple[str, str, str]
    ) -> None:
        @public
        def thing(thing_id: str) -> str:
            """Return it."""
            return thing_id

        with open_client(settings, [("GET", "/things/{thing_id}", thing)]) as client:
            before = requests(*expected)
            client.request(method, path)

        assert requests(*expected) == before + 1

    def test_one_that_crashes_is_counted_too(self, settings: Settings) -> None:
        @public
        def crash() -> str:
            """Fail."""
            raise ZeroDivisionError

        before = requests("GET", "/crash", "500")
        with open_client(settings, [("GET", "/crash", crash)]) as client:
            client.get("/crash")

        assert requests("GET", "/crash", "500") == before + 1
        assert value_of("http_requests_in_progress", method="GET") == 0

    def test_each_is_timed(self, client: httpx2.Client) -> None:
        sample, labels = "http_request_duration_seconds", {"method": "GET", "route": "/readyz", "status": "200"}
        counted, seconds = value_of(f"{sample}_count", **labels), value_of(f"{sample}_sum", **labels)
        client.get("/readyz")

        assert value_of(f"{sample}_count", **labels) == counted + 1
        assert 0 < value_of(f"{sample}_sum", **labels) - seconds < 5

    def test_asking_for_the_metrics_does_not_change_them(self, client: httpx2.Client) -> None:
        client.get("/metrics")

        assert requests("GET", "/metrics", "200") == 0


class TestExposition:
    @pytest.mark.parametrize(
        ("accept", "media_type", "parse"),
        [
            ({}, "text/plain; version=0.0.4; charset=utf-8", families),
            ({"accept": "application/json"}, "text/plain; version=0.0.4; charset=utf-8", families),
            (_OPEN_METRICS, "application/openmetrics-text; version=1.0.0; charset=utf-8", open_families),
        ],
    )
    def test_both_formats_have_everything(
        self, client: httpx2.Client, accept: dict[str, str], media_type: str, parse: Parse
    ) -> None:
        client.get("/healthz")
        answer = client.get("/metrics", headers=accept)

        assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
        found = {family.name: family.type for family in parse(answer.text)}
        assert found.items() >= {
            ("http_requests", "counter"),
            ("http_request_duration_seconds", "histogram"),
            ("http_requests_in_progress", "gauge"),
            ("db_pool_connections", "gauge"),
            ("bulkhead_refused", "counter"),
            ("process_cpu_seconds", "counter"),
        }

    def test_the_trace_of_a_request_is_there_in_openmetrics_only(self, client: httpx2.Client) -> None:
        client.get("/healthz", headers={"traceparent": f"00-{_TRACE}-00f067aa0ba902b7-01"})
        plain, opened = client.get("/metrics"), client.get("/metrics", headers=_OPEN_METRICS)

        assert _TRACE not in plain.text
        (duration,) = (each for each in open_families(opened.text) if each.name == "http_request_duration_seconds")
        assert {"trace_id": _TRACE} in [each.exemplar.labels for each in duration.samples if each.exemplar]

    @pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("OPTIONS", 204), ("POST", 405)])
    def test_it_has_the_methods_of_any_resource(self, client: httpx2.Client, method: str, status: int) -> None:
        answer = client.request(method, "/metrics")

        assert answer.status_code == status
        assert answer.headers.get("allow", "GET, HEAD, OPTIONS") == "GET, HEAD, OPTIONS"

    def test_it_answers_under_any_host(self, settings: Settings) -> None:
        closed = settings.model_copy(update={"trusted_hosts": ("api.example.com",)})
        with open_client(closed) as client:
            answer = client.get("/metrics", headers={"host": "10.0.0.7:8000"})

        assert answer.status_code == 200

    @pytest.mark.parametrize("setting", ["metrics_port", "operations_port"])
    def test_it_is_not_public_where_it_has_a_port_of_its_own(self, settings: Settings, setting: str) -> None:
        async def status_of(path: str) -> int:
            with open_application(settings.model_copy(update={setting: 9000})) as application:
                transport = httpx2.ASGITransport(application)
                async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
                    return (await client.get(path)).status_code

        assert [asyncio.run(status_of(path)) for path in ("/metrics", "/openapi.json")] == [404, 200]

    def test_it_can_be_turned_off(self, settings: Settings) -> None:
        before = requests("GET", "/healthz", "200")
        with open_client(settings.model_copy(update={"metrics_enabled": False})) as client:
            answer = client.get("/metrics")
            client.get("/healthz")

        assert_failed(answer, 404, "not_found")
        assert requests("GET", "/healthz", "200") == before
