"""Granian, set up from our settings: the one server, whichever framework answers."""

import asyncio
import math
import os
import signal
import socket
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import structlog
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from app.auth import style
from app.core import state
from app.core.errors import SettingsError
from app.core.settings import Settings
from app.db.database import Database
from app.observability.logging import configure_logging, logging_config

_log = structlog.get_logger("app.server")
_BACKLOG = 1024
_SMALLEST_BUFFER = 8 * 1024  # hyper's own
_OPEN_FILES = "/proc/self/fd"
# What a process has open besides the connections of clients: its log, the database's, the loop's own.
_OTHER_FILES = 64


def run(target: str, settings: Settings, *, reload: bool) -> None:
    """Serve the ASGI application that `target` (`module:factory`) makes until SIGTERM or SIGINT.

    Requests that are under way are finished.

    Raises:
        SettingsError: the settings do not say what is needed to serve, or PORT is taken.
    """
    configure_logging(settings.log_level)
    # Workers are processes of their own: say here, once and in one sentence, what is wrong.
    Database(settings).dispose()
    style.check(settings)
    host, port = _free_address(settings)
    connections = most_connections(settings)
    if connections < settings.max_connections:
        _log.warning("fewer_connections", max_connections=settings.max_connections, possible=connections)
    patience = settings.shutdown_delay_seconds + settings.request_timeout_seconds
    Granian(
        target,
        factory=True,
        interface=Interfaces.ASGI,
        address=host,
        port=port,
        workers=settings.workers,
        respawn_failed_workers=True,
        workers_kill_timeout=math.ceil(patience) + 1,
        # There are none here: a request to upgrade is answered like any other (RFC 9110, 7.8).
        websockets=False,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=round(settings.idle_seconds * 1000),
            max_buffer_size=max(settings.max_head_bytes, _SMALLEST_BUFFER),
        ),
        backlog=_BACKLOG,
        backpressure=connections,
        log_level=LogLevels(settings.log_level.lower()),
        log_dictconfig=logging_config(settings.log_level),
        reload=reload,
        reload_paths=[Path("app")],
    ).serve()


@asynccontextmanager
async def running(settings: Settings) -> AsyncGenerator[None]:
    """Be a process of the service: enter it when the application starts, in its loop, and leave it when it stops.

    On SIGTERM, /readyz says that this process goes, SHUTDOWN_DELAY_SECONDS before it stops taking requests; the log
    says when no more connections are taken.
    """
    if threading.current_thread() is threading.main_thread():
        _drain_before_stopping(settings.shutdown_delay_seconds)
    watch = asyncio.create_task(watch_connections(most_connections(settings)))
    try:
        yield
    finally:
        watch.cancel()


def _drain_before_stopping(delay: float) -> None:
    loop = asyncio.get_running_loop()

    def drain() -> None:
        state.drain()
        # The server's own handler of SIGINT stops it gracefully; ours has taken the place of its one of SIGTERM.
        loop.call_later(delay, signal.raise_signal, signal.SIGINT)

    with suppress(NotImplementedError):  # on Windows
        loop.add_signal_handler(signal.SIGTERM, drain)


def most_connections(settings: Settings) -> int:
    """Return how many connections a process may have: MAX_CONNECTIONS, or what the limit of open files leaves.

    Raises:
        SettingsError: it leaves none.
    """
    try:
        import resource  # noqa: PLC0415 - Windows has none
    except ImportError:
        return settings.max_connections
    others = 2 * settings.database_pool_size + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = settings.max_connections + others
    if soft < wanted:
        soft = min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    possible = min(settings.max_connections, soft - others)
    if possible < 1:
        msg = f"MAX_CONNECTIONS: this process may open {soft} files only, which leaves none for connections."
        raise SettingsError(msg)
    return possible


async def watch_connections(most: int, every: float = 5.0) -> None:
    """Warn, every so many seconds, while this process has about as many connections open as it takes.

    The server does not say so. Each connection is an open file, and so is each of the database's.
    """
    before = _open_files()
    while True:
        await asyncio.sleep(every)
        opened = _open_files() - before
        if opened >= most:
            _log.warning("connections_exhausted", max_connections=most, open=opened)


def _open_files() -> int:
    """Return how many files this process has open; 0 where the system does not say, as on macOS."""
    try:
        return len(os.listdir(_OPEN_FILES))  # noqa: PTH208 - iterdir would make a path of each
    except OSError:
        return 0


def _free_address(settings: Settings) -> tuple[str, int]:
    """Return the address and the port to listen at.

    Each worker listens with a socket of its own (SO_REUSEPORT), and so would a second service, unnoticed.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            host, port, *_ = probe.getsockname()
    except OSError as error:
        msg = f"HOST, PORT: {settings.host}:{settings.port} cannot be listened at: {error.strerror or error}."
        raise SettingsError(msg) from error
    return host, port
