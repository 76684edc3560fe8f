"""What the routes beside this answer, whichever framework has them; runs in a rendered service."""

import json
import logging
from collections.abc import Generator
from typing import Any

import httpx2
import pytest

from app.core.settings import Settings
from app.limits import counters
from tests.callers import headers_for
from tests.client import open_client
from tests.requests import assert_failed

PATH = "/v1/ordinary"
LIMITED = {"rate_limit_enabled": True, "rate_limit_writes": "3/hour"}


@pytest.fixture(scope="module")
def client(settings: Settings) -> Generator[httpx2.Client]:
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    with open_client(
        settings.model_copy(update={"request_timeout_seconds": 0.5, "max_body_bytes": 1024 * 1024})
    ) as client:
        yield client


def answered(response: httpx2.Response, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.json()


class TestParameters:
    def test_defaults(self, client: httpx2.Client) -> None:
        expected = {"limit": 10, "q": None, "tags": [], "color": "red", "since": None, "page": 1}
        assert answered(client.get(f"{PATH}/params")) == expected

    def test_values(self, client: httpx2.Client) -> None:
        query = "limit=3&q=tea&tags=a&tags=b&color=blue&since=2026-01-31&page-number=2"
        expected = {"limit": 3, "q": "tea", "tags": ["a", "b"], "color": "blue", "since": "2026-01-31", "page": 2}
        assert answered(client.get(f"{PATH}/params?{query}")) == expected

    @pytest.mark.parametrize(
        ("query", "field"),
        [("other=1", "other"), ("limit=1&limit=2", "limit"), ("limit=0", "limit"), ("color=x", "color")],
    )
    def test_others_are_refused_by_name(self, client: httpx2.Client, query: str, field: str) -> None:
        details = assert_failed(client.get(f"{PATH}/params?{query}"), 422, "validation_error")
        assert [detail["field"] for detail in details] == [field]

    def test_a_model(self, client: httpx2.Client) -> None:
        expected = {"name": "x", "tags": ["a", "b"], "color": "red"}
        assert answered(client.get(f"{PATH}/model?name=x&tags=a&tags=b&color=red")) == expected
        assert_failed(client.get(f"{PATH}/model?nme=x"), 422, "validation_error")

    def test_headers_and_cookies(self, client: httpx2.Client) -> None:
        headers = {"X-Team": "tea", "Cookie": "session=abc"}
        assert answered(client.get(f"{PATH}/headers", headers=headers)) == {"team": "tea", "session": "abc"}


class TestCallers:
    def test_nobody_in_a_public_one(self, client: httpx2.Client) -> None:
        assert answered(client.get(f"{PATH}/whoami")) == {"caller": None}

    def test_somebody_in_a_public_one(self, client: httpx2.Client, database: Any) -> None:
        assert answered(client.get(f"{PATH}/whoami", headers=headers_for(database, "ada")))["caller"]

    def test_credentials_that_are_not_valid_in_a_public_one(self, client: httpx2.Client) -> None:
        headers = {"Authorization": "Bearer x", "X-API-Key": "x"}
        assert_failed(client.get(f"{PATH}/whoami", headers=headers), 401, "unauthenticated")

    @pytest.mark.parametrize("path", ["closed", "outer/inner/7"])
    def test_closed_ones(self, client: httpx2.Client, database: Any, path: str) -> None:
        assert_failed(client.get(f"{PATH}/{path}"), 401, "unauthenticated")
        answered(client.get(f"{PATH}/{path}", headers=headers_for(database, "ada")))

    def test_nested_ones_are_documented(self) -> None:
        from app.main import openapi_json

        operation = json.loads(openapi_json())["paths"][f"{PATH}/outer/inner/{{thing_id}}"]["get"]
        assert operation["operationId"] == "read_inner"
        assert operation["security"]
        assert [parameter["name"] for parameter in operation["parameters"]][0] == "thing_id"


RICH = {
    "at": "2026-01-31T09:30:00Z",
    "day": "2026-01-31",
    "amount": "1.50",
    "id": "019c0f5e-7a3c-7b1e-8f42-3d5a6b7c8d9e",
    "color": "red",
    "shownAs": "x",
    "tags": ["a"],
}


class TestBodies:
    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("list", [{"name": "tea", "price": "1.50"}]),
            ("union", {"kind": "cat", "lives": 9}),
            ("union", {"kind": "dog", "barks": False}),
            ("root", ["a", "b"]),
            ("mapping", {"tea": 1}),
        ],
    )
    def test_of_any_type(self, client: httpx2.Client, path: str, body: Any) -> None:
        assert answered(client.post(f"{PATH}/{path}", json=body)) == body

    def test_with_everything(self, client: httpx2.Client) -> None:
        assert answered(client.post(f"{PATH}/rich", json=RICH), 201) == {**RICH, "year": 2026}

    @pytest.mark.parametrize(
        ("path", "body", "field"),
        [
            ("list", [{}], "0.name"),
            ("union", {"kind": "bird"}, "body"),
            ("root", {"a": 1}, "body"),
            ("mapping", {"tea": "x"}, "tea"),
            ("rich", {**RICH, "shownAs": None}, "shownAs"),
        ],
    )
    def test_what_is_wrong_is_named(self, client: httpx2.Client, path: str, body: Any, field: str) -> None:
        details = assert_failed(client.post(f"{PATH}/{path}", json=body), 422, "validation_error")
        assert [detail["field"] for detail in details] == [field]

    def test_one_that_may_be_left_out(self, client: httpx2.Client) -> None:
        assert answered(client.post(f"{PATH}/optional")) == {"name": None}
        assert answered(client.post(f"{PATH}/optional", json={"name": "tea"})) == {"name": "tea"}

    def test_a_form(self, client: httpx2.Client) -> None:
        assert answered(client.post(f"{PATH}/form", data={"name": "x", "tags": ["a", "b"]})) == {
            "name": "x",
            "tags": ["a", "b"],
        }

    def test_several_files(self, client: httpx2.Client) -> None:
        files = [("files", ("a.txt", b"a" * 10)), ("files", ("b.txt", b"b" * 200_000))]
        expected = {"files": {"a.txt": 10, "b.txt": 200_000}, "note": "n"}
        assert answered(client.post(f"{PATH}/files", files=files, data={"note": "n"})) == expected

    @pytest.mark.parametrize("path", ["files", "raw", "swallowed"])
    @pytest.mark.parametrize("is_chunked", [True, False])
    def test_the_limit_holds_however_it_is_read(self, client: httpx2.Client, path: str, is_chunked: bool) -> None:
        body = (
            b'--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n'
            + b"a" * 2_000_000
            + b"\r\n--x--\r\n"
        )
        content = iter([body[:1_000_000], body[1_000_000:]]) if is_chunked else body
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        assert_failed(client.post(f"{PATH}/{path}", content=content, headers=headers), 413, "body_too_large")

    def test_a_route_may_take_more(self, client: httpx2.Client) -> None:
        assert answered(client.post(f"{PATH}/large", files={"file": b"a" * 2_000_000})) == {"size": 2_000_000}
        assert_failed(client.post(f"{PATH}/large", files={"file": b"a" * 4_000_000}), 413, "body_too_large")


