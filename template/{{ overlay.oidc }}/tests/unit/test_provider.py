"""Keys are kept fresh, are there while the provider is not, and are never fetched more often than allowed."""

import os
import time
from contextlib import suppress
from dataclasses import replace

import pytest

from app.auth.provider import Provider
from app.auth.signing_keys import KeySet
from app.core.errors import Unavailable
from app.observability.logging import configure_logging
from tests.keys import SCHEDULE, Source, running


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time

    def pass_(self, seconds: float) -> None:
        self.time += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Unthreaded(Provider):
    """A provider whose thread does nothing: the test takes the steps."""

    def _run(self) -> None:
        pass


def unthreaded(source: Source, clock: Clock, patience: float = 0) -> Provider:
    return Unthreaded(source, replace(SCHEDULE, patience=patience), clock)


class TestSchedule:
    def test_keys_are_fetched_at_once_and_then_now_and_again(self, clock: Clock) -> None:
        source = Source("a")
        provider = unthreaded(source, clock)

        pauses = []
        for seconds in (0, 299, 1, 300):
            clock.pass_(seconds)
            pauses.append(provider.refresh_if_due())

        assert pauses == [300, 1, 300, 300]
        assert source.fetches == 3

    def test_a_provider_that_is_away_is_asked_again_after_the_floor(self, clock: Clock) -> None:
        source = Source()
        source.names = None
        provider = unthreaded(source, clock)

        assert provider.refresh_if_due() == 10
        clock.pass_(9)
        assert provider.refresh_if_due() == 1
        clock.pass_(1)
        source.names = ("a",)
        assert provider.refresh_if_due() == 300
        assert provider.find("a", "RS256")

    def test_an_unknown_key_is_asked_for_once_in_each_floor(self, clock: Clock) -> None:
        source = Source("a")
        provider = unthreaded(source, clock)
        provider.refresh_if_due()

        for second in range(100):
            clock.pass_(1)
            for number in range(5):
                assert provider.find(f"made up {second} {number}", "RS256") is None
            provider.refresh_if_due()

        assert source.fetches == 1 + 10

    def test_a_rotated_key_is_known_when_the_floor_is_over(self, clock: Clock) -> None:
        source = Source("a")
        provider = unthreaded(source, clock)
        provider.refresh_if_due()
        source.names = ("b",)

        assert provider.find("b", "RS256") is None
        clock.pass_(10)
        provider.refresh_if_due()

        assert provider.find("b", "RS256")
        assert provider.find("a", "RS256") is None

    def test_keys_outlive_a_provider_that_is_away_but_not_for_ever(self, clock: Clock) -> None:
        source = Source("a")
        provider = unthreaded(source, clock)
        provider.refresh_if_due()
        source.names = None

        for _ in range(12):
            clock.pass_(300)
            provider.refresh_if_due()
            assert provider.find("a", "RS256")
        clock.pass_(1)
        with pytest.raises(Unavailable, match="identity provider"):
            provider.find("a", "RS256")

    def test_nobody_waits_for_a_provider_that_is_away(self, clock: Clock) -> None:
        source = Source("a")
        provider = unthreaded(source, clock, patience=30)
        provider.refresh_if_due()
        source.names = None
        clock.pass_(300)
        provider.refresh_if_due()
        clock.pass_(10)
        began = time.monotonic()

        assert provider.find("made up", "RS256") is None
        assert provider.find("a", "RS256")
        assert time.monotonic() - began < 5

    def test_a_provider_that_takes_all_keys_back_is_believed(self, clock: Clock) -> None:
        source = Source("a")
        provider = unthreaded(source, clock)
        provider.refresh_if_due()
        source.names = ()
        clock.pass_(300)
        provider.refresh_if_due()

        assert provider.find("a", "RS256") is None


def becomes_known(provider: Provider, key_id: str) -> bool:
    """Return whether the key is known before long."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with suppress(Unavailable):
            return provider.find(key_id, "RS256") is not None
        time.sleep(0.01)
    return False


class TestThread:
    def test_it_recovers_in_the_background(self) -> None:
        source = Source()
        source.names = None
        with running(source, replace(SCHEDULE, floor=0.05)) as provider:
            with pytest.raises(Unavailable):
                provider.find("a", "RS256")
            source.names = ("a",)

            assert becomes_known(provider, "a")

    def test_a_failure_that_nobody_thought_of_does_not_end_it(self) -> None:
        calls = []

        def source() -> KeySet:
            calls.append(1)
            if len(calls) == 1:
                raise ZeroDivisionError
            return Source("a")()

        with running(source, replace(SCHEDULE, floor=0.02)) as provider:
            with pytest.raises(Unavailable):
                provider.find("a", "RS256")

            assert becomes_known(provider, "a")

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="processes do not fork on this system")
    @pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # servers do it all the same
    def test_it_goes_on_after_a_fork(self) -> None:
        source = Source()
        source.names = None
        with running(source, replace(SCHEDULE, floor=0.02)) as provider:
            with pytest.raises(Unavailable):
                provider.find("a", "RS256")
            source.names = ("a",)
            if (child := os.fork()) == 0:
                try:
                    provider.forget_thread()
                    os._exit(0 if becomes_known(provider, "a") else 1)
                finally:
                    os._exit(2)
            _, status = os.waitpid(child, 0)

        assert os.waitstatus_to_exitcode(status) == 0

    def test_it_ends_when_it_is_closed(self) -> None:
        with running(Source("a")) as provider:
            provider.find("a", "RS256")
            thread = provider._thread  # noqa: SLF001 - a thread is not seen from outside
        assert thread is not None
        thread.join(5)

        assert not thread.is_alive()


class TestLog:
    def test_only_changes_are_told(self, clock: Clock, capfd: pytest.CaptureFixture[str]) -> None:
        configure_logging("INFO")
        source = Source("a")
        provider = unthreaded(source, clock)
        told = []
        for names in (("a",), ("a",), None, None, ("a",), None):
            source.names = names
            clock.pass_(300)
            provider.refresh_if_due()
            told.append(capfd.readouterr().out.count("identity provider"))

        assert told == [1, 0, 1, 0, 1, 1]
