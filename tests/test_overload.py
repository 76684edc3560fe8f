"""More requests than a service can answer: those that it takes are answered, and the others are told at once."""

import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from itertools import islice

import httpx2
import psycopg
import pytest

from tests.conftest import Install, NewDatabase
from tests.rendering import choices
from tests.service import UNLIMITED, Service
from tests.wire.samples import an_order

CLIENTS = 200
"""As many as an older design of the same size came to a standstill with."""
PATIENCE_SECONDS = 60
THREADS, QUEUE, REQUESTS = 2, 4, 20
TOO_MANY = REQUESTS - THREADS - QUEUE


def ready(install: Install, framework: str, **settings: str) -> Service:
    """Return a service on PostgreSQL that anybody may call, ready to serve."""
    service = install({"framework": framework, "database": "postgresql", "auth": "none", "example": True})
    service = service.with_settings({"REQUEST_TIMEOUT_SECONDS": str(PATIENCE_SECONDS), **UNLIMITED, **settings})
    service.run("uv", "run", "just", "migrate")
    return service


@contextmanager
def clients_of(base_url: str) -> Generator[httpx2.Client]:
    """Yield a client that many threads may use at once."""
    limits = httpx2.Limits(max_connections=CLIENTS)
    with httpx2.Client(base_url=base_url, timeout=PATIENCE_SECONDS, limits=limits, trust_env=False) as client:
        yield client


@contextmanager
def locked(database_url: str) -> Generator[None]:
    """Keep everybody from reading orders."""
    with psycopg.connect(database_url) as connection:
        connection.execute("LOCK TABLE orders")
        yield


@pytest.mark.parametrize("framework", choices("framework"))
def test_two_hundred_clients_share_sixteen_connections(
    install: Install, new_database: NewDatabase, framework: str
) -> None:
    service = ready(install, framework, **new_database("postgresql"), DATABASE_POOL_SIZE="16")
    together = threading.Barrier(CLIENTS)

    def use(number: int) -> list[int]:
        together.wait(PATIENCE_SECONDS)
        headers = {"Idempotency-Key": f"key-{number}"} if number % 2 else {}
        made = client.post("/v1/orders", json=an_order(), headers=headers)
        return [made.status_code, client.get(f"/v1/orders/{made.json()['id']}").status_code]

    with service.serving() as base_url, clients_of(base_url) as client, ThreadPoolExecutor(CLIENTS) as pool:
        statuses = list(pool.map(use, range(CLIENTS)))

    assert [[201, 200]] * CLIENTS == statuses


@pytest.mark.parametrize("framework", choices("framework"))
def test_a_full_queue_refuses_at_once_and_those_in_it_are_answered(
    install: Install, new_database: NewDatabase, framework: str
) -> None:
    database = new_database("postgresql")
    limits = {"DATABASE_POOL_SIZE": str(THREADS), "MAX_QUEUED_REQUESTS": str(QUEUE)}
    service = ready(install, framework, **database, **limits)
    with service.serving() as base_url, clients_of(base_url) as client, ThreadPoolExecutor(CLIENTS) as pool:
        with locked(database["DATABASE_URL"]):
            answers = [pool.submit(client.get, "/v1/orders") for _ in range(REQUESTS)]
            refused = [each.result() for each in islice(as_completed(answers, PATIENCE_SECONDS), TOO_MANY)]
            still_there = [each for each in answers if not each.done()]
            health = client.get("/healthz")
            metrics = client.get("/metrics").text
        done = [each.result().status_code for each in still_there]

    assert {503} == {answer.status_code for answer in refused}
    assert {"unavailable"} == {answer.json()["code"] for answer in refused}
    assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
    assert [200] * (THREADS + QUEUE) == done
    assert 200 == health.status_code
    assert f"\nthread_queue_requests_waiting {QUEUE}.0\n" in metrics
    assert f"\nthread_queue_refused_total {TOO_MANY}.0\n" in metrics
