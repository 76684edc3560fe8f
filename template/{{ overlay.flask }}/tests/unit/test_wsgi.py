"""Flask behind an ASGI server."""

import asyncio
import tempfile
import threading
import time
from collections.abc import Generator, Iterator
from typing import Any

import httpx2
import pytest
from flask import Flask, Response, request, stream_with_context
from structlog.testing import CapturingLogger

from app.api.afterwards import run_after_answer
from app.auth.policy import public
from app.core.settings import Settings
from app.http.asgi import Message, Receive, Scope, Send
from app.main import create_app, create_asgi_app
from tests.asgi import client_of
from tests.requests import assert_failed

_DONE, _CLOSED = threading.Event(), threading.Event()
_BEGUN = threading.Semaphore(0)
_MIB = 1024 * 1024


def fail() -> None:
    """Fail."""
    raise ValueError("planted")


@pytest.fixture
def app(settings: Settings) -> Flask:
    return app_with(settings)


def app_with(settings: Settings, **changes: object) -> Flask:
    """Return the service with two threads, and with views that try the adapter."""
    app = create_app(settings.model_copy(update={"max_body_bytes": 100, "database_pool_size": 2, **changes}))

    @app.post("/form")
    @public
    def form() -> dict[str, str]:
        return dict(request.form)

    @app.get("/names")
    @public
    def names() -> dict[str, str]:
        return dict(request.headers)

    @app.get("/stream")
    @public
    def stream() -> Response:
        def parts() -> Iterator[str]:
            try:
                yield "one "
                yield request.path
            finally:
                _DONE.set()

        return Response(stream_with_context(parts()), mimetype="text/plain")

    @app.get("/slow")
    @public
    def slow() -> Response:
        _BEGUN.release()
        _DONE.wait(60)
        response = Response("late")
        response.call_on_close(_CLOSED.set)
        return response

    _add_views_that_go_on(app)
    _add_views_that_clients_leave(app)
    return app


def _add_views_that_go_on(app: Flask) -> None:
    @app.get("/afterwards")
    @public
    def afterwards() -> str:
        run_after_answer(_CLOSED.set)
        run_after_answer(fail)
        return "sent"


def _add_views_that_clients_leave(app: Flask) -> None:
    @app.get("/closing")
    @public
    def closing() -> Response:
        response = Response("sent")
        response.call_on_close(lambda: _CLOSED.wait(10))
        response.call_on_close(fail)
        return response

    @app.get("/endless")
    @public
    def endless() -> Response:
        def parts() -> Iterator[str]:
            try:
                while True:
                    yield "more "
            finally:
                _CLOSED.set()

        return Response(parts(), mimetype="text/plain")


@pytest.fixture
def client(app: Flask) -> Generator[httpx2.Client]:
    yield from client_to(app)


@pytest.fixture
def hasty(settings: Settings) -> Generator[httpx2.Client]:
    """A client of a service whose requests have little time; on a busy machine, also those that need little."""
    yield from client_to(app_with(settings, request_timeout_seconds=0.3))


def client_to(app: Flask) -> Generator[httpx2.Client]:
    _DONE.clear()
    _CLOSED.clear()
    # What the test before has left.
    while _BEGUN.acquire(blocking=False):
        pass
    with client_of(create_asgi_app(app)) as client:
        yield client
        _DONE.set()
        _CLOSED.set()


def hold_a_thread(client: httpx2.Client) -> None:
    """Return once a request that took too long has a thread; one whose time is over before is not called at all."""
    deadline = time.monotonic() + 30
    begun = False
    while not begun:
        assert time.monotonic() < deadline, "no view was called"
        assert client.get("/slow").status_code == 504
        begun = _BEGUN.acquire(timeout=1)


def answers_soon(client: httpx2.Client, path: str) -> bool:
    """Return whether `path` is answered, at the latest after some attempts that took too long."""
    deadline = time.monotonic() + 30
    while (status := client.get(path).status_code) == 504 and time.monotonic() < deadline:
        pass
    return status == 200


