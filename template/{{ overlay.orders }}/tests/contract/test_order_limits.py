"""The order of the checks, and the limits of time."""

import threading
import time
from typing import Any

import httpx2
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.settings import Settings
from app.db.database import Database
from app.db.models.orders import Order
from tests.client import open_client
from tests.contract.test_orders import NOWHERE, ORDER
from tests.databases import without_database
from tests.requests import Caller, assert_failed


class TestOrderOfChecks:
    def test_the_method_comes_before_everything(self, client: httpx2.Client) -> None:
        response = client.delete("/v1/orders", headers={"Accept": "text/html"})

        assert_failed(response, 405, "method_not_allowed")
        assert response.headers["allow"] == "GET, HEAD, OPTIONS, POST"

    def test_the_media_type_comes_before_the_caller(self, client: httpx2.Client) -> None:
        assert_failed(client.post("/v1/orders", content=b"x"), 415, "unsupported_media_type")

    def test_validates_the_body_before_looking_up_the_order(self, alice: Caller) -> None:
        assert_failed(alice.patch(NOWHERE, json={"note": 1}), 422, "validation_error")

    def test_the_object_comes_before_its_version(self, alice: Caller) -> None:
        assert_failed(alice.patch(NOWHERE, json={}, headers={"If-Match": '"0"'}), 404, "not_found")


class TestDatabase:
    def test_while_the_database_is_away_clients_are_told_to_come_back(self, settings: Settings, alice: Caller) -> None:
        with open_client(without_database(settings)) as client:
            response = client.get("/v1/orders", headers=alice.headers)

        assert_failed(response, 503, "unavailable")
        assert int(response.headers["retry-after"]) > 0


class TestTimeout:
    @pytest.fixture
    def hurried(self, settings: Settings) -> Any:
        with open_client(settings.model_copy(update={"request_timeout_seconds": 1})) as client:
            yield client

    def test_work_that_takes_too_long_is_cancelled(
        self, hurried: httpx2.Client, alice: Caller, database: Database
    ) -> None:
        order = alice.post("/v1/orders", json=ORDER).json()
        held, done = threading.Event(), threading.Event()

        def hold(session: Session) -> None:
            session.execute(select(Order).with_for_update()).all()
            held.set()
            done.wait(60)

        holder = threading.Thread(target=database.write, args=(hold,))
        holder.start()
        held.wait(5)
        started = time.monotonic()
        response = Caller(hurried, alice.headers).patch(f"/v1/orders/{order['id']}", json={"note": "late"})
        waited = time.monotonic() - started
        done.set()
        holder.join()

        assert_failed(response, 504, "request_timeout")
        assert waited < 30
        assert order == alice.get(f"/v1/orders/{order['id']}").json()
