"""Counters: when they begin anew, how many there are, and what happens while their storage is away."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.limits import storages
from app.limits.counters import Counters
from app.limits.storages import Memory, StorageAway
from app.observability.logging import configure_logging
from tests.metrics import value_of

# Nothing listens on port 1.
_AWAY = "redis://:hunter2@127.0.0.1:1/0"


class TestMemory:
    def test_counts_until_the_time_is_over(self, monkeypatch: pytest.MonkeyPatch) -> None:
        now = 1000.0
        monkeypatch.setattr(time, "time", lambda: now)
        memory = Memory()
        first = [memory.count("a", 60) for _ in range(2)]
        now += 59
        late = memory.count("a", 60)
        now += 1
        anew = memory.count("a", 60)

        assert first == [(1, 60), (2, 60)]
        assert (late, anew) == ((3, 1), (1, 60))

    def test_what_is_cleared_begins_anew(self) -> None:
        memory = Memory()
        memory.count("a", 60)
        memory.clear("a", "b")

        assert memory.seconds_left("a") == 0
        assert memory.count("a", 60).number == 1

    def test_does_not_grow_without_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(storages, "_MOST_COUNTERS", 100)
        monkeypatch.setattr(storages, "_KEPT", 90)
        memory = Memory()
        for number in range(1000):
            memory.count(str(number), 60)

        assert len(memory._counters) <= 100  # noqa: SLF001 - what it keeps
        # Those that began last are kept.
        assert [memory.count(str(number), 60).number for number in (0, 999)] == [1, 2]

    def test_drops_first_what_is_over(self, monkeypatch: pytest.MonkeyPatch) -> None:
        now = 1000.0
        monkeypatch.setattr(time, "time", lambda: now)
        monkeypatch.setattr(storages, "_MOST_COUNTERS", 100)
        memory = Memory()
        memory.count("long", 3600)
        for number in range(99):
            memory.count(str(number), 60)
        now += 60
        memory.count("one more", 60)

        assert set(memory._counters) == {"long", "one more"}  # noqa: SLF001 - what it keeps

    def test_counts_each_of_many_at_once(self) -> None:
        memory = Memory()
        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(lambda _: memory.count("a", 60).number, range(500)))

        assert sorted(found) == list(range(1, 501))


class TestAway:
    def test_asks_again_only_after_a_pause(
        self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        configure_logging("INFO")
        now = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: now)
        counters, samples = Counters(_AWAY), [f"rate_limit_storage_{each}_total" for each in ("failures", "unasked")]
        before = [value_of(each) for each in samples]
        for _ in range(5):
            with pytest.raises(StorageAway):
                counters.ask(lambda storage: storage.count("a", 60))
        now += 6
        with pytest.raises(StorageAway):
            counters.ask(lambda storage: storage.count("a", 60))

        assert (counters.failures, counters.unasked) == (2, 4)
        assert [value_of(each) for each in samples] == [before[0] + 2, before[1] + 4]
        (line,) = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
        assert (line["event"], line["reason"]) == ("rate_limit_storage_away", "ConnectionError")
        assert "hunter2" not in str(line)

    def test_what_has_to_hold_is_counted_by_the_process(self) -> None:
        counters = Counters(_AWAY)

        assert [counters.ask_anyway(lambda storage: storage.count("a", 60).number) for _ in range(3)] == [1, 2, 3]
