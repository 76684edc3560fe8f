"""One shape for every failure, whoever finds it."""

from collections.abc import Callable

import httpx2
import pytest

from app.auth.policy import public
from app.core.settings import Settings
from app.schemas.health import Health
from tests.client import open_client
from tests.databases import without_database
from tests.requests import assert_failed

_SECRET = "nobody may see this"


class TestRouting:
    def test_an_unknown_path_is_not_found(self, client: httpx2.Client) -> None:
        assert_failed(client.get("/nothing"), 404, "not_found")

    @pytest.mark.parametrize("path", ["/healthz/", "/docs/", "//healthz", "/v1/"])
    def test_a_trailing_slash_is_not_found_and_not_redirected(self, client: httpx2.Client, path: str) -> None:
        assert_failed(client.get(path, follow_redirects=False), 404, "not_found")

    def test_405_lists_the_allowed_methods(self, client: httpx2.Client) -> None:
        response = client.delete("/healthz")

        assert_failed(response, 405, "method_not_allowed")
        assert response.headers["allow"] == "GET, HEAD, OPTIONS"

    def test_options_tells_which_methods_there_are(self, client: httpx2.Client) -> None:
        response = client.options("/healthz")

        assert (response.status_code, response.content) == (204, b"")
        assert response.headers["allow"] == "GET, HEAD, OPTIONS"

    def test_head_answers_like_get_without_the_body(self, client: httpx2.Client) -> None:
        get, head = client.get("/healthz"), client.head("/healthz")

        assert (get.status_code, b"") == (head.status_code, head.content)
        assert get.headers["content-length"] == head.headers["content-length"]

    def test_a_client_that_takes_no_json_is_refused(self, client: httpx2.Client) -> None:
        assert_failed(client.get("/healthz", headers={"Accept": "text/html"}), 406, "not_acceptable")

    def test_an_unknown_query_parameter_is_named(self, client: httpx2.Client) -> None:
        details = assert_failed(client.get("/healthz?depth=1"), 422, "validation_error")

        assert [detail["field"] for detail in details] == ["depth"]

    @pytest.mark.parametrize("host", ["exa mple", "a/b", "x:y"])
    def test_refuses_a_malformed_host(self, client: httpx2.Client, host: str) -> None:
        assert_failed(client.get("/healthz", headers={"Host": host}), 400, "invalid_host")


def crash() -> Health:
    """Crash."""
    raise RuntimeError(_SECRET)


def leak() -> Health:
    """Crash with a chain of causes."""
    try:
        crash()
    except RuntimeError as error:
        raise ValueError(_SECRET) from error
    raise AssertionError


class TestCrashes:
    @pytest.mark.parametrize("endpoint", [crash, leak])
    def test_a_crash_tells_the_client_nothing_and_the_log_everything(
        self, settings: Settings, endpoint: Callable[[], Health], capfd: pytest.CaptureFixture[str]
    ) -> None:
        with open_client(settings, [("GET", "/crash", public(endpoint))]) as client:
            response = client.get("/crash")

        assert_failed(response, 500, "internal_error")
        assert _SECRET not in response.text
        assert _SECRET in capfd.readouterr().out

    def test_the_service_goes_on_after_a_crash(self, settings: Settings) -> None:
        with open_client(settings, [("GET", "/crash", public(crash))]) as client:
            client.get("/crash")

            assert client.get("/healthz").status_code == 200


class TestDatabase:
    def test_readiness_fails_in_its_own_shape_while_the_database_is_away(self, settings: Settings) -> None:
        with open_client(without_database(settings)) as client:
            response = client.get("/readyz")

        assert response.status_code == 503
        assert response.json()["status"] == "unavailable"
        assert response.json()["checks"].items() >= {"database": "failed", "migrations": "unknown"}.items()
