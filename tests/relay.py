"""A TCP relay between a service and its database that can silently drop connections."""

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit, urlunsplit


class Relay:
    """Forwards connections to a server, and forgets those that are open when it is told to, as a firewall does."""

    def __init__(self, server: tuple[str, int], port: int = 0) -> None:
        self.server = server
        self.listener = socket.create_server(("127.0.0.1", port))
        self.open: list[_Connection] = []
        self.last_words: bytes | None = None
        """A client's message that still reaches the server; its connection is lost with it."""
        self.spared = 0
        """How many of those messages come before it."""

    @property
    def address(self) -> str:
        """Where the server is reached through this network."""
        return "{}:{}".format(*self.listener.getsockname())

    def forget(self) -> int:
        """Deliver nothing more over the open connections, and close none; return how many there were."""
        lost = [each for each in self.open if not each.is_closed and not each.is_lost.is_set()]
        for each in lost:
            each.is_lost.set()
        return len(lost)

    def is_the_last(self, data: bytes) -> bool:
        """Return whether a connection is lost with what a client has said on it."""
        if self.last_words is None or self.last_words not in data:
            return False
        self.spared -= 1
        return self.spared < 0

    def run(self) -> None:
        """Accept connections until this network is closed."""
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                self.open.append(_Connection(self, client, socket.create_connection(self.server)))

    def close(self) -> None:
        """Close all that is left."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for each in self.open:
            each.close()


class _Connection:
    def __init__(self, relay: Relay, client: socket.socket, server: socket.socket) -> None:
        self.relay = relay
        self.is_lost = threading.Event()
        self.is_closed = False
        self.ends = (client, server)
        for source, target in (self.ends, reversed(self.ends)):
            threading.Thread(target=self._forward, args=(source, target), daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if self.is_lost.is_set():
                    # It stays open, and nobody hears of what was sent.
                    continue
                if source is self.ends[0] and self.relay.is_the_last(data):
                    self.is_lost.set()
                target.sendall(data)
        if not self.is_lost.is_set():
            self.close()

    def close(self) -> None:
        self.is_closed = True
        for end in self.ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@contextmanager
def relayed(url: str, port: int = 0) -> Generator[tuple[Relay, str]]:
    """Yield a network to the server of `url`, at a `port` if it says which, and the URL that leads through it."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    relay = Relay((parts.hostname, parts.port or {"postgresql": 5432, "mysql": 3306}[parts.scheme]), port)
    thread = threading.Thread(target=relay.run)
    thread.start()
    credentials, _, _ = parts.netloc.rpartition("@")
    try:
        yield relay, urlunsplit(parts._replace(netloc=f"{credentials}@{relay.address}"))
    finally:
        relay.close()
        thread.join()
