"""Services that send mail, which is kept here.

A module of tests takes the fixtures by `outbox, proving = mailbox.outbox, mailbox.proving`.
"""

from collections.abc import Generator

import httpx2
import pytest

from app.auth import mail
from app.core.settings import Settings
from tests.client import open_client


class Outbox:
    """Keeps what was sent: purpose, address and token."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str]] = []

    def send_reset(self, address: str, token: str) -> None:
        self.sent.append(("reset", address, token))

    def send_proof(self, address: str, token: str) -> None:
        self.sent.append(("proof", address, token))


@pytest.fixture
def outbox(monkeypatch: pytest.MonkeyPatch) -> Outbox:
    outbox = Outbox()
    monkeypatch.setattr(mail, "SENDER", outbox)
    return outbox


@pytest.fixture
def proving(settings: Settings, client: httpx2.Client, outbox: Outbox) -> Generator[httpx2.Client]:  # noqa: ARG001 - empties the tables
    """A client of a service that asks for proofs."""
    with open_client(settings.model_copy(update={"auth_email_proof": True})) as proving:
        yield proving
