"""Behind a proxy that serves this service below a path of its own: ROOT_PATH, or X-Forwarded-Prefix."""

import json
import re
from collections.abc import Generator
from urllib.parse import urljoin

import httpx2
import pytest

from app.core.settings import Settings
from tests.client import open_client
from tests.document import Document
from tests.requests import assert_failed


@pytest.fixture(scope="module", params=["setting", "header"])
def proxied(request: pytest.FixtureRequest, settings: Settings) -> Generator[httpx2.Client]:
    """A client of a service that the world finds at /shop."""
    is_setting = request.param == "setting"
    update = {"root_path": "/shop"} if is_setting else {"trusted_proxies": ("*",)}
    with open_client(settings.model_copy(update=update)) as client:
        client.headers.update({} if is_setting else {"X-Forwarded-Prefix": "/shop"})
        yield client


@pytest.mark.parametrize("start", ["", "/shop"])
class TestSubPath:
    def test_every_path_is_below_it(self, proxied: httpx2.Client, start: str) -> None:
        assert proxied.get(f"{start}/healthz").json() == {"status": "ok"}
        assert proxied.get(f"{start}/readyz").status_code == 200
        assert_failed(proxied.get(f"{start}/nope"), 404, "not_found")
        assert_failed(proxied.delete(f"{start}/healthz"), 405, "method_not_allowed")

    def test_the_document_says_so(self, proxied: httpx2.Client, start: str, document: Document) -> None:
        served = proxied.get(f"{start}/openapi.json").json()
        # What else is an address of this service, for pages that show the document.
        content = json.loads(json.dumps(document.content).replace('Url": "/v1/', 'Url": "/shop/v1/'))

        assert served == {**content, "servers": [{"url": "/shop"}]}

    def test_the_page_finds_what_it_needs(self, proxied: httpx2.Client, start: str) -> None:
        page = proxied.get(f"{start}/docs")

        assert '"openapi.json"' in proxied.get(f"{start}/docs/start.js").text
        names = re.findall(r'(?:src|href)="([^"]+\.\w+)"', page.text)
        found = [urljoin("/shop/docs", name).removeprefix("/shop") for name in (*names, "openapi.json")]
        assert [proxied.get(start + path).status_code for path in found] == [200] * 4


def test_an_untrusted_prefix_moves_nothing(client: httpx2.Client, document: Document) -> None:
    headers = {"X-Forwarded-Prefix": "/shop"}

    assert client.get("/openapi.json", headers=headers).json() == document.content
    assert_failed(client.get("/shop/healthz", headers=headers), 404, "not_found")
