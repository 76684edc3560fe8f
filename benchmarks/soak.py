"""Whether a service lives through what happens to services: `uv run python -m benchmarks.soak [minutes]`.

Runs two instances of a service with two workers each on PostgreSQL, by their production command. Clients create
orders with an idempotency key, read, change and list them, and do what a proxy does: they ask the other instance while
one does not listen. Meanwhile, in turn, the database is restarted, a worker is killed, and both instances are replaced,
one after the other. Fails and says so if

- an answer was wrong: a status that nothing explains, or another content than what was written;
- a change that was acknowledged is lost, or something was made twice;
- connections to the database or files are left open, or the memory of a worker grows.
"""

import argparse
import itertools
import os
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import LiteralString

import httpx2
import psutil
import psycopg

from benchmarks.soak_clients import CLIENTS, PATIENCE_SECONDS, RANDOM, Client, Instance, Report, loaded
from tests.processes import wait_until_ready
from tests.rendering import choices, clone_template, render
from tests.restartable import Restartable, restartable_postgresql
from tests.servers import create_database
from tests.service import UNLIMITED, Service

INSTANCES = 2
PAUSE_SECONDS = 4.0
POOL = 5
MEGABYTES_MORE = 40


def kill_a_worker(instances: list[Instance]) -> None:
    """Kill one, whose instance starts another."""
    workers = RANDOM.choice(instances).workers()
    if workers:
        RANDOM.choice(workers).kill()


def replace(instances: list[Instance]) -> None:
    """Replace one after the other: a new one is ready before an old one goes."""
    for number, old in enumerate(instances):
        new = Instance(old.service)
        new.start()
        instances[number] = new
        old.stop()


def soak(service: Service, server: Restartable, seconds: float) -> Report:
    """Return what came of so many seconds; `service` is installed and its database migrated."""
    report, instances = Report(), [Instance(service) for _ in range(INSTANCES)]
    with ExitStack() as stack:
        for instance in instances:
            instance.start()
        stack.callback(lambda: [instance.stop() for instance in instances])
        happenings: Iterator[tuple[str, Callable[[], object]]] = itertools.cycle(
            [
                ("the database is restarted", server.restart),
                ("a worker is killed", lambda: kill_a_worker(instances)),
                ("the instances are replaced", lambda: replace(instances)),
            ]
        )
        end = time.monotonic() + seconds
        with loaded(instances, report) as clients:
            while time.monotonic() < end:
                time.sleep(PAUSE_SECONDS)
                name, happen = next(happenings)
                happen()
                report.faults[name] += 1
        wait_until_ready(instances[0].url, str)
        look_for_what_was_written(instances[0].url, service, clients, report)
        look_for_what_is_left(service, instances, report, max(PAUSE_SECONDS, seconds / 6))
    return report


def look_for_what_was_written(url: str, service: Service, clients: list[Client], report: Report) -> None:
    """Claim that all that was acknowledged is there, and nothing else."""
    acknowledged = sum(len(each.notes) for each in clients)
    most, found = acknowledged + sum(each.undecided for each in clients), rows(service, "SELECT count(*) FROM orders")
    report.claim(f"{found} orders, not {acknowledged} to {most}", is_true=acknowledged <= found <= most)
    with httpx2.Client(base_url=f"{url}/v1/orders", timeout=PATIENCE_SECONDS, trust_env=False) as client:
        for known, notes in (order for each in clients for order in each.notes.items()):
            answer = client.get(f"/{known}")
            is_there = answer.status_code == httpx2.codes.OK and answer.json()["note"] in notes
            report.claim(f"{known} is {answer.text}, not one of {notes}", is_true=is_there)


def look_for_what_is_left(service: Service, instances: list[Instance], report: Report, seconds: float) -> None:
    """Claim that nothing is open that should not be, and that memory does not grow in so many seconds of load."""
    with loaded(instances, report):
        time.sleep(seconds)
        early = {worker.pid: used(worker) for instance in instances for worker in instance.workers()}
        time.sleep(seconds)
    late = {worker.pid: used(worker) for instance in instances for worker in instance.workers()}
    report.claim("workers are lost", is_true=early.keys() == late.keys() and len(late) == 2 * INSTANCES)
    for pid in early.keys() & late.keys():
        files, memory = (late[pid][each] - early[pid][each] for each in (0, 1))
        report.claim(f"a worker has {files} files more", is_true=files <= CLIENTS)
        report.claim(f"a worker has {memory} MB more", is_true=memory <= MEGABYTES_MORE)
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    number = rows(service, query)
    report.claim(f"{number} connections are open", is_true=number <= 2 * INSTANCES * 2 * POOL)


def rows(service: Service, query: LiteralString) -> int:
    """Return how many rows the service's database counts."""
    with psycopg.connect(service.settings["DATABASE_URL"]) as connection:
        ((number,),) = connection.execute(query).fetchall()
    return number


def used(process: psutil.Process) -> tuple[int, int]:
    """Return how many files a process has open, and its memory in megabytes."""
    return process.num_fds(), process.memory_info().rss // 1_000_000


@contextmanager
def prepared(service: Service) -> Generator[tuple[Service, Restartable]]:
    """Yield the service with an empty database, and the server of that."""
    with restartable_postgresql() as server:
        settings = {"DATABASE_POOL_SIZE": str(POOL), "WORKERS": "2", "LOG_LEVEL": "WARNING", **UNLIMITED}
        ready = service.with_settings({"DATABASE_URL": create_database(server.url), **settings})
        ready.run("uv", "run", "just", "migrate")
        yield ready, server


def main() -> int:
    """Run one service of each framework, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("minutes", nargs="?", type=float, default=10, help="for each framework")
    seconds = parser.parse_args().minutes * 60
    is_well = True
    with tempfile.TemporaryDirectory() as folder:
        template = clone_template(Path(folder, "template"))
        for framework in choices("framework"):
            answers = {"framework": framework, "database": "postgresql", "auth": "none"}
            service = Service(render(template, Path(folder, framework), **answers))
            service.run("uv", "sync", "--quiet")
            with prepared(service) as (ready, server):
                report = soak(ready, server, seconds)
            show(f"{framework}: {dict(report.faults)}, {dict(report.answers)}", *report.wrong[:20])
            is_well = is_well and not report.wrong
    return 0 if is_well else 1


def show(*lines: str) -> None:
    """Print what was found."""
    print("\n".join(lines), flush=True)  # noqa: T201 - a command's result


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.exit(main())
