"""Calls to other services: when they are tried again, for how long, and what they say of their trace."""

import asyncio
import math
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from app import outgoing
from app.core import context
from app.core.context import RequestContext
from app.core.errors import RequestTimeout
from app.outgoing import calls

_URL = "https://stock.example"
_KEY = {"Idempotency-Key": "one"}
_FAR = 3600.0

Outcome = int | BaseException
Call = Callable[..., httpx2.Response]


class Other:
    """Another service, which answers one call after the other with a status, or not at all."""

    def __init__(self, *outcomes: Outcome, **headers: str) -> None:
        self.outcomes, self.headers = iter(outcomes), headers
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        outcome = next(self.outcomes)
        if isinstance(outcome, BaseException):
            raise outcome
        return httpx2.Response(outcome, headers=self.headers)


def _blocking(method: str, url: str, transport: Any, **options: Any) -> httpx2.Response:
    with outgoing.client(_URL, transport=transport) as client:
        return client.request(method, url, **options)


def _awaited(method: str, url: str, transport: Any, **options: Any) -> httpx2.Response:
    async def call() -> httpx2.Response:
        async with outgoing.async_client(_URL, transport=transport) as client:
            return await client.request(method, url, **options)

    return asyncio.run(call())


@pytest.fixture(params=[_blocking, _awaited])
def call(request: pytest.FixtureRequest, pauses: list[float]) -> Call:  # noqa: ARG001 - nobody waits in these tests
    """Return what calls another service, for functions that block and for coroutines."""
    return request.param


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return how long calls have paused, which takes no time."""
    found: list[float] = []

    async def pause(seconds: float) -> None:
        found.append(seconds)

    monkeypatch.setattr("app.outgoing.transports.time", SimpleNamespace(sleep=found.append))
    monkeypatch.setattr("app.outgoing.transports.asyncio", SimpleNamespace(sleep=pause))
    return found


def within(seconds: float, function: Callable[[], httpx2.Response]) -> httpx2.Response:
    """Return `function()`, called for a request that has so much time."""

    def request() -> httpx2.Response:
        context.enter(
            RequestContext("id", "0af7651916cd43dd8448eb211c80319c", "GET", "/", deadline=time.monotonic() + seconds)
        )
        return function()

    return copy_context().run(request)


class TestAttempts:
    @pytest.mark.parametrize(
        ("method", "headers", "outcomes", "status"),
        [
            ("GET", {}, [503, 502, 200], 200),
            ("GET", {}, [503, 503, 503, 200], 503),
            ("PUT", {}, [504, 204], 204),
            ("DELETE", {}, [httpx2.ReadError("lost"), 204], 204),
            ("GET", {}, [429, 200], 200),
            ("GET", {}, [500, 200], 500),
            ("POST", {}, [503, 201], 503),
            ("POST", _KEY, [503, 201], 201),
            ("PATCH", {}, [502, 200], 502),
            # Nothing was sent.
            ("POST", {}, [httpx2.ConnectError("refused"), 201], 201),
        ],
    )
    def test_what_may_be_sent_twice_is_tried_again(
        self, call: Call, method: str, headers: dict[str, str], outcomes: list[Outcome], status: int
    ) -> None:
        other = Other(*outcomes)

        assert call(method, "/items", httpx2.MockTransport(other), headers=headers).status_code == status
        assert len(other.requests) <= 3

    @pytest.mark.parametrize("error", [httpx2.ReadTimeout("slow"), httpx2.RemoteProtocolError("cut")])
    def test_what_may_have_been_done_is_not(self, call: Call, error: Exception) -> None:
        other = Other(error, 201)

        with pytest.raises(type(error)):
            call("POST", "/items", httpx2.MockTransport(other))

    def test_the_last_failure_is_raised(self, call: Call) -> None:
        other = Other(*[httpx2.ConnectError("refused")] * 3)

        with pytest.raises(httpx2.ConnectError):
            call("GET", "/items", httpx2.MockTransport(other))

    def test_a_body_that_can_be_read_once_is_sent_once(self) -> None:
        other = Other(503, 200)

        assert _blocking("PUT", "/", httpx2.MockTransport(other), content=iter([b"part"])).status_code == 503

    def test_the_same_body_is_sent_each_time(self, call: Call) -> None:
        other = Other(503, 200)
        call("PUT", "/items", httpx2.MockTransport(other), json={"sku": "tea"})

        assert [request.content for request in other.requests] == [b'{"sku":"tea"}'] * 2


class TestPauses:
    def test_they_get_longer_and_are_random(self, call: Call, pauses: list[float]) -> None:
        for _ in range(50):
            call("GET", "/", httpx2.MockTransport(Other(503, 503, 200)))

        assert 0.1 < max(pauses[::2]) < 0.2 < max(pauses[1::2]) < 0.4
        assert len(set(pauses)) == 100

    def test_the_other_service_may_ask_for_one(self, call: Call, pauses: list[float]) -> None:
        call("GET", "/", httpx2.MockTransport(Other(503, 200, **{"Retry-After": "7"})))

        assert pauses == [7]

    @pytest.mark.parametrize(("asked", "seconds"), [("7", 5), ("86400", math.inf), ("9" * 20, math.inf)])
    def test_one_that_takes_too_long_is_not_waited_for(
        self, call: Call, pauses: list[float], asked: str, seconds: float
    ) -> None:
        other = Other(503, 200, **{"Retry-After": asked})

        assert within(seconds, lambda: call("GET", "/", httpx2.MockTransport(other))).status_code == 503
        assert pauses == []


class TestTime:
    def test_without_any_left_nothing_is_sent(self, call: Call) -> None:
        other = Other(200)

        with pytest.raises(RequestTimeout):
            within(-1, lambda: call("GET", "/", httpx2.MockTransport(other)))
        assert other.requests == []

    @pytest.mark.parametrize("path", ["/silent", "/drops", "/stops"])
    @pytest.mark.parametrize("send", [_blocking, _awaited])
    def test_a_slow_answer_ends_with_the_time_of_the_request(self, send: Call, path: str) -> None:
        began = time.monotonic()
        with slow_service() as base_url, pytest.raises(RequestTimeout):
            within(0.5, lambda: send("GET", f"{base_url}{path}", None, timeout=60))

        assert time.monotonic() - began < 20

    @pytest.mark.parametrize(("seconds", "most"), [(2.0, 2.0), (_FAR, 5.0)])
    def test_each_step_has_what_is_left_and_its_own_limit_at_the_most(
        self, call: Call, seconds: float, most: float
    ) -> None:
        limits: list[float] = []

        def answer(request: httpx2.Request) -> httpx2.Response:
            limits.extend(request.extensions["timeout"].get(step) for step in ("connect", "read", "write", "pool"))
            return httpx2.Response(200)

        within(seconds, lambda: call("GET", "/", httpx2.MockTransport(answer)))
        assert len(limits) == 4
        assert all(most - 1 < limit <= most for limit in limits)

    def test_each_step_is_asked_for_when_it_begins(self, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
        limits: list[float] = []

        def answer(request: httpx2.Request) -> httpx2.Response:
            now = time.monotonic()
            for later in (0, 30):
                with monkeypatch.context() as patch:
                    patch.setattr(time, "monotonic", lambda later=later: now + later)
                    limits.append(request.extensions["timeout"].get("read"))
            return httpx2.Response(200)

        within(32, lambda: call("GET", "/", httpx2.MockTransport(answer)))
        assert limits[0] == 5
        assert 0 < limits[1] <= 2

    def test_what_it_may_have_changed_is_not_denied(self, call: Call) -> None:
        said = []
        for method in ("GET", "POST"):

            def send(method: str = method) -> httpx2.Response:
                answer = call(method, "/", httpx2.MockTransport(Other(200)))
                said.append(str(context.timed_out()))
                return answer

            within(_FAR, send)

        assert said[0] != said[1]


class TestTrace:
    def test_each_call_says_which_it_belongs_to(self, call: Call) -> None:
        other = Other(503, 200)
        within(_FAR, lambda: call("GET", "/", httpx2.MockTransport(other)))

        for request in other.requests:
            version, trace, span, flags = request.headers["traceparent"].split("-")
            assert (version, trace, len(span), flags) == ("00", "0af7651916cd43dd8448eb211c80319c", 16, "01")

    def test_where_none_is_recorded_the_callers_is_passed_on(self, call: Call) -> None:
        other, sent = Other(200), {"traceparent": f"00-{'a' * 32}-{'b' * 16}-00", "tracestate": "vendor=1"}

        def send() -> httpx2.Response:
            context.enter(RequestContext("id", "a" * 32, "GET", "/", trace_headers=sent))
            return call("GET", "/", httpx2.MockTransport(other))

        copy_context().run(send)
        assert {name: other.requests[0].headers[name] for name in sent} == sent

    def test_one_that_is_made_for_no_request_has_none(self, call: Call) -> None:
        other = Other(200)
        call("GET", "/", httpx2.MockTransport(other))

        assert "traceparent" not in other.requests[0].headers


@contextmanager
def slow_service() -> Generator[str]:
    """Yield the URL of a service that says nothing, or says it drop by drop."""
    is_over = Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != "/silent":
                self.send_response(200)
                self.end_headers()
                for part in _drops(is_over):
                    self.wfile.write(part)
                    if self.path == "/stops":
                        break
            is_over.wait(60)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        is_over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _drops(is_over: Event) -> Iterator[bytes]:
    while not is_over.wait(0.01):
        yield b"x"


def test_one_that_is_cut_off_has_ended(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes: list[object] = []
    monkeypatch.setattr(calls, "watchers", [lambda _request, _attempt: outcomes.append])
    cut_off = asyncio.CancelledError()
    with pytest.raises(asyncio.CancelledError):
        call("GET", "/", httpx2.MockTransport(Other(cut_off)))

    assert outcomes == [cut_off]


def test_what_would_go_past_all_of_this_is_refused() -> None:
    with pytest.raises(TypeError, match="mounts"):
        outgoing.client(_URL, mounts={"https://": httpx2.HTTPTransport()})
