import sys
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import ClassVar

import pytest

from app import health
from app.core.settings import Settings


class Handler(BaseHTTPRequestHandler):
    """Answers every request with `status`, and notes the path."""

    status: ClassVar[int] = 200
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response_only(self.status)
        self.end_headers()


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Generator[HTTPServer]:
    monkeypatch.setattr(Handler, "asked", [])
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def environment(service: HTTPServer, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of the service, as `main` reads them."""
    here = settings.model_copy(update={"host": "0.0.0.0", "port": service.server_port})  # noqa: S104 - as in a container
    monkeypatch.setattr(health, "get_settings", lambda: here)
    return here


def test_it_asks_whether_the_process_is_up(environment: Settings) -> None:
    assert health.status(environment) == 200
    assert Handler.asked == ["/healthz"]


@pytest.mark.usefixtures("environment")
class TestMain:
    @pytest.fixture(autouse=True)
    def _arguments(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "argv", ["health"])
        monkeypatch.setattr(Handler, "asked", [])

    def test_it_asks_what_it_is_told_to(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "argv", ["health", "/readyz"])
        health.main()

        assert Handler.asked == ["/readyz"]

    def test_it_says_nothing_when_all_is_well(self, capsys: pytest.CaptureFixture[str]) -> None:
        health.main()

        assert capsys.readouterr() == ("", "")

    def test_another_status_is_a_failure(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Handler, "status", 503)

        with pytest.raises(SystemExit, match="answered with 503"):
            health.main()

    def test_silence_is_a_failure(self, service: HTTPServer) -> None:
        service.shutdown()
        service.socket.close()

        with pytest.raises(SystemExit, match="Error: "):
            health.main()
