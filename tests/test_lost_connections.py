"""A network that silently drops connections costs one request per connection, and does not block a shutdown."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from tests.conftest import Install, NewDatabase
from tests.relay import Relay, relayed
from tests.wire.samples import an_order

LIMIT_SECONDS = 4.0
POOL = 3
CASES = [(framework, database) for database in ("postgresql", "mysql") for framework in ("fastapi", "flask")]
Call = Callable[[], httpx2.Response]


def together(calls: list[Call]) -> tuple[Counter[int], float]:
    """Return how many of the calls, all made at once, got which status, and how long the slowest took."""
    started = time.monotonic()
    with ThreadPoolExecutor(len(calls)) as threads:
        statuses = Counter(answer.result().status_code for answer in [threads.submit(call) for call in calls])
    return statuses, time.monotonic() - started


@pytest.mark.parametrize(("framework", "database"), CASES)
def test_lost_connections(install: Install, new_database: NewDatabase, framework: str, database: str) -> None:
    answers = {"framework": framework, "database": database, "auth": "none", "example": True}
    service = install(answers).with_settings(new_database(database))
    service.run("uv", "run", "just", "migrate")
    limits = {"REQUEST_TIMEOUT_SECONDS": str(LIMIT_SECONDS), "DATABASE_POOL_SIZE": str(POOL)}
    with (
        relayed(service.settings["DATABASE_URL"]) as (relay, url),
        ThreadPoolExecutor(1) as late,
        service.with_settings({"DATABASE_URL": url, **limits}).serving() as base,
        httpx2.Client(base_url=base, timeout=10 * LIMIT_SECONDS, trust_env=False) as client,
    ):
        each_costs_one_request_at_the_most(relay, client)
        who_waits_for_a_commit_is_told_so(relay, client)
        a_request_with_a_key_can_be_sent_again(relay, client)
        # A request that is under way when the service is stopped, which has to end well, and in time.
        relay.forget()
        late.submit(httpx2.get, f"{base}/v1/orders", timeout=10 * LIMIT_SECONDS, trust_env=False)
        time.sleep(0.2)


def each_costs_one_request_at_the_most(relay: Relay, client: httpx2.Client) -> None:
    def read() -> httpx2.Response:
        return client.get("/v1/orders")

    def write() -> httpx2.Response:
        return client.post("/v1/orders", json=an_order())

    # As many as there are threads: who waits for one has no connection that it could lose.
    calls: list[Call] = [read, *[write] * (POOL - 1)]
    well = {200: 1, 201: POOL - 1}
    assert well == together(calls)[0]

    lost = relay.forget()
    statuses, seconds = together(calls)
    assert {200, 201, 504} >= statuses.keys()
    assert 0 < statuses[504] <= lost
    assert seconds < 2 * LIMIT_SECONDS

    # A connection is thrown away a moment after its request was answered.
    time.sleep(2 * LIMIT_SECONDS - seconds)
    assert well == together(calls)[0]
    assert 200 == client.get("/readyz").status_code
    assert 2 * well[201] + statuses[201] == len(stored(client))


def who_waits_for_a_commit_is_told_so(relay: Relay, client: httpx2.Client) -> None:
    before = len(stored(client))
    relay.last_words = b"COMMIT"
    answer = client.post("/v1/orders", json=an_order())
    relay.last_words = None

    assert (504, "request_timeout") == (answer.status_code, answer.json()["code"])
    assert "its change may have been made" in answer.json()["message"]
    assert before + 1 == len(stored(client))


def a_request_with_a_key_can_be_sent_again(relay: Relay, client: httpx2.Client) -> None:
    def send() -> httpx2.Response:
        return client.post("/v1/orders", json=order, headers={"Idempotency-Key": order["reference"]})

    # Lost with the commit, and with the statement before it, which stores the answer.
    for words, spared, is_made in ((b"COMMIT", 1, True), (b"UPDATE idempotency_keys", 0, False)):
        before, order = len(stored(client)), an_order()
        relay.last_words, relay.spared = words, spared
        started = time.monotonic()
        lost = send()
        assert time.monotonic() - started < 1.5 * LIMIT_SECONDS
        relay.last_words = None
        assert (504, "request_timeout") == (lost.status_code, lost.json()["code"])
        assert is_made == ("may have been made" in lost.json()["message"])
        assert before + is_made == len(stored(client))

        again = send()
        while again.status_code == 409:
            # Until the time of the first is over.
            assert "idempotency_in_progress" == again.json()["code"]
            time.sleep(int(again.headers["retry-after"]))
            again = send()
        assert 201 == again.status_code
        assert is_made == ("idempotent-replayed" in again.headers)
        assert again.content == send().content
        assert before + 1 == len(stored(client))


def stored(client: httpx2.Client) -> list[object]:
    return client.get("/v1/orders", params={"limit": 100}).json()["data"]
