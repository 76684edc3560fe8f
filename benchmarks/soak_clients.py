"""The clients of `benchmarks.soak`, which know what they wrote, and the instances that they call."""

import itertools
import secrets
import threading
import time
from collections import Counter
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from uuid import uuid4

import httpx2
import psutil

from tests.service import Service
from tests.wire.samples import an_order

RANDOM = secrets.SystemRandom()
CLIENTS = 8
PATIENCE_SECONDS = 60.0
# What may be answered while something is replaced: come back, or took too long.
PASSING = {503, 504}


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
        self.service = service
        self._stack = ExitStack()
        self.url = ""

    def start(self) -> None:
        """Start, and be ready."""
        self.url = self._stack.enter_context(self.service.serving(codes=[0, 143]))

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
        self.undecided = 0
        """How many orders may have been created without an answer."""

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
        self.undecided = 1
        while (answer := self.send(client, "POST", "", json=order, headers=key)) is None:
            if self.stopped.is_set():
                return
            time.sleep(0.1)
        self.undecided = 0
        if self.expect(answer, 201):
            self.notes[answer.json()["id"]] = {None}

    def read(self, client: httpx2.Client) -> None:
        """Read an order that is there."""
        if not self.notes:
            return
        known = RANDOM.choice(list(self.notes))
        answer = self.send(client, "GET", f"/{known}")
        if answer is not None and self.expect(answer, 200):
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
        if answer is None:
            self.notes[known].add(note)
        elif self.expect(answer, 200):
            self.notes[known] = {note}

    def list(self, client: httpx2.Client) -> None:
        """Read the first page."""
        answer = self.send(client, "GET", "", params={"limit": 20})
        if answer is not None:
            self.expect(answer, 200)

    def send(self, client: httpx2.Client, method: str, path: str, **options: object) -> httpx2.Response | None:
        """Return the answer of one of the instances, or None if one has to ask again."""
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
                is_busy = answer.status_code in PASSING or is_under_way(answer)
                return None if is_busy else answer
        self.report.answers["nobody listens"] += 1
        return None

    def expect(self, answer: httpx2.Response, status: int) -> bool:
        """Return whether an answer is as it should be, and note one that is not."""
        is_right = answer.status_code == status
        self.report.claim(f"{answer.request.method} is {answer.status_code}: {answer.text}", is_true=is_right)
        return is_right


def is_under_way(answer: httpx2.Response) -> bool:
    """Return whether a request with the same key has not ended yet."""
    return answer.status_code == httpx2.codes.CONFLICT and answer.json()["code"] == "idempotency_in_progress"


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
