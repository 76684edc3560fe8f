"""Callers, and what receives traces."""

from collections.abc import Generator

import httpx2
import pytest

from app.core.scopes import SCOPES
from app.core.settings import Settings
from app.db.database import Database
from tests.callers import headers_for
from tests.receiver import Receiver, receiving
from tests.requests import Caller


@pytest.fixture
def alice(client: httpx2.Client, database: Database) -> Caller:
    """A caller that has every scope."""
    return Caller(client, headers_for(database, "alice", list(SCOPES)))


@pytest.fixture
def receiver() -> Generator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def traced(settings: Settings, receiver: Receiver) -> Settings:
    """Settings of a service that sends its traces to the receiver."""
    return settings.model_copy(update={"otel_exporter_otlp_endpoint": receiver.url})