class TestAnswers:
    @pytest.mark.parametrize(
        ("path", "media_type"),
        [
            ("csv", "text/csv"),
            ("text", "text/plain"),
            ("page", "text/html"),
            ("download", "application/pdf"),
            ("events", "text/event-stream"),
        ],
    )
    def test_of_another_media_type(self, client: httpx2.Client, path: str, media_type: str) -> None:
        for accept in (media_type, "*/*", f"{media_type};q=0.5, application/json"):
            response = client.get(f"{PATH}/{path}", headers={"Accept": accept})
            assert response.status_code == 200, response.text
            assert response.headers["content-type"].startswith(media_type)
        assert_failed(client.get(f"{PATH}/{path}", headers={"Accept": "application/json"}), 406, "not_acceptable")

    def test_they_are_documented(self) -> None:
        from app.main import openapi_json

        answer = json.loads(openapi_json())["paths"][f"{PATH}/csv"]["get"]["responses"]["200"]
        assert list(answer["content"]) == ["text/csv"]

    def test_a_stream_of_any_type(self, client: httpx2.Client) -> None:
        assert client.get(f"{PATH}/stream", headers={"Accept": "text/csv"}).text == "one two"

    def test_a_stream_may_take_longer_than_a_request(self, client: httpx2.Client) -> None:
        assert client.get(f"{PATH}/stream?seconds=0.4").text == "one two"

    def test_a_redirect(self, client: httpx2.Client) -> None:
        response = client.get(f"{PATH}/elsewhere")
        assert (response.status_code, response.headers["location"]) == (307, "/v1/ordinary/text")

    def test_addresses_behind_a_proxy_that_adds_a_path(self, settings: Settings) -> None:
        with open_client(settings.model_copy(update={"root_path": "/shop"})) as client:
            for sent, seen in ((f"{PATH}/addresses", "/shop"), (f"/shop{PATH}/addresses", "/shop")):
                start = f"http://localhost{seen}{PATH}"
                assert answered(client.get(sent)) == {"own": f"{start}/addresses", "other": f"{start}/elsewhere"}
        with open_client(settings.model_copy(update={"trusted_proxies": ("*",)})) as client:
            said = {"X-Forwarded-Prefix": "/market", "Forwarded": "for=1.2.3.4;proto=https"}
            start = f"https://localhost/market{PATH}"
            found = answered(client.get(f"{PATH}/addresses", headers=said))
            assert found == {"own": f"{start}/addresses", "other": f"{start}/elsewhere"}
            assert client.get(f"{PATH}/elsewhere", headers=said).headers["location"] == "/market/v1/ordinary/text"

    def test_none(self, client: httpx2.Client) -> None:
        response = client.delete(f"{PATH}/nothing")
        assert (response.status_code, response.content) == (204, b"")

    def test_one_that_breaks_is_logged_with_its_request(
        self, client: httpx2.Client, capfd: pytest.CaptureFixture[str]
    ) -> None:
        try:
            client.get(f"{PATH}/broken-stream", headers={"X-Request-ID": "broken"})
        except Exception:
            pass
        crashes = [line for line in map(json.loads, capfd.readouterr().out.splitlines()) if line["event"] == "crash"]
        assert [line["request_id"] for line in crashes] == ["broken"]
        assert "planted" in crashes[0]["exception"]


