import sys
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import ClassVar

import pytest

from deploy import verify


class Handler(BaseHTTPRequestHandler):
    """Answers as the service would; `revisions` take turns, and `statuses` belong to paths."""

    statuses: ClassVar[dict[str, int]] = {}
    revisions: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.send_response_only(self.statuses.get(self.path, 200))
        if self.revisions:
            self.send_header("X-Revision", self.revisions[0])
            self.revisions.append(self.revisions.pop(0))
        self.end_headers()


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Generator[str]:
    monkeypatch.setattr(Handler, "statuses", {})
    monkeypatch.setattr(Handler, "revisions", ["new"])
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def problem(url: str, revision: str = "new", *, patience: float = 0.05) -> str:
    return verify.verify(url, revision, patience, pause=0.01)


def test_the_right_revision_is_right(url: str) -> None:
    assert problem(url, patience=10) == ""


def test_another_revision_is_wrong(url: str) -> None:
    assert problem(url, "old") == "status 200, revision new"


def test_two_revisions_are_wrong(url: str) -> None:
    Handler.revisions.extend(["new", "old"])

    assert problem(url) != ""


def test_a_service_that_is_not_ready_is_wrong(url: str) -> None:
    Handler.statuses["/readyz"] = 503

    assert problem(url) == "status 503, revision None"


def test_nobody_is_wrong() -> None:
    assert "refused" in problem("http://127.0.0.1:1")


def test_it_ends_with_one_sentence(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["verify.py", f"{url}/", "old", "0.05"])

    with pytest.raises(SystemExit, match="should answer with revision old: status 200, revision new"):
        verify.main()


def test_it_says_what_answers(url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["verify.py", url, "new", "5"])
    verify.main()

    assert "answers with revision new" in capsys.readouterr().out
