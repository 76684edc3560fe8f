"""Processes that share their counters in Redis, as RATE_LIMIT_STORAGE_URL says."""

import shutil
import socket
import subprocess
import time
from collections.abc import Generator

import httpx2
import pytest

from tests.conftest import Install
from tests.rendering import choices
from tests.servers import free_port
from tests.service import Service

START_SECONDS = 10
LIMIT = 10  # RATE_LIMIT_LOGIN, unless told otherwise


@pytest.fixture
def redis() -> Generator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Yield the URL of an empty Redis server, and its process."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        pytest.skip("redis-server is missing: install Redis (apt-get install redis-server) or Valkey")
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            _wait_until_it_listens(port)
            yield f"redis://127.0.0.1:{port}/0", process
        finally:
            process.kill()


def _wait_until_it_listens(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, "Redis does not listen"
            time.sleep(0.05)
        else:
            return


def signing_in(install: Install, framework: str, storage: str) -> Service:
    """Return a service whose users sign in, ready to serve."""
    service = install({"framework": framework, "database": "sqlite", "auth": "jwt", "example": False})
    service.run("uv", "run", "just", "migrate")
    return service.with_settings({"RATE_LIMIT_STORAGE_URL": storage})


def guess(*base_urls: str, times: int) -> list[int]:
    """Return how so many guesses at a password are answered, by one process after the other in turn."""
    forms = [{"username": "ada@example.com", "password": f"guess {number}"} for number in range(times)]
    urls = [f"{base_urls[number % len(base_urls)]}/v1/auth/token" for number in range(times)]
    return [httpx2.post(url, data=form).status_code for url, form in zip(urls, forms, strict=True)]


@pytest.mark.parametrize("framework", choices("framework"))
class TestRedis:
    def test_two_services_have_one_limit(
        self, install: Install, redis: tuple[str, "subprocess.Popen[bytes]"], framework: str
    ) -> None:
        service = signing_in(install, framework, redis[0])
        with service.serving() as one, service.serving() as other:
            answers = guess(one, other, times=LIMIT + 4)

        assert [401] * LIMIT + [429] * 4 == answers

    def test_each_counts_on_its_own_while_redis_is_away(
        self, install: Install, redis: tuple[str, "subprocess.Popen[bytes]"], framework: str
    ) -> None:
        url, process = redis
        service = signing_in(install, framework, url)
        with service.serving() as base_url:
            before = guess(base_url, times=1)
            process.kill()
            process.wait()
            after = guess(base_url, times=LIMIT + 2)

        assert [401] == before
        assert [401] * LIMIT + [429] * 2 == after
