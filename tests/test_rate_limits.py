"""Processes that share their counters in Redis, as RATE_LIMIT_STORAGE_URL says, and Redis that stops and comes back."""

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from tests.conftest import Install
from tests.rendering import choices
from tests.servers import free_port
from tests.service import Service

START_SECONDS = 10
LIMIT = 10  # RATE_LIMIT_LOGIN, unless told otherwise


class Redis:
    """An empty Redis server on a port that stays its own."""

    def __init__(self, program: str) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.command = [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                assert time.monotonic() < deadline, "Redis does not listen"
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def fall_silent(self) -> None:
        """Go on to listen, and answer nothing."""
        self.process.send_signal(signal.SIGSTOP)


@pytest.fixture
def redis() -> Generator[Redis]:
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        pytest.skip("redis-server is missing: install Redis (apt-get install redis-server) or Valkey")
    server = Redis(program)
    yield server
    server.stop()


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
class TestSignIn:
    def test_two_services_have_one_limit(self, install: Install, redis: Redis, framework: str) -> None:
        service = signing_in(install, framework, redis.url)
        with service.serving() as one, service.serving() as other:
            answers = guess(one, other, times=LIMIT + 4)

        assert [401] * LIMIT + [429] * 4 == answers

    def test_each_counts_on_its_own_while_redis_is_away(self, install: Install, redis: Redis, framework: str) -> None:
        service = signing_in(install, framework, redis.url)
        with service.serving() as base_url:
            before = guess(base_url, times=1)
            redis.stop()
            after = guess(base_url, times=LIMIT + 2)

        assert [401] == before
        assert [401] * LIMIT + [429] * 2 == after


def writing(install: Install, framework: str, storage: str) -> Service:
    """Return a service that anybody may write to five times an hour, ready to serve."""
    service = install({"framework": framework, "database": "sqlite", "auth": "none", "example": True})
    service.run("uv", "run", "just", "migrate")
    return service.with_settings({"RATE_LIMIT_STORAGE_URL": storage, "RATE_LIMIT_WRITES": "5/hour"})


def write(base_url: str) -> httpx2.Response:
    """Return how a write is answered, whose body is not looked at before it is counted."""
    return httpx2.post(f"{base_url}/v1/orders", json={})


@pytest.mark.parametrize("framework", choices("framework"))
class TestWrites:
    def test_two_services_have_one_limit(self, install: Install, redis: Redis, framework: str) -> None:
        service = writing(install, framework, redis.url.replace("redis://", "valkey://"))
        with service.serving() as one, service.serving() as other:
            answers = [write([one, other][number % 2]) for number in range(7)]

        assert [422] * 5 + [429] * 2 == [answer.status_code for answer in answers]
        assert [4, 3, 2, 1, 0, 0, 0] == [int(answer.headers["ratelimit"].split(";")[1][2:]) for answer in answers]

    def test_they_go_on_while_redis_is_away_and_are_counted_when_it_is_back(
        self, install: Install, redis: Redis, framework: str
    ) -> None:
        service = writing(install, framework, redis.url)
        with service.serving() as base_url:
            counted = write(base_url)
            redis.stop()
            uncounted = [write(base_url) for _ in range(20)]
            redis.start()
            deadline = time.monotonic() + 10
            while "ratelimit" not in write(base_url).headers:
                assert time.monotonic() < deadline, "writes are not counted again"
                time.sleep(0.2)
            after = [write(base_url).status_code for _ in range(6)]
        log = (service.directory / "serve.log").read_text("utf-8")

        assert '"writes";q=5;w=3600' == counted.headers["ratelimit-policy"]
        assert {422} == {answer.status_code for answer in uncounted}
        assert {False} == {"ratelimit" in answer.headers for answer in uncounted}
        assert [422] * 4 + [429] * 2 == after
        assert 1 == log.count("rate_limit_storage_away")
        assert 1 == log.count("rate_limit_storage_back")

    def test_a_silent_redis_holds_up_few_of_them_and_nothing_else(
        self, install: Install, redis: Redis, framework: str
    ) -> None:
        # As long as a read takes on a busy machine, and longer.
        service = writing(install, framework, f"{redis.url}?socket_timeout=2")
        usual = service.with_settings({"RATE_LIMIT_STORAGE_URL": redis.url})
        with service.serving() as base_url, usual.serving() as usual_url, ThreadPoolExecutor(1) as threads:
            write(base_url)
            write(usual_url)
            redis.fall_silent()
            first = threads.submit(write, base_url)
            time.sleep(0.1)
            read = httpx2.get(f"{base_url}/v1/orders")
            is_read_first = not first.done()
            assert 422 == first.result().status_code
            # Without the limit that it has itself, the client here would give up.
            assert 422 == write(usual_url).status_code
            started = time.monotonic()
            later = [write(base_url).status_code for _ in range(20)]
            seconds = time.monotonic() - started

        assert is_read_first
        assert (200, {422}) == (read.status_code, set(later))
        # Far from what twenty would take that wait.
        assert seconds < 10
