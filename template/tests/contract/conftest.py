"""Callers."""

import httpx2
import pytest

from app.core.scopes import SCOPES
from app.db.database import Database
from tests.callers import headers_for
from tests.requests import Caller


@pytest.fixture
def alice(client: httpx2.Client, database: Database) -> Caller:
    """A caller that has every scope."""
    return Caller(client, headers_for(database, "alice", list(SCOPES)))
