"""Gunicorn, set up from our settings."""

import errno
import math
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from socket import SHUT_RD, SHUT_WR, socket
from threading import Timer
from types import FrameType
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.http.errors import ParseException
from gunicorn.workers.gthread import _DEFER, DEFAULT_WORKER_DATA_TIMEOUT, TConn, ThreadWorker
from werkzeug.serving import WSGIRequestHandler

from app.core import state
from app.core.errors import AppError, BadRequest
from app.core.settings import Settings
from app.http.connections import KEEP_ALIVE_SECONDS
from app.http.responses import message

_FIRST_BYTE_SECONDS = 0.1
_GOODBYE_SECONDS = 1.0
_MEMORY = Path("/dev/shm")  # noqa: S108 - holds the workers' heartbeats, which need a writable folder


class ServerLog(Logger):
    """Gunicorn's own messages, which go where all others go."""

    def setup(self, cfg: Any) -> None:  # noqa: ANN401 - gunicorn has no types
        super().setup(cfg)
        self.error_log.propagate = True


class Worker(ThreadWorker):
    """Threads that no client can hold for longer than a request may take, and that drain before they stop."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Let /readyz say that this process goes, some time before it stops taking requests."""
        state.drain()
        Timer(self.app.settings.shutdown_delay_seconds, super().handle_exit, (sig, frame)).start()

    def set_accept_enabled(self, enabled: bool) -> None:  # noqa: FBT001 - as in the base class
        """Take new connections or none; once this process stops, they are refused rather than left waiting."""
        super().set_accept_enabled(enabled)
        if not self.alive:
            for listener in self.sockets:
                listener.close()

    def handle(self, conn: TConn) -> object:
        """Answer the next request of a connection, in a thread."""
        if not conn.initialized:
            # Who only connects, to have a connection ready, waits without a thread.
            if not conn.wait_for_data(_FIRST_BYTE_SECONDS):
                return _DEFER
            conn.init()
        _bound(conn.parser, DEFAULT_WORKER_DATA_TIMEOUT)
        outcome = super().handle(conn)
        if not outcome:
            _say_goodbye(conn.sock)
        return outcome

    def handle_request(self, req: Any, conn: TConn) -> object:  # noqa: ANN401 - gunicorn has no types
        """Answer a request whose head was read."""
        _bound(conn.parser, self.app.settings.request_timeout_seconds)
        must_close = req.should_close
        # Gunicorn would promise to keep the connection, and close it when the rest of the body is long.
        req.should_close = lambda: must_close() or _has_more(req.body.reader)
        return super().handle_request(req, conn)

    def handle_error(self, req: object, client: socket, addr: object, exc: Exception) -> None:  # noqa: ARG002
        """Answer what never reached the application."""
        if isinstance(exc, ParseException):
            # Its message holds what the client sent.
            self.log.warning("Invalid request: %s", type(exc).__name__)
            error: AppError = BadRequest()
        else:
            self.log.error("Error handling request", exc_info=exc)
            error = AppError()
        with suppress(OSError):
            client.sendall(message(error))


def _bound(parser: Any, seconds: float) -> None:  # noqa: ANN401 - gunicorn has no types
    """Give the client of a connection `seconds` to send what is awaited; gunicorn would wait for ever."""
    unreader, deadline = parser.unreader, time.monotonic() + seconds
    sock, receive = unreader.sock, type(unreader).chunk

    def chunk(size_hint: int | None = None) -> bytes:
        if sock.gettimeout() is not None:
            # Gunicorn has set a shorter limit, to discard a body that nobody read.
            return receive(unreader, size_hint)
        sock.settimeout(max(deadline - time.monotonic(), 0.001))
        try:
            return receive(unreader, size_hint)
        except TimeoutError:
            # Gunicorn closes the connection, and does not log what has this number.
            raise TimeoutError(errno.ECONNRESET, "The client is too slow.") from None
        finally:
            sock.settimeout(None)

    unreader.chunk = chunk


def _say_goodbye(sock: socket) -> None:
    """Wait for the client to close the connection (RFC 9112, 9.6); gunicorn would let all others wait too."""
    with suppress(OSError):
        sock.shutdown(SHUT_WR)
        sock.settimeout(_GOODBYE_SECONDS)
        deadline = time.monotonic() + _GOODBYE_SECONDS
        while sock.recv(65536) and time.monotonic() < deadline:
            pass
    with suppress(OSError):
        sock.shutdown(SHUT_RD)


def _has_more(reader: Any) -> bool:  # noqa: ANN401 - gunicorn has no types
    """Return whether `reader`, of a body with a length or in chunks, was not read to its end."""
    return bool(getattr(reader, "length", 0) or getattr(reader, "parser", None))


class Server(BaseApplication):
    """Gunicorn's master process: as many workers as WORKERS says, with a thread for each database connection."""

    def __init__(self, create_app: Callable[[], Flask], settings: Settings) -> None:
        self.create_app = create_app
        self.settings = settings
        super().__init__()

    def load_config(self) -> None:
        settings = self.settings
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        patience = settings.shutdown_delay_seconds + settings.request_timeout_seconds
        options: dict[str, object] = {
            "bind": f"{host}:{settings.port}",
            "workers": settings.workers,
            "worker_class": Worker,
            # More threads would wait for a connection, fewer would leave some unused.
            "threads": settings.database_pool_size,
            "keepalive": KEEP_ALIVE_SECONDS,
            "graceful_timeout": math.ceil(patience) + 1,
            "forwarded_allow_ips": ",".join(settings.trusted_proxies),
            "limit_request_line": 8190,
            "logger_class": ServerLog,
            "loglevel": settings.log_level.lower(),
            "errorlog": None,
            "control_socket_disable": True,
            "worker_tmp_dir": str(_MEMORY) if _MEMORY.is_dir() else None,
        }
        config: Any = self.cfg
        for name, value in options.items():
            config.set(name, value)

    def load(self) -> Flask:
        return self.create_app()


class QuietRequestHandler(WSGIRequestHandler):
    """The development server's handler, without its own line a request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass
