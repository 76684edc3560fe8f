"""Slow, silent, endless and malformed clients must not harm a service or its other clients."""

import json
import socket
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from itertools import repeat
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.conftest import Install
from tests.rendering import choices
from tests.service import UNLIMITED
from tests.wire import sockets
from tests.wire.answers import Request
from tests.wire.samples import an_order

LIMIT_SECONDS = 1.0  # HEAD_TIMEOUT_SECONDS or KEEP_ALIVE_SECONDS of the services here
SLACK_SECONDS = 8.0  # more than a busy machine takes to notice
PATIENCE_SECONDS = 10.0  # the longest that anybody waits because of others, on a busy machine; it was 31
MIB = 2**20
FLAT_BYTES = 40 * MIB  # by which the memory of a service may grow, whatever is sent
ENDLESS_BYTES = 64 * MIB
STUCK_SECONDS = 1.0  # after which a server that reads no more is taken at its word
HALF_A_HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Half: "
JSON = {"Content-Type": "application/json"}


@contextmanager
def served(install: Install, framework: str, **settings: str) -> Generator[tuple[str, Path]]:
    """Start a service with these settings by its production command; yield its URL and its directory."""
    service = install({"framework": framework, "database": "sqlite", "auth": "none", "example": True})
    if not (service.directory / "app.db").exists():
        service.run("uv", "run", "just", "migrate")
    with service.with_settings({**UNLIMITED, **settings}).serving() as base_url:
        yield base_url, service.directory


def seconds_until_closed(connection: socket.socket, trickle: bytes = b"") -> float:
    """Return how long the server keeps the connection, to which `trickle` is sent byte by byte."""
    began, left = time.monotonic(), iter(trickle)
    connection.settimeout(0.1)
    while time.monotonic() < began + LIMIT_SECONDS + 2 * SLACK_SECONDS:
        try:
            if not connection.recv(65536):
                break
        except TimeoutError:
            with suppress(OSError):
                connection.send(bytes([next(left, ord("a"))]) if trickle else b"")
        except OSError:
            break
    return time.monotonic() - began


def longest_wait(base_url: str, *, times: int = 5) -> float:
    """Return how many seconds the slowest of some ordinary requests took, one after the other."""
    order = json.dumps(an_order(reference="edge")).encode()
    waits = []
    with httpx2.Client(base_url=base_url, timeout=30) as client:
        for _ in range(times):
            for method, path, content, expected in (
                ("GET", "/healthz", b"", {200}),
                ("GET", "/v1/orders", b"", {200}),
                ("POST", "/v1/orders", order, {201, 409}),
            ):
                began = time.monotonic()
                answer = client.request(method, path, content=content, headers=JSON)
                waits.append(time.monotonic() - began)
                assert answer.status_code in expected, answer.text
    return max(waits)


def test_memory_of_this_process_is_seen() -> None:
    assert 10 * MIB < memory(Path.cwd()) < 100_000 * MIB


def memory(directory: Path) -> int:
    """Return how many bytes of memory the processes hold that run in `directory`."""
    held = 0
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink() == directory:
                # The private and the shared pages, in that unit (proc(5)).
                held += int((process / "statm").read_text("utf-8").split()[1]) * 4096
    return held


@pytest.mark.parametrize("framework", choices("framework"))
class TestHeads:
    def test_half_a_head_is_closed_after_its_time_limit(self, install: Install, framework: str) -> None:
        settings = {"HEAD_TIMEOUT_SECONDS": str(LIMIT_SECONDS), "MAX_CONNECTIONS": "32"}
        with served(install, framework, **settings) as (base_url, _), ExitStack() as stack:
            connections = [stack.enter_context(sockets.connect(base_url)) for _ in range(3)]
            for connection in connections[1:]:
                connection.sendall(HALF_A_HEAD)
            with ThreadPoolExecutor(3) as pool:
                kept = list(pool.map(seconds_until_closed, connections, (b"", b"", b"a: b\r\n" * 100)))
            crowd = [stack.enter_context(sockets.connect(base_url)) for _ in range(48)]
            for connection in crowd:
                connection.sendall(HALF_A_HEAD)
            began = time.monotonic()
            answer = httpx2.get(f"{base_url}/healthz", timeout=30)
            waited = time.monotonic() - began

        assert [True] * 3 == [LIMIT_SECONDS / 2 < each < LIMIT_SECONDS + SLACK_SECONDS for each in kept], kept
        assert 200 == answer.status_code
        # Those beyond MAX_CONNECTIONS have their turn, and their time, when the others have gone.
        assert waited < 2 * LIMIT_SECONDS + SLACK_SECONDS

    def test_settings_bound_heads_and_idle_connections(self, install: Install, framework: str) -> None:
        settings = {"KEEP_ALIVE_SECONDS": str(LIMIT_SECONDS), "MAX_HEAD_BYTES": "16384"}
        with served(install, framework, **settings) as (base_url, _):
            statuses = [status_of_head(base_url, size) for size in (15 * 1024, 17 * 1024, 40 * 1024)]
            with sockets.connect(base_url) as connection:
                request = Request("GET", "/healthz")
                for _ in range(2):
                    connection.sendall(sockets.head(request, host="localhost"))
                    assert 200 == sockets.read_answer(connection, request).status
                kept = seconds_until_closed(connection)

        assert [200, 431, 431] == statuses
        assert LIMIT_SECONDS / 2 < kept < LIMIT_SECONDS + SLACK_SECONDS


