"""What a request costs the server: `uv run python -m benchmarks.requests`.

Renders a service with each framework on PostgreSQL, without authentication, starts it by its production command with
one process, and prints for each kind of request the median of some runs: microseconds of processor time of the server's
processes (the database's not included), and how many times that is of the floor (benchmarks/floor.py). All take turns,
so that what else the machine does is the same for all. The floor runs twice: how far the two are apart is the noise.

`--before REVISION` measures services of another revision of this repository beside them.
"""

import argparse
import os
import statistics
import tempfile
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2
import psutil

from tests.rendering import REPOSITORY, TAG, choices, clone_template, git, render
from tests.servers import create_database, server_url, stop_servers
from tests.service import Service
from tests.wire.samples import an_item, an_order

RUNS = 7
REQUESTS = 1000
CONNECTIONS = 8
ORDERS = 1000
FLOOR = "floor"
KINDS = ("health", "get one of two items", "list 20", "create with two items", "the same with an idempotency key")


@dataclass
class Target:
    """A running service, and one of its orders."""

    client: httpx2.Client
    order: str = ""

    def send(self, kind: str) -> None:
        """Send one request of a kind."""
        if kind == KINDS[0]:
            answer = self.client.get("/healthz")
        elif kind == KINDS[1]:
            answer = self.client.get(f"/v1/orders/{self.order}")
        elif kind == KINDS[2]:
            answer = self.client.get("/v1/orders", params={"limit": 20})
        else:
            headers = {"Idempotency-Key": str(uuid4())} if kind == KINDS[4] else {}
            answer = self.client.post("/v1/orders", json=an_order(items=[an_item(), an_item()]), headers=headers)
            self.order = answer.json()["id"]
        answer.raise_for_status()

    def send_many(self, kind: str, count: int) -> None:
        """Send so many, a few at a time."""
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            list(pool.map(lambda _: self.send(kind), range(count)))

    def seconds(self) -> float:
        """Return how much processor time its processes have used."""
        port = str(urlsplit(str(self.client.base_url)).port)
        return sum(_seconds(each, port) for each in psutil.Process().children(recursive=True))


def _seconds(process: psutil.Process, port: str) -> float:
    """Return how much processor time a process has used, if it serves that port; one may end meanwhile."""
    with suppress(psutil.NoSuchProcess):
        if process.environ().get("PORT") == port:
            times = process.cpu_times()
            return times.user + times.system
    return 0.0


def microseconds(target: Target, kind: str) -> float:
    """Return what one request of a kind costs, in one run."""
    before = target.seconds()
    target.send_many(kind, REQUESTS)
    return (target.seconds() - before) / REQUESTS * 1e6


@contextmanager
def running(service: Service, shared: Path, *command: str) -> Generator[Target]:
    """Start a service, or `command` in its place, on a database of its own that has some orders."""
    database = create_database(server_url("postgresql", shared))
    service = service.with_settings({"DATABASE_URL": database, "RATE_LIMIT_ENABLED": "false", "WORKERS": "1"})
    service.run("uv", "run", "just", "migrate")
    with service.serving(*command) as url, httpx2.Client(base_url=url, trust_env=False) as client:
        target = Target(client)
        target.send_many(KINDS[3], ORDERS)
        yield target


def template_of(revision: str, directory: Path) -> Path:
    """Return a template of another revision of this repository."""
    git(REPOSITORY, "clone", "--quiet", ".", str(directory))
    git(directory, "checkout", "--quiet", "-B", "before", revision)
    git(directory, "tag", TAG)
    return directory


def main() -> None:
    """Measure in alternation and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", metavar="REVISION", help="also measure services of this revision")
    before = parser.parse_args().before
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        shared = Path(folder)
        stack.callback(stop_servers, shared)
        templates = {"": clone_template(shared / "template")}
        if before:
            templates |= {" before": template_of(before, shared / "before")}
        targets: dict[str, Target] = {}
        for suffix, template in templates.items():
            for framework in choices("framework"):
                answers = {"framework": framework, "database": "postgresql", "auth": "none"}
                service = Service(render(template, shared / f"{framework}{suffix}".replace(" ", "-"), **answers))
                service.run("uv", "sync", "--quiet")
                targets[f"{framework}{suffix}"] = stack.enter_context(running(service, shared))
        serve = (
            f'exec uvicorn benchmarks.floor:app --app-dir "{REPOSITORY}" --host "$HOST" --port "$PORT" --no-access-log'
        )
        for name in (FLOOR, f"{FLOOR} again"):
            floor = ("uv", "run", "--with", "uvicorn[standard]", "sh", "-c", serve)
            targets[name] = stack.enter_context(running(service, shared, *floor))
        for kind in KINDS:
            runs = [{name: microseconds(target, kind) for name, target in targets.items()} for _ in range(RUNS)]
            costs = {name: statistics.median(run[name] for run in runs) for name in targets}
            cells = [f"{name} {cost:5.0f} us (x {cost / costs[FLOOR]:.2f})" for name, cost in costs.items()]
            print(f"{kind:22} {'   '.join(cells)}")  # noqa: T201 - a command's result


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    main()
