"""Headers that every answer has."""

import json

import httpx2
import pytest

from app.core.settings import Settings
from tests.client import open_client

_TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"


class TestRequestIds:
    def test_a_sane_request_id_is_returned(self, client: httpx2.Client) -> None:
        response = client.get("/healthz", headers={"X-Request-ID": "cart-7.a_b"})

        assert response.headers["x-request-id"] == "cart-7.a_b"

    @pytest.mark.parametrize("sent", ["", "a b", "x" * 129, "é".encode().decode("latin-1"), "a;b"])
    def test_any_other_is_replaced(self, client: httpx2.Client, sent: str) -> None:
        response = client.get("/healthz", headers={b"X-Request-ID": sent.encode("latin-1")})

        assert response.headers["x-request-id"] not in {"", sent}

    def test_the_trace_id_of_a_failure_is_the_callers(self, client: httpx2.Client) -> None:
        response = client.get("/nothing", headers={"traceparent": f"00-{_TRACE_ID}-00f067aa0ba902b7-01"})

        assert response.json()["trace_id"] == _TRACE_ID

    def test_a_trace_id_is_made_where_none_is_valid(self, client: httpx2.Client) -> None:
        response = client.get("/nothing", headers={"traceparent": f"00-{'0' * 32}-00f067aa0ba902b7-01"})

        assert len(response.json()["trace_id"]) == 32
        assert response.json()["trace_id"] != "0" * 32


class TestSecurity:
    @pytest.mark.parametrize("path", ["/healthz", "/nothing", "/docs", "/openapi.json"])
    def test_every_answer_has_the_security_headers(self, client: httpx2.Client, path: str) -> None:
        headers = client.get(path).headers

        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"

    def test_cross_origin_requests_are_closed_by_default(self, client: httpx2.Client) -> None:
        headers = client.get("/healthz", headers={"Origin": "https://elsewhere.example"}).headers

        assert "access-control-allow-origin" not in headers

    def test_an_origin_that_is_let_in_can_ask_before_it_sends(self, settings: Settings) -> None:
        opened = settings.model_copy(update={"cors_origins": ("https://shop.example",)})
        with open_client(opened) as client:
            response = client.options(
                "/healthz",
                headers={
                    "Origin": "https://shop.example",
                    "Access-Control-Request-Method": "GET",
                    "Access-Control-Request-Headers": "X-Client",
                },
            )

        assert response.headers.get_list("access-control-allow-origin") == ["https://shop.example"]
        assert response.headers["access-control-allow-headers"] == "X-Client"

    def test_a_foreign_host_name_is_refused(self, settings: Settings) -> None:
        closed = settings.model_copy(update={"trusted_hosts": ("api.example.com",)})
        with open_client(closed) as client:
            refused = client.get("/openapi.json")
            answered = client.get("/openapi.json", headers={"Host": "api.example.com"})
            called_by_address = client.get("/healthz", headers={"Host": "10.0.0.1"})

        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_host")
        assert (answered.status_code, called_by_address.status_code) == (200, 200)


class TestLog:
    def test_each_request_is_one_line_of_json(self, settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
        with open_client(settings) as client:
            client.get("/healthz", headers={"X-Request-ID": "known"})

        lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
        (line,) = [line for line in lines if line.get("request_id") == "known"]
        assert {name: line[name] for name in ("method", "route", "status", "principal")} == {
            "method": "GET",
            "route": "/healthz",
            "status": 200,
            "principal": None,
        }
        assert {"time", "level", "duration", "trace_id"} <= line.keys()

    def test_an_unknown_path_is_not_in_the_log(self, settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
        with open_client(settings) as client:
            client.get("/somebody-is-guessing-paths")

        lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
        (line,) = [line for line in lines if line["event"] == "request"]
        assert (line["route"], line["status"]) == (None, 404)
        assert "guessing" not in str(line)
