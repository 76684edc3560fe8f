"""Who waits for keys, and for how long; nobody does whose key is known."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from itertools import islice

import pytest

from app.auth.signing_keys import KeySet
from app.core.errors import Unavailable
from tests.keys import SCHEDULE, Source, running


def test_the_first_request_waits_for_the_keys() -> None:
    with running(Source("a")) as provider:
        assert provider.find("a", "RS256")


def test_many_requests_with_a_new_key_are_one_fetch_and_all_succeed() -> None:
    source = Source("a")
    with running(source, replace(SCHEDULE, floor=0.05)) as provider:
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


def test_only_some_wait_for_new_keys_and_nobody_for_known_ones() -> None:
    source = Source("a")
    schedule = replace(SCHEDULE, floor=0, patience=5, waiting=3)
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


def test_a_refresh_that_takes_long_keeps_nobody_with_a_known_key_waiting() -> None:
    source, begun = Source("a"), threading.Event()

    def fetch() -> KeySet:
        if source.fetches:
            begun.set()
        return source()

    with running(fetch, replace(SCHEDULE, refresh=0.01, floor=0.01)) as provider:
        provider.find("a", "RS256")
        source.goes_on.clear()
        assert begun.wait(5)
        assert provider.find("a", "RS256")
        assert not source.goes_on.is_set()
        source.goes_on.set()


def test_before_there_are_keys_all_wait_for_them() -> None:
    source = Source("a")
    source.goes_on.clear()
    with running(source, replace(SCHEDULE, waiting=0)) as provider, ThreadPoolExecutor(5) as pool:
        found = [pool.submit(provider.find, "a", "RS256") for _ in range(5)]
        source.goes_on.set()

    assert all(each.result() for each in found)


def test_nobody_waits_longer_than_patience() -> None:
    source = Source("a")
    source.goes_on.clear()
    with running(source, replace(SCHEDULE, patience=0.05)) as provider:
        with pytest.raises(Unavailable) as failure:
            provider.find("a", "RS256")
        source.goes_on.set()

    assert int(failure.value.headers["Retry-After"]) > 0


def test_a_provider_that_hangs_longer_than_it_may_keeps_nobody_waiting() -> None:
    source = Source("a")
    # The first keys have to come within the patience, however busy the machine is.
    with running(source, replace(SCHEDULE, floor=0.01, patience=1)) as provider:
        provider.find("a", "RS256")
        time.sleep(0.02)
        source.goes_on.clear()
        began = time.monotonic()
        for _ in range(40):
            assert provider.find("made up", "RS256") is None
        waited = time.monotonic() - began
        source.goes_on.set()

    assert waited < 40
