"""What happens at four times of what a service can answer: `uv run python -m benchmarks.overload`.

Renders a service with each framework on PostgreSQL, without authentication, and starts it by its production command
with one process. Finds how many reads of an order a second it can answer, then sends four times as many, in an open
loop: clients do not wait for each other. Prints how many were answered and how many refused, and how long both took
(the median and the 99th percentile), with a short queue and without a limit.
"""

import asyncio
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import httpx2

from tests.rendering import choices, clone_template, render
from tests.servers import create_database, server_url, stop_servers
from tests.service import Service
from tests.wire.samples import an_order

SECONDS = 10.0
TIMES = 4
CONNECTIONS = 800
FEW = 32
QUEUES = ("50", "200", "100000")
OK = 200

Found = list[tuple[int, float]]
"""Status and seconds of each answer."""


async def asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> int:
    """Return the status of the answer to `request`, once all of it has come."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
    return int(head[9:12])


async def load(address: tuple[str, int], request: bytes, connections: int, due: Callable[[], float]) -> Found:
    """Send requests for SECONDS, each when it is `due` (seconds from the start), on connections that stay open."""
    found: Found = []
    streams = [await asyncio.open_connection(*address) for _ in range(connections)]
    began = time.perf_counter()

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (at := due()) < SECONDS and time.perf_counter() - began < SECONDS:
            await asyncio.sleep(began + at - time.perf_counter())
            sent = time.perf_counter()
            found.append((await asked(reader, writer, request), time.perf_counter() - sent))
        writer.close()

    await asyncio.gather(*(client(*stream) for stream in streams))
    return found


def row(name: str, found: Found) -> str:
    """Return what was found as a line of the table."""
    cells = [name]
    for is_answered in (True, False):
        times = sorted(seconds for status, seconds in found if (status == OK) is is_answered)
        if len(times) > 1:
            milliseconds = [statistics.median(times) * 1000, statistics.quantiles(times, n=100)[98] * 1000]
            cells += [f"{len(times) / SECONDS:.0f}", *(f"{each:.0f}" for each in milliseconds)]
        else:
            cells += [str(len(times)), "", ""]
    return f"| {' | '.join(cells)} |"


def measured(service: Service, framework: str, queue: str) -> list[str]:
    """Return the lines of one service with one length of the queue."""
    with service.with_settings({"MAX_QUEUED_REQUESTS": queue}).serving() as base_url:
        url = httpx2.URL(base_url)
        order = httpx2.post(f"{base_url}/v1/orders", json=an_order()).raise_for_status().json()["id"]
        request = f"GET /v1/orders/{order} HTTP/1.1\r\nHost: {url.host}\r\n\r\n".encode()
        address = url.host, url.port or 80
        able = asyncio.run(load(address, request, FEW, lambda: 0.0))
        rate = TIMES * len(able) / SECONDS
        numbers = itertools.count()
        overloaded = asyncio.run(load(address, request, CONNECTIONS, lambda: next(numbers) / rate))
    name = f"{framework}, queue of {queue}"
    return [row(f"{name}, {FEW} clients", able), row(f"{name}, {TIMES} times as many requests", overloaded)]


def show(*lines: str) -> None:
    """Print lines of the table."""
    print("\n".join(lines), flush=True)  # noqa: T201 - a command's result


def main() -> None:
    """Measure and print the table."""
    columns = ["", "answered/s", "median ms", "p99 ms", "refused/s", "median ms", "p99 ms"]
    show(f"| {' | '.join(columns)} |", f"| --- {'| ---: ' * (len(columns) - 1)}|")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        shared = Path(folder)
        stack.callback(stop_servers, shared)
        template = clone_template(shared / "template")
        for framework in choices("framework"):
            answers = {"framework": framework, "database": "postgresql", "auth": "none"}
            database = create_database(server_url("postgresql", shared))
            service = Service(render(template, shared / framework, **answers)).with_settings({"DATABASE_URL": database})
            service.run("uv", "sync", "--quiet")
            service.run("uv", "run", "just", "migrate")
            for queue in QUEUES:
                show(*measured(service, framework, queue))


if __name__ == "__main__":
    main()
