from collections.abc import Generator
from threading import Event, Thread
from typing import Any

import argon2
import pytest

from app.auth import passwords
from app.auth.passwords import Passwords
from app.core.errors import Unavailable

_PASSWORD = "correct horse battery staple"


@pytest.fixture
def ours() -> Passwords:
    return Passwords(memory_kib=64, iterations=1, concurrency=2)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int, int]]:
    """The parameters of each run of Argon2, in order."""
    done: list[tuple[int, int, int]] = []
    hash_, verify = argon2.PasswordHasher.hash, argon2.PasswordHasher.verify

    def counted_hash(self: argon2.PasswordHasher, *sent: Any, **named: Any) -> str:
        done.append((self.memory_cost, self.time_cost, self.parallelism))
        return hash_(self, *sent, **named)

    def counted_verify(self: argon2.PasswordHasher, stored: Any, password: Any) -> bool:
        parameters = argon2.extract_parameters(stored)
        done.append((parameters.memory_cost, parameters.time_cost, parameters.parallelism))
        return verify(self, stored, password)

    monkeypatch.setattr(argon2.PasswordHasher, "hash", counted_hash)
    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted_verify)
    return done


class TestHash:
    def test_it_is_argon2id_with_our_parameters(self, ours: Passwords) -> None:
        assert ours.hash(_PASSWORD).startswith("$argon2id$v=19$m=64,t=1,p=1$")

    def test_no_two_are_alike(self, ours: Passwords) -> None:
        assert ours.hash(_PASSWORD) != ours.hash(_PASSWORD)


class TestVerify:
    def test_the_right_one_is_right(self, ours: Passwords) -> None:
        assert ours.verify(_PASSWORD, ours.hash(_PASSWORD)) == (True, None)

    @pytest.mark.parametrize("sent", ["", "Correct horse battery staple", f"{_PASSWORD} ", f"{_PASSWORD}\0"])
    def test_any_other_is_wrong(self, ours: Passwords, sent: str) -> None:
        assert ours.verify(sent, ours.hash(_PASSWORD)) == (False, None)

    def test_letters_may_be_composed_in_either_way(self, ours: Passwords) -> None:
        composed, decomposed = "\u00e9t\u00e9 in Br\u00fcnn", "e\u0301te\u0301 in Bru\u0308nn"

        assert ours.verify(decomposed, ours.hash(composed)) == (True, None)
        assert ours.verify(composed, ours.hash(decomposed)) == (True, None)

    def test_a_hash_of_before_they_were_composed_is_replaced(self, ours: Passwords) -> None:
        decomposed = "e\u0301te\u0301 in Bru\u0308nn"
        is_right, new_hash = ours.verify(decomposed, argon2.PasswordHasher(1, 64, 1).hash(decomposed))

        assert is_right
        assert ours.verify("\u00e9t\u00e9 in Br\u00fcnn", new_hash) == (True, None)

    def test_nobodys_is_never_right(self, ours: Passwords) -> None:
        assert ours.verify(_PASSWORD, None) == (False, None)

    def test_an_unknown_user_costs_as_much_work(self, ours: Passwords, work: list[tuple[int, int, int]]) -> None:
        stored = ours.hash(_PASSWORD)
        work.clear()
        ours.verify("wrong", stored)
        for_a_wrong_one = work.copy()
        work.clear()
        ours.verify("wrong", None)

        assert for_a_wrong_one == work == [(64, 1, 1)]

    def test_rehashes_when_the_parameters_changed(self, ours: Passwords) -> None:
        stronger = Passwords(memory_kib=128, iterations=2, concurrency=2)
        is_right, new_hash = stronger.verify(_PASSWORD, ours.hash(_PASSWORD))

        assert is_right
        assert new_hash is not None
        assert new_hash.startswith("$argon2id$v=19$m=128,t=2,p=1$")
        assert stronger.verify(_PASSWORD, new_hash) == (True, None)

    def test_a_wrong_one_gets_none(self, ours: Passwords) -> None:
        stronger = Passwords(memory_kib=128, iterations=2, concurrency=2)

        assert stronger.verify("wrong", ours.hash(_PASSWORD)) == (False, None)


class TestConcurrency:
    @pytest.fixture
    def held(self, ours: Passwords, monkeypatch: pytest.MonkeyPatch) -> Generator[Event]:
        """Two threads that hash for as long as the event is not set."""
        running, release = [Event(), Event()], Event()
        hash_ = argon2.PasswordHasher.hash

        def slow(self: argon2.PasswordHasher, *sent: Any, **named: Any) -> str:
            next(each for each in running if not each.is_set()).set()
            release.wait(10)
            return hash_(self, *sent, **named)

        monkeypatch.setattr(argon2.PasswordHasher, "hash", slow)
        threads = [Thread(target=ours.hash, args=(_PASSWORD,)) for _ in range(2)]
        for thread, event in zip(threads, running, strict=True):
            thread.start()
            assert event.wait(5)
        yield release
        release.set()
        for thread in threads:
            thread.join()

    @pytest.mark.usefixtures("held")
    def test_more_than_there_is_memory_for_wait_and_are_then_refused(
        self, ours: Passwords, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(passwords, "_PATIENCE_SECONDS", 0.05)

        with pytest.raises(Unavailable, match="Too many users") as refusal:
            ours.verify(_PASSWORD, None)
        assert refusal.value.headers == {"Retry-After": "5"}

    def test_who_waits_gets_a_turn(self, ours: Passwords, held: Event) -> None:
        held.set()

        assert ours.verify(_PASSWORD, None) == (False, None)
