"""An identity provider on this machine that does as it is told: it also fails, hangs, redirects and talks nonsense."""

import json
import ssl
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from tests.tokens import claims_of, jwk, rsa_key, signed

DISCOVERY = "/.well-known/openid-configuration"
KEYS = "/keys"


class LoopbackProvider:
    """Publishes `keys`. What `answers` has for a path is sent in place of that, as (status, headers, parts)."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.keys: list[dict[str, Any]] = [jwk(rsa_key("first"), "first")]
        self.document: dict[str, Any] = {"issuer": self.issuer, "jwks_uri": f"{self.issuer}{KEYS}"}
        self.answers: dict[str, tuple[int, dict[str, str], Iterable[bytes]]] = {}
        self.requests: list[str] = []
        self.goes_on = Event()
        self.goes_on.set()

    @property
    def fetches(self) -> int:
        """How often somebody has begun to ask for keys."""
        return self.requests.count(DISCOVERY)

    def token(self, key: str = "first", /, **claims: object) -> str:
        """Return a token that is valid, but for what `claims` change; it is signed by the key called `key`."""
        return signed({"alg": "RS256", "kid": key}, claims_of(self.issuer, **claims), rsa_key(key))

    def rotate(self, *names: str) -> None:
        """Publish the keys called `names` and no others."""
        self.keys = [jwk(rsa_key(name), name) for name in names]

    def answer(self, path: str) -> tuple[int, dict[str, str], Iterable[bytes]]:
        """Return what to say to a request for `path`."""
        self.requests.append(path)
        self.goes_on.wait(10)
        content = {DISCOVERY: self.document, KEYS: {"keys": self.keys}}.get(path)
        return self.answers.get(path) or (200 if content else 404, {}, [json.dumps(content).encode()])


@contextmanager
def running_provider(tls: ssl.SSLContext | None = None) -> Generator[LoopbackProvider]:
    """Yield a provider that answers, over TLS if that is given."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, parts = provider.answer(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                for part in parts:
                    self.wfile.write(part)
            except OSError:
                # Who asked has gone away: it had enough.
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    provider = LoopbackProvider(f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        provider.goes_on.set()
        server.shutdown()
        server.server_close()
        thread.join()
