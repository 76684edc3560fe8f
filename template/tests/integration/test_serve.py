"""The production command, in a process of its own: the server is not part of the other tests."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

import app
from app.core.settings import Settings

_PATIENCE_SECONDS = 30


@pytest.fixture
def address() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return "{}:{}".format(*free.getsockname())


@pytest.fixture
def environment(settings: Settings, address: str, tmp_path: Path) -> dict[str, str]:
    assert settings.database_url is not None
    host, port = address.split(":")
    own = {"DATABASE_URL": settings.database_url.get_secret_value(), "HOST": host, "PORT": port}
    # Where servers like to put sockets and files of their own.
    return {**os.environ, **own, **dict.fromkeys(("HOME", "XDG_RUNTIME_DIR", "TMPDIR"), str(tmp_path))}


@pytest.fixture
def process(request: pytest.FixtureRequest, environment: dict[str, str]) -> Generator["subprocess.Popen[bytes]"]:
    with _serving({**environment, **getattr(request, "param", {})}) as process:
        yield process


@contextmanager
def _serving(
    environment: dict[str, str], *arguments: str, code: Path | None = None
) -> Generator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "app", "serve", *arguments]
    with subprocess.Popen(command, env=environment, cwd=code) as process:  # noqa: S603 - our own command
        try:
            yield process
        finally:
            process.kill()


def _answer(url: str) -> httpx2.Response:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    # One client: each loads the certificates of the machine, in the time that the service needs to start.
    with httpx2.Client(trust_env=False) as client:
        while True:
            try:
                return client.get(url)
            except httpx2.ConnectError:
                assert time.monotonic() < deadline, "the service does not listen"
                time.sleep(0.05)


def test_it_gets_ready_leaves_no_file_and_ends_with_success(
    process: "subprocess.Popen[bytes]", address: str, tmp_path: Path
) -> None:
    answer = _answer(f"http://{address}/readyz")
    made = list(tmp_path.iterdir())
    process.terminate()

    assert answer.json()["status"] == "ready"
    assert made == []
    assert process.wait(_PATIENCE_SECONDS) == 0


@pytest.mark.parametrize("process", [{"SHUTDOWN_DELAY_SECONDS": "1"}], indirect=True)
def test_it_says_that_it_goes_before_it_does(process: "subprocess.Popen[bytes]", address: str) -> None:
    _answer(f"http://{address}/readyz")
    process.terminate()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (status := _answer(f"http://{address}/readyz").status_code) == 200:
        assert time.monotonic() < deadline

    assert status == 503
    assert process.wait(_PATIENCE_SECONDS) == 0


def _status(client: httpx2.Client, url: str) -> int | None:
    """Return the status that `url` answers, or None while nothing listens there."""
    try:
        return client.get(url).status_code
    except httpx2.TransportError:
        return None


def test_changed_code_is_reloaded(environment: dict[str, str], address: str, tmp_path: Path) -> None:
    """Where the code does not load in between, too."""
    shutil.copytree(Path(app.__file__).parent, tmp_path / "app", ignore=shutil.ignore_patterns("__pycache__"))
    routes = tmp_path / "app" / "api" / "routes" / "health.py"
    code = routes.read_text("utf-8")
    seen = []
    with _serving(environment, "--reload", code=tmp_path) as process, httpx2.Client(trust_env=False) as client:
        for written, path, awaited in (
            (code, "/healthz", 200),
            (code.replace("/healthz", "/alive"), "/alive", 200),
            ("half written(", "/alive", None),
            (code, "/healthz", 200),
        ):
            routes.write_text(written, "utf-8")
            deadline = time.monotonic() + _PATIENCE_SECONDS
            while (status := _status(client, f"http://{address}{path}")) != awaited and time.monotonic() < deadline:
                time.sleep(0.05)
            seen.append(status)
        process.terminate()
        ended = process.wait(_PATIENCE_SECONDS)

    assert (seen, ended) == ([200, 200, None, 200], 0)
