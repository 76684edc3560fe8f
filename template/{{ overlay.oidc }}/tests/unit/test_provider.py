"""Keys are kept fresh, are there while the provider is not, and are never fetched more often than allowed."""

import os
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import islice

import pytest

from app.auth.discovery import ProviderError
from app.auth.provider import Provider, Schedule
from app.auth.signing_keys import KeySet, SigningKey
from app.core.errors import Unavailable
from app.observability.logging import configure_logging
from tests.tokens import rsa_key

_SCHEDULE = Schedule(refresh=300, floor=10, stale=3600, patience=2, waiting=20)


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time

    def pass_(self, seconds: float) -> None:
        self.time += seconds


class Source:
    """Where keys come from: `names` of keys, or a failure while that is None."""

    def __init__(self, *names: str) -> None:
        self.names: tuple[str, ...] | None = names
        self.fetches = 0
        self.goes_on = threading.Event()
        self.goes_on.set()

    def __call__(self) -> KeySet:
        self.fetches += 1
        self.goes_on.wait(5)
        if self.names is None:
            raise ProviderError("https://id.example cannot be reached")
        public = rsa_key("first").public_key()
        return KeySet(SigningKey(name, frozenset({"RS256"}), public) for name in self.names)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@contextmanager
def running(source: Callable[[], KeySet], schedule: Schedule = _SCHEDULE) -> Generator[Provider]:
    """Yield a provider with its thread, on the real clock."""
    provider = Provider(source, schedule)
    yield provider
    provider.close()


class Unthreaded(Provider):
    """A provider whose thread does nothing: the test takes the steps."""

    def _run(self) -> None:
        pass


def unthreaded(source: Source, clock: Clock, patience: float = 0) -> Provider:
    return Unthreaded(source, replace(_SCHEDULE, patience=patience), clock)


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
    def test_the_first_request_waits_for_the_keys(self) -> None:
        with running(Source("a")) as provider:
            assert provider.find("a", "RS256")

    def test_many_requests_with_a_new_key_are_one_fetch_and_all_succeed(self) -> None:
        source = Source("a")
        with running(source, replace(_SCHEDULE, floor=0.05)) as provider:
            provider.find("a", "RS256")
            source.names = ("a", "b")
            time.sleep(0.06)
            source.goes_on.clear()
            with ThreadPoolExecutor(20) as pool:
                found = [pool.submit(provider.find, "b", "RS256") for _ in range(20)]
                time.sleep(0.05)
                source.goes_on.set()

            assert all(each.result() for each in found)
            assert source.fetches == 2

    def test_only_some_wait_for_new_keys_and_nobody_for_known_ones(self) -> None:
        source = Source("a")
        schedule = replace(_SCHEDULE, floor=0, patience=5, waiting=3)
        with running(source, schedule) as provider, ThreadPoolExecutor(20) as pool:
            provider.find("a", "RS256")
            before, source.names = source.fetches, ("a", "b")
            source.goes_on.clear()
            asked = [pool.submit(provider.find, "b", "RS256") for _ in range(20)]
            refused = list(islice(as_completed(asked, 5), 17))
            known = provider.find("a", "RS256")
            still_waiting = [each for each in asked if not each.done()]
            source.goes_on.set()

        assert known is not None
        assert {type(each.exception()) for each in refused} == {Unavailable}
        assert len(still_waiting) == 3
        assert all(each.result() for each in still_waiting)
        assert source.fetches == before + 1

    def test_a_refresh_that_takes_long_keeps_nobody_with_a_known_key_waiting(self) -> None:
        source, begun = Source("a"), threading.Event()

        def fetch() -> KeySet:
            if source.fetches:
                begun.set()
            return source()

        with running(fetch, replace(_SCHEDULE, refresh=0.01, floor=0.01)) as provider:
            provider.find("a", "RS256")
            source.goes_on.clear()
            assert begun.wait(5)
            assert provider.find("a", "RS256")
            assert not source.goes_on.is_set()
            source.goes_on.set()

    def test_before_there_are_keys_all_wait_for_them(self) -> None:
        source = Source("a")
        source.goes_on.clear()
        with running(source, replace(_SCHEDULE, waiting=0)) as provider, ThreadPoolExecutor(5) as pool:
            found = [pool.submit(provider.find, "a", "RS256") for _ in range(5)]
            source.goes_on.set()

        assert all(each.result() for each in found)

    def test_nobody_waits_longer_than_patience(self) -> None:
        source = Source("a")
        source.goes_on.clear()
        with running(source, replace(_SCHEDULE, patience=0.05)) as provider:
            with pytest.raises(Unavailable) as failure:
                provider.find("a", "RS256")
            source.goes_on.set()

        assert int(failure.value.headers["Retry-After"]) > 0

    def test_it_recovers_in_the_background(self) -> None:
        source = Source()
        source.names = None
        with running(source, replace(_SCHEDULE, floor=0.05)) as provider:
            with pytest.raises(Unavailable):
                provider.find("a", "RS256")
            source.names = ("a",)

            assert becomes_known(provider, "a")

    def test_a_provider_that_hangs_longer_than_it_may_keeps_nobody_waiting(self) -> None:
        source = Source("a")
        with running(source, replace(_SCHEDULE, floor=0.01, patience=0.05)) as provider:
            provider.find("a", "RS256")
            time.sleep(0.02)
            source.goes_on.clear()
            began = time.monotonic()
            for _ in range(40):
                assert provider.find("made up", "RS256") is None
            waited = time.monotonic() - began
            source.goes_on.set()

        assert waited < 40 * 0.05

    def test_a_failure_that_nobody_thought_of_does_not_end_it(self) -> None:
        calls = []

        def source() -> KeySet:
            calls.append(1)
            if len(calls) == 1:
                raise ZeroDivisionError
            return Source("a")()

        with running(source, replace(_SCHEDULE, floor=0.02)) as provider:
            with pytest.raises(Unavailable):
                provider.find("a", "RS256")

            assert becomes_known(provider, "a")

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="processes do not fork on this system")
    @pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # servers do it all the same
    def test_it_goes_on_after_a_fork(self) -> None:
        source = Source()
        source.names = None
        with running(source, replace(_SCHEDULE, floor=0.02)) as provider:
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