class TestFailures:
    @pytest.mark.parametrize(
        ("status", "code"),
        [
            (400, "bad_request"),
            (401, "unauthenticated"),
            (403, "forbidden"),
            (404, "not_found"),
            (409, "conflict"),
            (410, "gone"),
            (418, "im_a_teapot"),
            (422, "validation_error"),
            (429, "rate_limited"),
            (500, "internal_error"),
            (503, "unavailable"),
        ],
    )
    def test_any_status_has_the_one_shape(self, client: httpx2.Client, status: int, code: str) -> None:
        response = client.get(f"{PATH}/fails/{status}")
        assert_failed(response, status, code)
        assert response.json()["message"]

    def test_the_sentence_is_the_routes(self, client: httpx2.Client) -> None:
        response = client.get(f"{PATH}/fails/403?detail=Not%20yours.")
        assert_failed(response, 403, "forbidden")
        assert response.json()["message"] == "Not yours."

    def test_headers_stay(self, client: httpx2.Client) -> None:
        assert client.get(f"{PATH}/fails/503?retry=7").headers["retry-after"] == "7"

    def test_a_crash(self, client: httpx2.Client) -> None:
        response = client.get(f"{PATH}/crash")
        assert_failed(response, 500, "internal_error")
        assert "planted" not in response.text

    @pytest.mark.parametrize(
        ("method", "status"), [("GET", 200), ("POST", 200), ("HEAD", 200), ("PUT", 405), ("OPTIONS", 204)]
    )
    def test_methods(self, client: httpx2.Client, method: str, status: int) -> None:
        response = client.request(method, f"{PATH}/both")
        assert response.status_code == status
        if status != 200:
            assert response.headers["allow"] == "GET, HEAD, OPTIONS, POST"

    def test_options_of_a_route_of_its_own(self, client: httpx2.Client) -> None:
        assert answered(client.options(f"{PATH}/options")) == {"answered": "by the route"}
        assert answered(client.get(f"{PATH}/options")) == {"answered": "to GET"}

    def test_a_preflight_stays_with_the_service(self, client: httpx2.Client) -> None:
        headers = {"Origin": "https://example.com", "Access-Control-Request-Method": "GET"}
        response = client.options(f"{PATH}/options", headers=headers)
        assert (response.status_code, response.headers["allow"]) == (204, "GET, HEAD, OPTIONS")


class TestLimits:
    @pytest.fixture
    def limited(self, settings: Settings) -> Generator[httpx2.Client]:
        counters.forget()
        with open_client(settings.model_copy(update=LIMITED)) as client:
            yield client
        counters.forget()

    def test_hold_for_whatever_writes(self, limited: httpx2.Client) -> None:
        seen = [limited.post(f"{PATH}/form", data={"name": "x", "tags": ["a"]}).status_code for _ in range(2)]
        seen += [limited.post(f"{PATH}/both").status_code for _ in range(2)]
        assert seen == [200, 200, 200, 429]

    def test_do_not_hold_for_reads(self, limited: httpx2.Client) -> None:
        assert {limited.get(f"{PATH}/both").status_code for _ in range(4)} == {200}
