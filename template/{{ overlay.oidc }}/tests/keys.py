"""Keys for a provider to fetch, without a network."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import Event

from app.auth.discovery import ProviderError
from app.auth.provider import Provider, Schedule
from app.auth.signing_keys import KeySet, SigningKey
from tests.tokens import rsa_key

SCHEDULE = Schedule(refresh=300, floor=10, stale=3600, patience=2, waiting=20)


class Source:
    """Where keys come from: `names` of keys, or a failure while that is None."""

    def __init__(self, *names: str) -> None:
        self.names: tuple[str, ...] | None = names
        self.fetches = 0
        self.goes_on = Event()
        self.goes_on.set()

    def __call__(self) -> KeySet:
        self.fetches += 1
        self.goes_on.wait(5)
        if self.names is None:
            raise ProviderError("https://id.example cannot be reached")
        public = rsa_key("first").public_key()
        return KeySet(SigningKey(name, frozenset({"RS256"}), public) for name in self.names)


@contextmanager
def running(source: Callable[[], KeySet], schedule: Schedule = SCHEDULE) -> Generator[Provider]:
    """Yield a provider with its thread, on the real clock."""
    provider = Provider(source, schedule)
    yield provider
    provider.close()
