"""How long attempts to sign in to an account have to wait, and who else does."""

import json
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.core import context
from app.core.context import RequestContext
from app.core.failures.limits import TooManyRequests
from app.core.settings import Settings
from app.http.account_limits import count_account, forgive_account
from app.limits import counters
from app.observability.logging import configure_logging
from tests.users import EMAIL

_HERE, _ELSEWHERE = "1.2.3.4", "5.6.7.8"


@pytest.fixture
def limited(settings: Settings) -> Generator[Settings]:
    counters.forget()
    yield settings.model_copy(update={"rate_limit_enabled": True, "rate_limit_login": "10/minute"})
    counters.forget()
    context._current.set(None)  # noqa: SLF001 - requests end with their task or thread


def _tried(settings: Settings, address: str = _HERE, account: str = EMAIL) -> int:
    """Return 0 if an attempt from `address` may be made now, else the seconds to wait."""
    context.enter(RequestContext("request-1", "0" * 32, "POST", "/v1/auth/token", client=address))
    try:
        count_account(settings, account)
    except TooManyRequests as error:
        return int(error.headers["Retry-After"])
    return 0


def test_each_attempt_waits_twice_as_long_as_the_one_before_it(
    limited: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    assert [_tried(limited) for _ in range(11)] == [0] * 11
    waits = []
    for _ in range(10):
        waits.append(_tried(limited))
        # Who does not wait is told the same, and makes it no longer.
        assert _tried(limited) == waits[-1]
        now += waits[-1]
        assert _tried(limited) == 0

    assert waits == [6, 12, 24, 48, 96, 192, 384, 768, 900, 900]


def test_who_has_to_wait_is_in_the_log(limited: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO")
    for _ in range(12):
        _tried(limited)
    _tried(limited, account="not an address")

    (line,) = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert (line["event"], line["account"], line["source_ip"]) == ("authn_login_fail_max", EMAIL, _HERE)


def test_another_address_does_not_wait_and_neither_does_another_account(limited: Settings) -> None:
    assert [_tried(limited) for _ in range(12)] == [0] * 11 + [6]

    assert _tried(limited, _ELSEWHERE) == 0
    assert _tried(limited, account="eve@example.com") == 0


def test_an_account_is_the_same_however_it_is_written(limited: Settings) -> None:
    ways = ["ren\u00e9e@example.com", "rene\u0301e@example.com", "REN\u00c9E@EXAMPLE.COM"]

    assert [_tried(limited, account=ways[number % 3]) for number in range(12)] == [0] * 11 + [6]


def test_a_site_with_many_networks_waits_as_well(limited: Settings) -> None:
    seen = [_tried(limited, f"2001:db8:0:{number:x}::1") for number in range(42)]

    assert seen[:41] == [0] * 41
    assert seen[41] > 0


def test_of_many_at_once_one_has_the_turn(limited: Settings) -> None:
    for _ in range(10):
        _tried(limited)
    with ThreadPoolExecutor(10) as threads:
        seen = list(threads.map(lambda _: _tried(limited), range(20)))

    assert seen.count(0) == 1


def test_a_user_who_comes_in_begins_again(limited: Settings) -> None:
    for _ in range(12):
        _tried(limited)
    forgive_account(limited, EMAIL)

    assert [_tried(limited) for _ in range(11)] == [0] * 11