def status_of_head(base_url: str, size: int) -> int:
    """Return the status of the answer to a head of `size` bytes."""
    request = Request("GET", "/healthz", (("X-Long", "a" * size), ("Connection", "close")))
    excess = len(sockets.head(request, host="localhost")) - size
    exact = Request("GET", "/healthz", (("X-Long", "a" * (size - excess)), ("Connection", "close")))
    answers = sockets.converse(base_url, exact).answers
    return answers[0].status if answers else 0


def send_slowly(connection: socket.socket, done: Event) -> None:
    """Send an order byte by byte until it is `done`."""
    body = json.dumps(an_order()).encode()
    request = Request("POST", "/v1/orders", (*JSON.items(), ("Content-Length", str(len(body)))))
    connection.sendall(sockets.head(request, host="localhost"))
    for number in range(len(body)):
        if done.wait(0.3):
            return
        connection.send(body[number : number + 1])


def slow_reader(base_url: str) -> socket.socket:
    """Return a connection that asks for much and takes next to nothing."""
    address = urlsplit(base_url)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect((address.hostname, address.port))
    connection.sendall(sockets.head(Request("GET", "/openapi.json"), host="localhost") * 200)
    return connection


@pytest.mark.parametrize("framework", choices("framework"))
class TestOtherClients:
    def test_do_not_wait_for_slow_ones(self, install: Install, framework: str) -> None:
        settings = {"MAX_CONNECTIONS": "128", "REQUEST_TIMEOUT_SECONDS": "20"}
        done = Event()
        with served(install, framework, **settings) as (base_url, _), ExitStack() as stack:
            readers = [stack.enter_context(slow_reader(base_url)) for _ in range(20)]
            senders = [stack.enter_context(sockets.connect(base_url)) for _ in range(60)]
            with ThreadPoolExecutor(len(senders)) as pool:
                sending = [pool.submit(send_slowly, sender, done) for sender in senders]
                time.sleep(1)  # let them all be under way
                waited = longest_wait(base_url)
                done.set()
            assert [None] * 60 == [each.result() for each in sending]
            for connection in (*readers, *senders):
                connection.close()

        assert waited < PATIENCE_SECONDS

    def test_get_the_place_of_one_who_takes_nothing(self, install: Install, framework: str) -> None:
        with served(install, framework, KEEP_ALIVE_SECONDS=str(LIMIT_SECONDS)) as (base_url, _):
            longest_wait(base_url, times=1)
            with slow_reader(base_url) as reader:
                own = f":{reader.getsockname()[1]:04X}"
                deadline = time.monotonic() + LIMIT_SECONDS + 2 * SLACK_SECONDS
                while sockets.is_held(base_url, own):
                    assert time.monotonic() < deadline
                    time.sleep(0.1)

    def test_do_not_wait_for_those_who_send_nonsense(self, install: Install, framework: str) -> None:
        body = json.dumps({f"k{number:06}": 0 for number in range(MIB // 14)}).encode()
        done = Event()
        with served(install, framework) as (base_url, _), ThreadPoolExecutor(20) as pool:

            def send(_number: int) -> set[int]:
                seen = set()
                with httpx2.Client(base_url=base_url, timeout=60) as client:
                    while not (done.is_set() and seen):
                        seen.add(client.post("/v1/orders", content=body, headers=JSON).status_code)
                return seen

            sending = [pool.submit(send, number) for number in range(20)]
            waited = longest_wait(base_url)
            done.set()
            answered = [each.result() for each in sending]

        assert waited < PATIENCE_SECONDS
        assert [{422}] * 20 == answered


MARKET = {"X-Forwarded-For": "198.51.100.7:511", "X-Forwarded-Prefix": "/market"}


@pytest.mark.parametrize("framework", choices("framework"))
@pytest.mark.parametrize(
    ("settings", "calls"),
    [
        ({"ROOT_PATH": "/shop"}, [("", {}, "/shop"), ("/shop", {}, "/shop"), ("", MARKET, "/shop")]),
        ({}, [("", MARKET, "/market"), ("/market", MARKET, "/market"), ("", {"X-Forwarded-Prefix": "/a"}, "/a")]),
    ],
    ids=["setting", "header"],
)
def test_a_service_may_be_below_a_path(
    install: Install, framework: str, settings: dict[str, str], calls: list[tuple[str, dict[str, str], str]]
) -> None:
    more = {"TRUSTED_PROXIES": "127.0.0.1", "LOG_CLIENT_ADDRESS": "true"}
    with (
        served(install, framework, **settings, **more) as (base_url, directory),
        httpx2.Client(base_url=base_url, timeout=30) as client,
    ):
        for start, headers, place in calls:
            made = client.post(f"{start}/v1/orders", json=an_order(), headers=headers)
            location = f"{place}/v1/orders/{made.json()['id']}"
            assert (201, location) == (made.status_code, made.headers["location"])
            if start:
                assert 200 == client.get(location, headers=headers).status_code
            document = client.get(f"{start}/openapi.json", headers=headers).json()
            assert [{"url": place}] == document["servers"]
        client.get("/healthz", headers={"Forwarded": 'for="[2001:db8::7]:511";proto=https'})

    lines = [json.loads(line) for line in (directory / "serve.log").read_text("utf-8").splitlines() if line[:1] == "{"]
    requests = [line for line in lines if line.get("event") == "request"]
    routes = {"/v1/orders", "/v1/orders/{order_id}", "/openapi.json", "/healthz"}
    assert routes == {line["route"] for line in requests} - {"/readyz"}
    assert {"127.0.0.1", "198.51.100.7", "2001:db8::7"} == {line["source_ip"] for line in requests}


def endless(request: Request, start: bytes = b"", piece: bytes = b"") -> Iterator[bytes]:
    """Yield the request and `start`, and then 64 MiB of `piece`."""
    yield sockets.head(request, host="localhost").removesuffix(b"" if request.headers else b"\r\n") + start
    part = piece * (MIB // len(piece))
    yield from repeat(part, ENDLESS_BYTES // len(part))


CHUNKED = Request("POST", "/v1/orders", (*JSON.items(), ("Transfer-Encoding", "chunked")))
ENDLESS: dict[str, Callable[[], Iterator[bytes]]] = {
    "short header lines": lambda: endless(Request("GET", "/healthz"), piece=b"a: b\r\n"),
    "one header value": lambda: endless(Request("GET", "/healthz"), b"a: ", b"b"),
    "one header name": lambda: endless(Request("GET", "/healthz"), piece=b"b"),
    "a request line": lambda: repeat(b"GET /" + b"a" * MIB, 64),
    "trailers": lambda: endless(CHUNKED, b"0\r\n", b"a: b\r\n"),
    "one trailer": lambda: endless(CHUNKED, b"0\r\na: ", b"b"),
    "a chunk's extension": lambda: endless(CHUNKED, b"1;a=", b"b"),
    "the size of a chunk": lambda: endless(CHUNKED, piece=b"0"),
    "a body": lambda: endless(CHUNKED, b"%x\r\n" % ENDLESS_BYTES, b" "),
    "pipelined requests": lambda: repeat(sockets.head(Request("GET", "/healthz"), host="localhost") * 1000, 20),
    "pipelined requests for much": lambda: repeat(
        sockets.head(Request("GET", "/openapi.json"), host="localhost") * 1000, 20
    ),
}


def pour(base_url: str, parts: Iterator[bytes]) -> socket.socket:
    """Send the parts until the server closes the connection or takes no more, and return it, nothing of it read."""
    connection = sockets.connect(base_url)
    connection.settimeout(STUCK_SECONDS)
    with suppress(OSError):
        for part in parts:
            connection.sendall(part)
    return connection


@pytest.mark.parametrize("framework", choices("framework"))
def test_memory_stays_flat_whatever_is_sent(install: Install, framework: str) -> None:
    with served(install, framework) as (base_url, directory), ExitStack() as stack:
        for _ in range(3):
            httpx2.post(f"{base_url}/v1/orders", content=b" " * MIB, headers=JSON)
            longest_wait(base_url)
        grown, before = {}, memory(directory)
        for about, parts in ENDLESS.items():
            for _ in range(2):
                stack.enter_context(pour(base_url, parts()))
            grown[about] = memory(directory) - before
        waited = longest_wait(base_url)

    assert {} == {about: f"{size // MIB} MiB" for about, size in grown.items() if size > FLAT_BYTES}
    assert waited < PATIENCE_SECONDS
    assert "Traceback" not in (directory / "serve.log").read_text("utf-8")
