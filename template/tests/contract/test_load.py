"""Requests that would wait too long are refused at once, and those that wait are answered."""

import threading
from collections import Counter
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor, as_completed

import httpx2
import pytest

from app.auth.policy import public
from app.core.settings import Settings
from app.schemas.base import Schema
from tests.client import open_client
from tests.requests import assert_failed

# As many threads as a framework has of its own at the most.
_THREADS, _WAITING, _CLIENTS = 40, 2, 60
_goes_on = threading.Event()


class Note(Schema):
    text: str


@public
def wait() -> Note:
    _goes_on.wait(60)
    return Note(text="tea")


@pytest.fixture
def client(settings: Settings) -> Generator[httpx2.Client]:
    _goes_on.clear()
    changes = {"database_pool_size": _THREADS, "max_queued_requests": _WAITING, "request_timeout_seconds": 60}
    with open_client(settings.model_copy(update=changes), [("GET", "/wait", wait)]) as client:
        yield client


def test_a_full_queue_refuses_at_once(client: httpx2.Client) -> None:
    with ThreadPoolExecutor(_CLIENTS) as pool:
        answers = [pool.submit(client.get, "/wait") for _ in range(_CLIENTS)]
        # Nobody who has a thread or waits for one is answered yet.
        refused = next(as_completed(answers, 60)).result()
        health, readiness = client.get("/healthz"), pool.submit(client.get, "/readyz")
        _goes_on.set()
        statuses = [each.result().status_code for each in answers]

    assert_failed(refused, 503, "unavailable")
    assert int(refused.headers["retry-after"]) > 0
    assert health.status_code == 200
    assert readiness.result().status_code == 200
    assert Counter(statuses) == {200: _THREADS + _WAITING, 503: _CLIENTS - _THREADS - _WAITING}
