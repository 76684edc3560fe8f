"""What surrounds every request, driven as a server would: message by message."""

import asyncio
import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from app.auth.policy import public
from app.core import context
from app.core.errors import Unavailable
from app.core.settings import Settings
from app.http.asgi import ASGIApp, Message, Receive, Scope, Send
from app.http.bulkhead import Room, bulkhead
from app.http.contract import Contract
from app.http.middleware import ContextMiddleware, GuardMiddleware, allow
from app.observability.logging import configure_logging

_WHOLE = {"type": "http.request", "body": b"{}", "more_body": False}
_PART = {"type": "http.request", "body": b"{}", "more_body": True}
_GONE = {"type": "http.disconnect"}


@pytest.fixture(autouse=True)
def _logging() -> None:
    configure_logging("INFO")


async def read(_scope: Scope, receive: Receive, send: Send) -> None:
    """Read the body and say that it was read."""
    while (await receive()).get("more_body"):
        pass
    await begin(send)
    await send({"type": "http.response.body", "body": b"read"})


async def begin(send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})


@public
def view() -> None:
    """Stand in for the endpoint of /things."""


class Things:
    """Routes of a service that has one path."""

    def __init__(self, endpoint: Callable[[], None] = view) -> None:
        self.endpoint = endpoint

    def match(self, method: str, path: str) -> Contract:
        return Contract(method, path, self.endpoint)

    def methods(self, path: str) -> list[str]:
        return ["GET", "POST"] if path else []


def asked(app: ASGIApp, settings: Settings, *messages: Message, **request: Any) -> list[Message]:
    """Return what is sent to a client that sends `messages`; see `called`."""
    guarded = GuardMiddleware(app, settings, Things())
    return asyncio.run(called(ContextMiddleware(guarded, settings), messages, **request))


async def called(
    app: ASGIApp,
    messages: Iterable[Message],
    *,
    method: str = "POST",
    path: str = "/things",
    headers: dict[str, str] | None = None,
) -> list[Message]:
    """Return what `app` sends to a client that sends `messages`, and then no more."""
    fields = {"host": "localhost", **({"transfer-encoding": "chunked"} if headers is None else headers)}
    scope: Scope = {
        "type": "http",
        "method": method,
        "path": path.replace("%2F", "/"),
        "raw_path": path.encode(),
        "query_string": b"",
        "scheme": "http",
        "client": ("10.0.0.1", 5000),
        "headers": [(name.encode(), value.encode()) for name, value in fields.items()],
    }
    coming = iter(messages)
    sent: list[Message] = []

    async def receive() -> Message:
        message = next(coming, None)
        return await asyncio.Future() if message is None else message

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


def status_of(sent: list[Message]) -> int:
    status: int = sent[0]["status"]
    return status


def lines(captured: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in captured.readouterr().out.splitlines()]


class TestBodies:
    def test_a_whole_one_is_read(self, settings: Settings) -> None:
        assert status_of(asked(read, settings, _PART, _WHOLE)) == 200

    def test_one_that_ends_before_it_is_whole_is_refused(self, settings: Settings) -> None:
        assert status_of(asked(read, settings, _PART, _GONE)) == 400

    @pytest.mark.parametrize("messages", [[], [{**_PART, "body": b"x" * 60}, {**_PART, "body": b"x" * 60}]])
    def test_one_that_is_too_large_is_refused_before_it_ends(self, settings: Settings, messages: list[Message]) -> None:
        small = settings.model_copy(update={"max_body_bytes": 100})
        headers = {} if messages else {"content-length": "101"}

        assert status_of(asked(read, small, *messages, headers=headers)) == 413

    @pytest.mark.parametrize(
        ("messages", "headers", "closes"),
        [
            ([_WHOLE], {"content-length": "2"}, False),
            ([_PART, _WHOLE], {"transfer-encoding": "chunked"}, False),
            ([_WHOLE], {}, False),
            ([], {"content-length": str(2**30)}, True),
            ([_PART, _GONE], {"content-length": "9"}, True),
        ],
    )
    def test_an_answer_to_one_that_was_not_read_says_that_the_connection_ends(
        self, settings: Settings, messages: list[Message], headers: dict[str, str], *, closes: bool
    ) -> None:
        sent = asked(read, settings, *messages, headers=headers)

        assert closes is ((b"connection", b"close") in sent[0]["headers"])


