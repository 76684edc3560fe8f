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
import secrets
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx2
import psutil
import psycopg

from tests.processes import wait_until_ready
from tests.rendering import choices, clone_template, render
from tests.restartable import Restartable, restartable_postgresql
from tests.servers import create_database
from tests.service import UNLIMITED, Service
from tests.wire.samples import an_order

RANDOM = secrets.SystemRandom()
CLIENTS = 8
INSTANCES = 2
PAUSE_SECONDS = 4.0
PATIENCE_SECONDS = 60.0
POOL = 5
# What may be answered while something is replaced: come back, took too long, the same is under way, or has changed.
PASSING = {409, 412, 503, 504}
MEGABYTES_MORE = 40


@dataclass
class Report:
    """What was done and what was wrong."""

    answers: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def claim(self, fact: str, *, is_true: bool) -> None:
        """Note a `fact` that is not true."""
        if not is_true:
            self.wrong.append(fact)


class Instance:
    """One instance of the service, which can be replaced by a new one at another port."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._stack = ExitStack()
        self.url = ""

    def start(self) -> None:
        """Start, and be ready."""
        self.url = self._stack.enter_context(self._service.serving(codes=[0, 143]))

    def stop(self) -> None:
        """End as an orchestrator would, which must succeed."""
        self._stack.close()

    def workers(self) -> list[psutil.Process]:
        """Return the processes that answer."""
        port = self.url.rpartition(":")[2]
        found = []
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                if process.environ().get("PORT") == port and not process.children() and "serve" in process.cmdline():
                    found.append(process)
        return found


class Client(threading.Thread):
    """Sends requests until it is told to stop, and knows what has to be there."""

    def __init__(self, instances: list[Instance], report: Report, stop: threading.Event) -> None:
        super().__init__()
        self.instances, self.report, self.stopped = instances, report, stop
        self.notes: dict[str, set[str | None]] = {}
        """What the note of each order may be: what was acknowledged last, and what may have been done since."""
        self.references: dict[str, str] = {}

    def run(self) -> None:
        """Go on and on."""
        with httpx2.Client(timeout=PATIENCE_SECONDS, trust_env=False) as client:
            for step in itertools.cycle([self.create, self.read, self.change, self.read, self.list]):
                if self.stopped.is_set():
                    return
                step(client)

    def create(self, client: httpx2.Client) -> None:
        """Create an order, however often that has to be sent."""
        order, key = an_order(), {"Idempotency-Key": uuid4().hex}
        while (
            answer := self.send(client, "POST", "", json=order, headers=key)
        ) is None or answer.status_code in PASSING:
            if self.stopped.is_set():
                return
            time.sleep(0.1)
        if self.expect(answer, 201):
            made = answer.json()
            self.notes[made["id"]], self.references[made["id"]] = {None}, order["reference"]

    def read(self, client: httpx2.Client) -> None:
        """Read an order that is there."""
        if not self.notes:
            return
        known = RANDOM.choice(list(self.notes))
        answer = self.send(client, "GET", f"/{known}")
        if answer is not None and answer.status_code not in PASSING and self.expect(answer, 200):
            note = answer.json()["note"]
            self.report.claim(
                f"the note of {known} is {note}, not {self.notes[known]}", is_true=note in self.notes[known]
            )

    def change(self, client: httpx2.Client) -> None:
        """Change an order; if it is not known whether that was done, either may be."""
        if not self.notes:
            return
        known, note = RANDOM.choice(list(self.notes)), uuid4().hex
        answer = self.send(client, "PATCH", f"/{known}", json={"note": note})
        if answer is None or answer.status_code in PASSING:
            self.notes[known].add(note)
        elif self.expect(answer, 200):
            self.notes[known] = {note}

    def list(self, client: httpx2.Client) -> None:
        """Read the first page."""
        answer = self.send(client, "GET", "", params={"limit": 20})
        if answer is not None and answer.status_code not in PASSING:
            self.expect(answer, 200)

    def send(self, client: httpx2.Client, method: str, path: str, **options: object) -> httpx2.Response | None:
        """Return the answer of one of the instances, or None if there was none: the connection was lost."""
        for instance in RANDOM.sample(self.instances, len(self.instances)):
            with suppress(httpx2.ConnectError):
                try:
                    answer = client.request(method, f"{instance.url}/v1/orders{path}", **options)  # ty: ignore[invalid-argument-type]
                except httpx2.TransportError as error:
                    if isinstance(error, httpx2.ConnectError):
                        raise
                    self.report.answers[type(error).__name__] += 1
                    return None
                self.report.answers[str(answer.status_code)] += 1
                return answer
        self.report.answers["nobody listens"] += 1
        return None

    def expect(self, answer: httpx2.Response, status: int) -> bool:
        """Return whether an answer is as it should be, and note one that is not."""
        self.report.claim(
            f"{answer.request.method} is {answer.status_code}: {answer.text}", is_true=answer.status_code == status
        )
        return answer.status_code == status


def kill_a_worker(instances: list[Instance]) -> None:
    """Kill one, whose instance starts another."""
    workers = RANDOM.choice(instances).workers()
    if workers:
        RANDOM.choice(workers).kill()


def replace(instances: list[Instance]) -> None:
    """Replace one after the other: a new one is ready before an old one goes."""
    for number, old in enumerate(instances):
        new = Instance(old._service)  # noqa: SLF001 - of the same class
        new.start()
        instances[number] = new
        old.stop()


@contextmanager
def loaded(instances: list[Instance], report: Report) -> Generator[list[Client]]:
    """Context in which clients send requests; yields them."""
    stop = threading.Event()
    clients = [Client(instances, report, stop) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        yield clients
    finally:
        stop.set()
        for client in clients:
            client.join()


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
        look_for_what_was_written(instances[0].url, clients, report)
        look_for_what_is_left(service, instances, report, max(PAUSE_SECONDS, seconds / 6))
    return report


def look_for_what_was_written(url: str, clients: list[Client], report: Report) -> None:
    """Claim that all that was acknowledged is there, once."""
    with httpx2.Client(base_url=f"{url}/v1/orders", timeout=PATIENCE_SECONDS, trust_env=False) as client:
        for each in clients:
            for known, notes in each.notes.items():
                answer = client.get(f"/{known}")
                report.claim(f"{known} is {answer.status_code}", is_true=answer.is_success)
                report.claim(f"{known} is another", is_true=answer.json().get("note") in notes)
                found = client.get("", params={"reference": each.references[known]}).json()["data"]
                report.claim(f"{known} is there {len(found)} times", is_true=len(found) == 1)


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
    with psycopg.connect(service.settings["DATABASE_URL"]) as connection:
        (number,) = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone() or (0,)
    report.claim(f"{number} connections are open", is_true=number <= 2 * INSTANCES * 2 * POOL)


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
