"""The spans of calls to other services that are made for a request."""

import httpx2
import pytest

from app import outgoing
from app.auth.policy import public
from app.core.settings import Settings
from tests.client import open_client
from tests.receiver import CLIENT, ERROR, SERVER, Receiver, attributes

_SECRET = "Vq3Zt8Lw1Xr6Mb9K"


class Stock:
    """Another service, which is busy at first."""

    def __init__(self) -> None:
        self.parents: list[str | None] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.parents.append(request.headers.get("traceparent"))
        return httpx2.Response(503 if len(self.parents) == 1 else 200, headers={"Retry-After": "0"})


def test_each_attempt_has_one_below_the_request(
    traced: Settings, receiver: Receiver, capfd: pytest.CaptureFixture[str]
) -> None:
    stock = Stock()
    client = outgoing.client(f"https://user:{_SECRET}@stock.example:8443", transport=httpx2.MockTransport(stock))

    @public
    def ask() -> str:
        """Ask another service."""
        client.get("/items", params={"token": _SECRET}).raise_for_status()
        return "asked"

    with open_client(traced, [("GET", "/ask", ask)]) as service:
        assert service.get("/ask").status_code == 200

    (request,) = receiver.spans(SERVER)
    calls = [span for span in receiver.spans(CLIENT) if span.name == "GET"]
    assert [(call.trace_id, call.parent_span_id) for call in calls] == [(request.trace_id, request.span_id)] * 2
    assert [str(parent)[:-2] for parent in stock.parents] == [
        f"00-{call.trace_id.hex()}-{call.span_id.hex()}-" for call in calls
    ]
    first, second = map(attributes, calls)
    assert calls[0].status.code == ERROR
    assert (first["url.full"], first["server.port"]) == ("https://stock.example:8443/items", 8443)
    assert (first["http.response.status_code"], second["http.response.status_code"]) == (503, 200)
    assert second["http.request.resend_count"] == 1
    assert _SECRET not in str(receiver.requests) + capfd.readouterr().out


def test_what_is_called_for_no_request_has_none(traced: Settings, receiver: Receiver) -> None:
    stock = Stock()
    with open_client(traced), outgoing.client("https://stock.example", transport=httpx2.MockTransport(stock)) as client:
        client.get("/items")

    assert receiver.spans() == []
    assert stock.parents == [None, None]
