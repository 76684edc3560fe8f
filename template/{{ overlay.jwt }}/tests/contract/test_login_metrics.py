"""Attempts to sign in are counted by how they ended."""

import httpx2

from tests.callers import PASSWORD
from tests.metrics import value_of
from tests.users import EMAIL, register, sign_in


def logins() -> dict[str, float]:
    """Return how many attempts there were, by outcome."""
    return {outcome: value_of("auth_logins_total", outcome=outcome) for outcome in ("success", "failure")}


def test_each_outcome_is_counted(client: httpx2.Client) -> None:
    register(client)
    before = logins()
    for account, password in ((EMAIL, PASSWORD), (EMAIL, "wrong"), ("eve@example.com", PASSWORD)):
        sign_in(client, account, password)

    assert logins() == {"success": before["success"] + 1, "failure": before["failure"] + 2}


def test_both_are_there_before_the_first(client: httpx2.Client) -> None:
    text = client.get("/metrics").text

    assert 'auth_logins_total{outcome="success"}' in text
    assert 'auth_logins_total{outcome="failure"}' in text
