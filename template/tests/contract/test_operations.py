"""Endpoints for operators, and the documentation."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin

import httpx2
import pytest

from app.core import state
from app.core.settings import Settings
from tests.client import open_client
from tests.document import Document
from tests.requests import assert_failed


class TestHealth:
    def test_the_process_is_up(self, client: httpx2.Client) -> None:
        assert client.get("/healthz").json() == {"status": "ok"}

    def test_it_says_which_revision_runs(self, settings: Settings) -> None:
        with open_client(settings.model_copy(update={"revision": "0123abc"})) as client:
            response = client.get("/healthz")

        assert response.headers["x-revision"] == "0123abc"
        assert response.json() == {"status": "ok"}

    def test_without_a_revision_it_says_none(self, client: httpx2.Client) -> None:
        assert "x-revision" not in client.get("/healthz").headers

    def test_a_migrated_database_makes_it_ready(self, client: httpx2.Client) -> None:
        response = client.get("/readyz")

        assert response.status_code == 200
        assert response.json()["status"] == "ready"
        assert response.json()["checks"].items() >= {"database": "ok", "migrations": "ok"}.items()

    def test_it_is_not_ready_while_it_drains(self, client: httpx2.Client) -> None:
        state.drain()
        try:
            response = client.get("/readyz")
        finally:
            state._draining.clear()  # noqa: SLF001 - no process takes it back

        assert (response.status_code, response.json()["status"]) == (503, "unavailable")

    def test_it_keeps_what_it_depends_on_to_itself_if_asked_to(self, settings: Settings, document: Document) -> None:
        with open_client(settings.model_copy(update={"readiness_details": False})) as client:
            response = client.get("/readyz")

        document.check(response)
        assert response.json() == {"status": "ready"}


class TestSecurityTxt:
    def test_it_names_whom_to_tell(self, settings: Settings) -> None:
        contacts = ("mailto:security@example.com", "https://example.com/report")
        with open_client(settings.model_copy(update={"security_contact": contacts})) as client:
            response = client.get("/.well-known/security.txt")

        assert response.headers["content-type"] == "text/plain; charset=utf-8"
        first, second, expires = response.text.splitlines()
        assert (first, second) == tuple(f"Contact: {contact}" for contact in contacts)
        left = datetime.fromisoformat(expires.removeprefix("Expires: ")) - datetime.now(UTC)
        assert timedelta(days=28) < left <= timedelta(days=30)

    def test_where_nobody_is_named_there_is_none(self, client: httpx2.Client) -> None:
        assert_failed(client.get("/.well-known/security.txt"), 404, "not_found")


class TestDocumentation:
    def test_the_document_is_the_committed_one(self, client: httpx2.Client, document: Document) -> None:
        assert document.content == client.get("/openapi.json").json()

    def test_the_page_loads_nothing_from_elsewhere(self, client: httpx2.Client) -> None:
        page = client.get("/docs")

        assets = re.findall(r'(?:src|href)="([^"]+\.\w+)"', page.text)
        assert len(assets) == 3
        assert "http" not in page.text
        assert [client.get(urljoin("/docs", path)).status_code for path in assets] == [200] * 3

    def test_the_page_may_run_scripts_of_this_host_only(self, client: httpx2.Client) -> None:
        policy = client.get("/docs").headers["content-security-policy"]

        assert "script-src 'self'" in policy
        assert "default-src 'none'" in policy

    @pytest.mark.parametrize("name", ["..%2F..%2Fapp.db", "redoc.standalone.js", "start.js.map"])
    def test_no_other_file_is_served(self, client: httpx2.Client, name: str) -> None:
        assert client.get(f"/docs/{name}").status_code == 404

    @pytest.mark.parametrize("path", ["/docs", "/docs/start.js", "/openapi.json"])
    def test_it_can_be_turned_off(self, settings: Settings, path: str) -> None:
        with open_client(settings.model_copy(update={"docs_enabled": False})) as client:
            seen = [client.request(method, path).status_code for method in ("GET", "HEAD", "OPTIONS", "POST")]

        assert seen == [404] * 4
