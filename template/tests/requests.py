"""Requests on behalf of somebody."""

from functools import partialmethod
from typing import Any

import httpx2


class Caller:
    """Sends requests with the headers of one caller."""

    def __init__(self, client: httpx2.Client, headers: dict[str, str]) -> None:
        self.client = client
        self.headers = headers

    def request(self, method: str, path: str, **options: Any) -> httpx2.Response:
        headers = {**self.headers, **options.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **options)

    get = partialmethod(request, "GET")
    post = partialmethod(request, "POST")
    put = partialmethod(request, "PUT")
    patch = partialmethod(request, "PATCH")
    delete = partialmethod(request, "DELETE")


def assert_failed(response: httpx2.Response, status: int, code: str) -> list[dict[str, str]]:
    """Check that `response` is the failure `code` in the one shape, and return its details."""
    assert (status, code) == (response.status_code, response.json()["code"]), response.text
    assert response.headers["content-type"] == "application/json"
    content = response.json()
    assert {"code", "message", "trace_id"} == content.keys() - {"details"}
    details: list[dict[str, str]] = content.get("details", [])
    return details
