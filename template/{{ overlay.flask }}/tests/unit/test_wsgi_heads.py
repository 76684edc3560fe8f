"""A body that comes in parts is read only if the head is not refused."""

import asyncio

import pytest
from flask import Flask, request

from app.auth.policy import public, requires
from app.auth.principal import Credentials, Principal
from app.core.errors import Unauthenticated
from app.core.settings import Settings
from app.http.asgi import Message
from app.main import create_app, create_asgi_app


@pytest.fixture
def app(settings: Settings) -> Flask:
    app = create_app(settings)

    @app.post("/form")
    @public
    def form() -> dict[str, str]:
        return dict(request.form)

    return app


def ask(app: Flask, method: str, path: str, parts: int = 3) -> tuple[int, int]:
    """Send a body in `parts`; return the status, and how many of them were read."""
    left, sent = [b"{}"] * parts, list[Message]()

    async def receive() -> Message:
        return {"type": "http.request", "body": left.pop(), "more_body": bool(left)}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost"), (b"transfer-encoding", b"chunked"), (b"content-type", b"application/json")]
    request = {"type": "http", "http_version": "1.1", "method": method, "scheme": "http", "path": path}
    about = {"query_string": b"", "client": None, "server": None, "headers": headers}

    async def run() -> None:
        await create_asgi_app(app)({**request, **about}, receive, send)

    asyncio.run(run())
    return sent[0]["status"], parts - len(left)


@pytest.fixture
def asked(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[Credentials]:
    """Who sent credentials; nobody's are valid."""
    asked: list[Credentials] = []

    def identify(_database: object, credentials: Credentials) -> Principal:
        asked.append(credentials)
        raise Unauthenticated

    monkeypatch.setattr("app.api.routing.identify", identify)
    monkeypatch.setattr("app.api.deps.identify", identify)

    @app.post("/private")
    @requires()
    def private() -> dict[str, int]:
        return {"read": len(request.get_data())}

    return asked


@pytest.mark.parametrize(("method", "path", "status"), [("POST", "/nope", 404), ("PUT", "/form", 405)])
def test_one_to_nowhere_is_not_read(app: Flask, method: str, path: str, status: int) -> None:
    assert ask(app, method, path) == (status, 1)


def test_one_of_a_stranger_is_not_read_and_the_stranger_is_looked_at_once(app: Flask, asked: list[Credentials]) -> None:
    assert ask(app, "POST", "/private") == (401, 1)
    assert len(asked) == 1


def test_one_that_comes_at_once_is_read(app: Flask, asked: list[Credentials]) -> None:
    assert ask(app, "POST", "/private", parts=1) == (401, 1)
    assert len(asked) == 1


def test_one_of_a_caller_is_read_and_the_caller_is_looked_at_once(
    app: Flask, asked: list[Credentials], monkeypatch: pytest.MonkeyPatch
) -> None:
    def identify(_database: object, credentials: Credentials) -> Principal:
        asked.append(credentials)
        return Principal("alice")

    monkeypatch.setattr("app.api.routing.identify", identify)

    assert ask(app, "POST", "/private") == (200, 3)
    assert len(asked) == 1
