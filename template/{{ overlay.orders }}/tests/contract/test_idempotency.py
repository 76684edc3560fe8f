"""Requests with an idempotency key are carried out once, however often they are sent."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Any

import httpx2
import pytest
from sqlalchemy import select, update

from app.core import clock
from app.core.errors import Unavailable
from app.db.database import Database
from app.db.models.idempotency_keys import IdempotencyKey
from app.idempotency import keys
from app.services import orders
from tests.contract.test_orders import ORDER
from tests.requests import Caller, assert_failed


def create(caller: Caller, key: str, /, **changes: Any) -> httpx2.Response:
    return caller.post("/v1/orders", json={**ORDER, **changes}, headers={"Idempotency-Key": key})


def count(caller: Caller) -> int:
    return len(caller.get("/v1/orders").json()["data"])


class TestSentAgain:
    def test_the_answer_is_the_first_one(self, alice: Caller) -> None:
        first, second = create(alice, "one"), create(alice, "one")

        assert (first.status_code, second.status_code) == (201, 201)
        assert first.content == second.content
        for name in ("location", "etag", "content-type"):
            assert first.headers[name] == second.headers[name]
        assert "idempotent-replayed" not in first.headers
        assert second.headers["idempotent-replayed"] == "true"
        assert count(alice) == 1

    def test_each_answer_has_ids_of_its_own(self, alice: Caller) -> None:
        ids = {create(alice, "one").headers["x-request-id"] for _ in range(2)}

        assert len(ids) == 2

    def test_an_action_is_carried_out_once(self, alice: Caller) -> None:
        path = create(alice, "one").headers["location"]
        answers = [alice.post(f"{path}/submit", headers={"Idempotency-Key": "two"}) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[0].content == answers[1].content

    def test_a_refusal_by_the_service_is_an_answer_too(self, alice: Caller) -> None:
        create(alice, "one")
        taken = create(alice, "two")
        alice.delete(create(alice, "one").headers["location"])

        assert_failed(taken, 409, "reference_taken")
        again = create(alice, "two")
        assert_failed(again, 409, "reference_taken")
        assert again.headers["idempotent-replayed"] == "true"

    def test_what_was_never_valid_is_not_kept(self, alice: Caller) -> None:
        assert_failed(create(alice, "one", currency="XXXX"), 422, "validation_error")
        answer = create(alice, "one")

        assert answer.status_code == 201
        assert "idempotent-replayed" not in answer.headers

    def test_it_is_kept_for_a_day(self, alice: Caller, database: Database) -> None:
        create(alice, "one")
        ended = database.write(
            lambda session: session.scalars(select(IdempotencyKey)).one().expires_at - timedelta(days=1)
        )

        assert abs(ended - clock.now()) < timedelta(minutes=1)
        database.write(lambda session: session.execute(update(IdempotencyKey).values(expires_at=ended)))
        assert_failed(create(alice, "one"), 409, "reference_taken")


class TestOtherRequests:
    def test_another_payload_is_refused(self, alice: Caller) -> None:
        create(alice, "one")

        assert_failed(create(alice, "one", note="other"), 422, "idempotency_key_reused")
        assert count(alice) == 1

    def test_another_route_is_refused(self, alice: Caller) -> None:
        path = create(alice, "one").headers["location"]

        assert_failed(alice.post(f"{path}/submit", headers={"Idempotency-Key": "one"}), 422, "idempotency_key_reused")

    def test_without_a_key_all_is_as_ever(self, alice: Caller) -> None:
        answers = [alice.post("/v1/orders", json={**ORDER, "reference": f"R{number}"}) for number in range(2)]

        assert [answer.status_code for answer in answers] == [201, 201]

    @pytest.mark.parametrize("key", ["", "a b", "x" * 256])
    def test_a_malformed_key_is_refused(self, alice: Caller, key: str) -> None:
        (detail,) = assert_failed(create(alice, key), 422, "validation_error")

        assert detail["field"] == "Idempotency-Key"
        assert count(alice) == 0

    def test_two_keys_are_refused(self, alice: Caller) -> None:
        headers = [*alice.headers.items(), ("Idempotency-Key", "one"), ("Idempotency-Key", "two")]

        assert_failed(alice.client.post("/v1/orders", json=ORDER, headers=headers), 422, "validation_error")


class TestFailures:
    def test_a_crash_leaves_nothing_and_the_request_may_be_sent_again(
        self, alice: Caller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = orders.create

        def crash(*args: Any, **kwargs: Any) -> Any:
            real(*args, **kwargs)
            raise ValueError("planted")

        with monkeypatch.context() as patch:
            patch.setattr(orders, "create", crash)
            assert create(alice, "one").status_code == 500
        assert count(alice) == 0
        answer = create(alice, "one")

        assert answer.status_code == 201
        assert "idempotent-replayed" not in answer.headers

    def test_an_answer_that_cannot_be_stored_was_not_given(
        self, alice: Caller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> None:
            raise Unavailable

        with monkeypatch.context() as patch:
            patch.setattr(keys, "store", fail)
            assert_failed(create(alice, "one"), 503, "unavailable")
        assert count(alice) == 0
        assert create(alice, "one").status_code == 201

    def test_one_that_is_under_way_is_in_progress(self, alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
        begun, go_on = Event(), Event()
        real = orders.create

        def slow(*args: Any, **kwargs: Any) -> Any:
            begun.set()
            assert go_on.wait(10)
            return real(*args, **kwargs)

        monkeypatch.setattr(orders, "create", slow)
        with ThreadPoolExecutor(1) as threads:
            first = threads.submit(create, alice, "one")
            assert begun.wait(10)
            second = create(alice, "one")
            go_on.set()

        assert_failed(second, 409, "idempotency_in_progress")
        assert second.headers["retry-after"] == "1"
        assert first.result().status_code == 201

    def test_of_many_at_once_one_is_carried_out(self, alice: Caller) -> None:
        with ThreadPoolExecutor(6) as threads:
            answers = list(threads.map(lambda _: create(alice, "one"), range(6)))

        assert {answer.status_code for answer in answers} <= {201, 409}
        assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
        assert Counter("idempotent-replayed" in each.headers for each in answers if each.status_code == 201)[False] == 1
        assert count(alice) == 1