class TestRequests:
    def test_a_body_can_be_read_as_flask_reads_it(self, client: httpx2.Client) -> None:
        assert client.post("/form", data={"a": "1"}).json() == {"a": "1"}

        chunked = {"Content-Type": "application/x-www-form-urlencoded"}
        assert client.post("/form", content=iter([b"a=", b"1"]), headers=chunked).json() == {"a": "1"}

    def test_one_that_is_too_large_is_refused_however_it_is_read(self, client: httpx2.Client) -> None:
        assert_failed(client.post("/form", data={"a": "x" * 100}), 413, "body_too_large")

        chunked = {"Content-Type": "application/x-www-form-urlencoded"}
        assert_failed(client.post("/form", content=iter([b"a=", b"x" * 99]), headers=chunked), 413, "body_too_large")

    def test_a_large_one_is_written_to_the_disk_in_another_thread(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        writers, loops = set[int](), set[int]()

        def opened(**options: Any) -> Any:
            writers.add(threading.get_ident())
            return real(**options)

        real = tempfile.TemporaryFile
        monkeypatch.setattr(tempfile, "TemporaryFile", opened)
        # With one thread, the first request has been closed when the second is answered.
        app = create_app(settings.model_copy(update={"max_body_bytes": 3 * _MIB, "database_pool_size": 1}))

        @app.post("/size")
        @public
        def size() -> dict[str, int]:
            return {"size": len(request.get_data())}

        served = create_asgi_app(app)

        async def noted(scope: Scope, receive: Receive, send: Send) -> None:
            loops.add(threading.get_ident())
            await served(scope, receive, send)

        with client_of(noted) as client:
            sizes = [client.post("/size", content=bytes(size)).json()["size"] for size in (2 * _MIB, _MIB)]

        assert sizes == [2 * _MIB, _MIB]
        assert writers
        assert not writers & loops

    def test_a_name_with_an_underscore_does_not_pass_for_one_with_a_hyphen(self, client: httpx2.Client) -> None:
        sent = {"X_Client_Id": "forged", "Script_Name": "/elsewhere", "X-Real": "yes"}
        received = client.get("/names", headers=sent).json()

        assert received["X-Real"] == "yes"
        assert not {"X-Client-Id", "Script-Name"} & received.keys()

    def test_lines_of_one_header_are_joined(self, client: httpx2.Client) -> None:
        lines = [("X-Real", "a"), ("X-Real", "b"), ("Cookie", "a=1"), ("Cookie", "b=2")]
        received = client.get("/names", headers=lines).json()

        assert (received["X-Real"], received["Cookie"]) == ("a,b", "a=1;b=2")


class TestAnswers:
    def test_a_stream_is_sent_in_the_context_of_its_request(self, client: httpx2.Client) -> None:
        response = client.get("/stream")

        assert response.text == "one /stream"
        assert len(response.headers["x-request-id"]) == 32
        assert _DONE.wait(5)

    def test_a_view_that_takes_too_long_is_not_waited_for(self, hasty: httpx2.Client) -> None:
        assert_failed(hasty.get("/slow"), 504, "request_timeout")

    def test_it_keeps_its_thread_until_it_ends(self, hasty: httpx2.Client) -> None:
        hold_a_thread(hasty)
        hold_a_thread(hasty)
        assert hasty.get("/names").status_code == 504

        assert answers_soon(hasty, "/healthz")
        _DONE.set()
        assert _CLOSED.wait(5)
        assert answers_soon(hasty, "/names")

    def test_what_closes_it_runs_when_it_has_been_sent(
        self, client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        log = CapturingLogger()
        monkeypatch.setattr("app.api.wsgi._log", log)
        assert client.get("/closing").text == "sent"
        assert log.calls == []

        _CLOSED.set()
        deadline = time.monotonic() + 30
        while not log.calls:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert (log.calls[0].method_name, log.calls[0].args) == ("exception", ("crash",))

    def test_what_is_left_for_after_it_runs_then(self, client: httpx2.Client, monkeypatch: pytest.MonkeyPatch) -> None:
        log = CapturingLogger()
        monkeypatch.setattr("app.http.middleware._log", log)

        assert client.get("/afterwards").text == "sent"
        assert _CLOSED.is_set()
        assert [(call.method_name, call.args) for call in log.calls] == [("error", ("crash",))]

    def test_a_stream_ends_when_its_client_has_gone(self, app: Flask) -> None:
        _CLOSED.clear()
        sent: list[Message] = []

        async def leave() -> None:
            asked = [{"type": "http.request", "body": b"", "more_body": False}]
            has_enough = asyncio.Event()

            async def receive() -> Message:
                if asked:
                    return asked.pop()
                await has_enough.wait()
                return {"type": "http.disconnect"}

            async def send(message: Message) -> None:
                sent.append(message)
                if len(sent) > 5:
                    has_enough.set()

            request = {"type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "path": "/endless"}
            about = {"query_string": b"", "client": None, "server": None, "headers": [(b"host", b"localhost")]}
            await create_asgi_app(app)({**request, **about}, receive, send)

        asyncio.run(asyncio.wait_for(leave(), 5))
        assert _CLOSED.wait(5)


def test_it_is_an_ordinary_wsgi_application_too(app: Flask) -> None:
    client = app.test_client()

    assert client.get("/healthz").json == {"status": "ok"}
    assert client.post("/form", data={"a": "x" * 100}).status_code == 413
    _CLOSED.clear()
    with pytest.raises(ValueError, match="planted"), client.get("/afterwards"):
        assert not _CLOSED.is_set()
    assert _CLOSED.is_set()
