"""The production command, in a process of its own: the server is not part of the other tests."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

import httpx2
import pytest

from app.core.settings import Settings

_PATIENCE_SECONDS = 30


@pytest.fixture
def address() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return "{}:{}".format(*free.getsockname())


@pytest.fixture
def process(
    request: pytest.FixtureRequest, settings: Settings, address: str, tmp_path: Path
) -> Generator["subprocess.Popen[bytes]"]:
    assert settings.database_url is not None
    host, port = address.split(":")
    environment = {"DATABASE_URL": settings.database_url.get_secret_value(), "HOST": host, "PORT": port}
    environment |= getattr(request, "param", {})
    # Where servers like to put sockets and files of their own.
    environment |= dict.fromkeys(("HOME", "XDG_RUNTIME_DIR", "TMPDIR"), str(tmp_path))
    command = [sys.executable, "-m", "app", "serve"]
    with subprocess.Popen(command, env={**os.environ, **environment}) as process:  # noqa: S603 - our own command
        yield process
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
