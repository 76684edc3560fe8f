"""Callers that are remembered: for how long, and how many."""

from types import SimpleNamespace

import pytest

from app.auth import recent
from app.auth.principal import Principal
from app.auth.recent import RecentCallers
from app.core import clock

_ADA, _EVE = Principal("ada"), Principal("eve")


class Watch:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch()
    monkeypatch.setattr(recent, "time", SimpleNamespace(monotonic=watch.monotonic))
    return watch


def in_seconds(seconds: int) -> int:
    return int(clock.now().timestamp()) + seconds


def test_they_are_known_for_so_many_seconds(watch: Watch) -> None:
    callers = RecentCallers(5)
    callers.keep("a", _ADA, in_seconds(900))
    watch.seconds += 4.9
    known = callers.find("a")
    watch.seconds += 0.1

    assert (known, callers.find("a"), callers.find("b")) == (_ADA, None, None)


def test_no_longer_than_their_token_is_valid(watch: Watch) -> None:
    callers = RecentCallers(300)
    callers.keep("a", _ADA, in_seconds(10))
    watch.seconds += 11

    assert callers.find("a") is None


def test_the_last_that_was_found_out_counts(watch: Watch) -> None:
    callers = RecentCallers(5)
    callers.keep("a", _ADA, in_seconds(900))
    watch.seconds += 4
    callers.keep("a", _EVE, in_seconds(900))
    watch.seconds += 4

    assert callers.find("a") == _EVE


def test_they_do_not_grow_without_end(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "_MOST", 3)
    callers = RecentCallers(5)
    for name in "abcd":
        callers.keep(name, _ADA, in_seconds(900))
    kept = [name for name in "abcd" if callers.find(name)]
    watch.seconds += 6
    callers.keep("e", _ADA, in_seconds(900))

    assert kept == ["b", "c", "d"]
    assert len(callers._kept) == 1  # noqa: SLF001 - what it keeps