class TestHeads:
    @pytest.mark.parametrize(("length", "status"), [(900, 200), (1024, 431)])
    def test_one_that_is_too_long_is_refused(self, settings: Settings, length: int, status: int) -> None:
        short = settings.model_copy(update={"max_head_bytes": 1024})

        assert status == status_of(asked(read, short, _WHOLE, headers={"x-long": "a" * length}))
        assert status == status_of(asked(read, short, _WHOLE, path="/" + "a" * length))


class TestTime:
    def test_a_body_that_does_not_come_is_a_timeout(self, settings: Settings) -> None:
        hasty = settings.model_copy(update={"request_timeout_seconds": 0.05})

        assert status_of(asked(read, hasty, _PART)) == 504

    def test_the_limit_ends_when_the_answer_has_begun(self, settings: Settings) -> None:
        async def stream(_scope: Scope, _receive: Receive, send: Send) -> None:
            await begin(send)
            await asyncio.sleep(1.1)
            # As the database does.
            context.check_deadline()
            await send({"type": "http.response.body", "body": b"late"})

        hasty = settings.model_copy(update={"request_timeout_seconds": 1})

        assert [message.get("body") for message in asked(stream, hasty, _WHOLE)] == [None, b"late"]

    def test_a_timeout_of_the_application_is_a_crash(self, settings: Settings) -> None:
        async def impatient(_scope: Scope, _receive: Receive, _send: Send) -> None:
            raise TimeoutError

        assert status_of(asked(impatient, settings, _WHOLE)) == 500


class TestCrashes:
    @pytest.mark.parametrize("begun", [False, True])
    def test_each_is_logged_once(self, settings: Settings, capfd: pytest.CaptureFixture[str], *, begun: bool) -> None:
        async def crash(_scope: Scope, _receive: Receive, send: Send) -> None:
            if begun:
                await begin(send)
            raise ValueError

        assert status_of(asked(crash, settings, _WHOLE)) == (200 if begun else 500)
        assert [line["event"] for line in lines(capfd)] == ["crash", "request"]

    def test_one_after_the_answer_has_begun_is_not_answered_again(
        self, settings: Settings, capfd: pytest.CaptureFixture[str]
    ) -> None:
        async def fail(_scope: Scope, _receive: Receive, send: Send) -> None:
            await begin(send)
            raise Unavailable

        sent = asked(fail, settings, _WHOLE)

        assert [message["type"] for message in sent] == ["http.response.start"]
        assert [(line["event"], line.get("status")) for line in lines(capfd)] == [("crash", None), ("request", 200)]


class TestHosts:
    @pytest.mark.parametrize(("path", "status"), [("/healthz", 200), ("/readyz", 200), ("/things", 400)])
    def test_balancers_may_call_by_address(self, settings: Settings, path: str, status: int) -> None:
        closed = settings.model_copy(update={"trusted_hosts": ("api.example.com",)})

        assert status == status_of(asked(read, closed, _WHOLE, path=path))


class TestTurns:
    def test_a_request_takes_no_turn_before_its_body_arrived(self, settings: Settings) -> None:
        @public
        @bulkhead(lambda _settings: Room(1, 0, "full"))
        def slow() -> None: ...

        async def both() -> list[int]:
            guard = GuardMiddleware(read, settings, Things(slow))
            silent = asyncio.create_task(called(guard, [_PART]))
            await asyncio.sleep(0)
            seen = [status_of(await called(guard, [_PART, _WHOLE])) for _ in range(2)]
            silent.cancel()
            return seen

        assert asyncio.run(both()) == [200, 200]

    def test_head_needs_the_turn_of_get(self, settings: Settings) -> None:
        @public
        @bulkhead(lambda _settings: Room(0, 0, "full"))
        def slow() -> None: ...

        guard = GuardMiddleware(read, settings, Things(slow))

        for method in ("GET", "HEAD"):
            assert status_of(asyncio.run(called(guard, [], method=method, headers={}))) == 503


class TestPaths:
    @pytest.mark.parametrize("path", ["/v1%2Fthings", "/v1%2fthings", "//things"])
    def test_refuses_ambiguous_paths(self, settings: Settings, path: str) -> None:
        assert status_of(asked(read, settings, _WHOLE, path=path)) == 404


class TestAllow:
    @pytest.mark.parametrize(
        ("methods", "header"), [(["GET", "POST"], "GET, HEAD, OPTIONS, POST"), (["POST"], "OPTIONS, POST")]
    )
    def test_it_names_what_comes_with_others(self, methods: list[str], header: str) -> None:
        assert allow(methods) == {"Allow": header}
