"""The server, Granian, configured from our settings."""

import asyncio
import math
import multiprocessing
import os
import signal
import socket
import stat
import threading
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import structlog
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from prometheus_client import Gauge

from app.core import features, state
from app.core.errors import SettingsError
from app.core.settings import Settings
from app.db.database import Database
from app.http import tasks
from app.observability.logging import configure_logging, logging_config

OPEN: Final = Gauge("server_connections", "Open connections of clients.", multiprocess_mode="livemax")
MOST: Final = Gauge("server_connections_max", "How many may be open; more wait.", multiprocess_mode="livemax")

_log = structlog.get_logger("app.server")
_BACKLOG = 1024
_EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - where it listens, not where it is called
_SMALLEST_BUFFER = 8 * 1024  # hyper's own
_CONNECTIONS = ("/proc/net/tcp", "/proc/net/tcp6")
_ESTABLISHED = "01"
_INTERNET = (socket.AF_INET, socket.AF_INET6)
# What a process has open besides the connections of clients: its log, the database's, the loop's own.
_OTHER_FILES = 64
# Connections that write, those that read, and those to a replica.
_POOLS = 3
_STOPPING = (signal.SIGTERM, signal.SIGINT)
_UNTIL_HEARD_SECONDS = 0.5


def run(target: str, settings: Settings, *, reload: bool) -> None:
    """Serve the ASGI application that `target` (`module:factory`) makes until SIGTERM or SIGINT.

    Requests that are under way are finished.

    Raises:
        SettingsError: the settings do not say what is needed to serve, or PORT is taken.
    """
    configure_logging(settings.log_level, settings.personal_data_key, environment=settings.environment)
    # Workers are processes of their own: say here, once and in one sentence, what is wrong.
    Database(settings).dispose()
    features.check(settings)
    host, port = _free_address(settings.host, settings.port)
    for further in settings.further_ports:
        _free_address(settings.host, further)
    connections = allow_connections(settings)
    if connections < settings.max_connections:
        _log.warning("fewer_connections", max_connections=settings.max_connections, possible=connections)
    _let_starting_workers_be_stopped()
    _log.info("serving", url=f"http://{'localhost' if host in _EVERYWHERE else host}:{port}{settings.root_path or ''}")
    patience = settings.shutdown_delay_seconds + settings.request_timeout_seconds + settings.shutdown_tasks_seconds
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
        http1_settings=http1_settings(settings),
        backlog=_BACKLOG,
        backpressure=connections,
        log_level=LogLevels(settings.log_level.lower()),
        log_dictconfig=logging_config(settings.log_level, settings.environment),
        **(_reloading() if reload else {}),
    ).serve()


def _reloading() -> dict[str, Any]:
    """Return the options that let workers start again, with the code as it is then, when a file changes."""
    # A forked worker has the modules of its parent, as they were before the change.
    multiprocessing.set_start_method("spawn", force=True)
    # Code that does not load, half written, is not the end of it: the next change is tried again.
    return {"reload": True, "reload_paths": [Path("app")], "reload_ignore_worker_failure": True}


def http1_settings(settings: Settings) -> HTTP1Settings:
    """Return what bounds a head, in bytes and in time."""
    return HTTP1Settings(
        header_read_timeout=round(settings.idle_seconds * 1000),
        max_buffer_size=max(settings.max_head_bytes, _SMALLEST_BUFFER),
    )


@asynccontextmanager
async def running(settings: Settings) -> AsyncGenerator[None]:
    """Context of one worker process, entered in its loop: drains on SIGTERM, and watches its connections.

    /readyz answers 503 for SHUTDOWN_DELAY_SECONDS before the server stops taking requests. Tasks that run on after
    a response have SHUTDOWN_TASKS_SECONDS to end. The log says when no more connections are taken. Clients that
    take nothing of what they have asked for are cut off.
    """
    if threading.current_thread() is threading.main_thread():
        drain_before_stopping(settings.shutdown_delay_seconds)
    most = settings.workers * allow_connections(settings)
    ports = {settings.port, *settings.further_ports}
    watches = [
        asyncio.create_task(watch_connections(settings.port, most)),
        asyncio.create_task(cut_off_stalled(ports, settings.idle_seconds)),
    ]
    try:
        yield
    finally:
        for watch in watches:
            watch.cancel()
        await tasks.finish(settings.shutdown_tasks_seconds)


def _let_starting_workers_be_stopped() -> None:
    """Let SIGTERM and SIGINT end a worker that is still starting.

    Until it sets its own handlers, it would run inherited ones, which do not stop it.
    """
    if not hasattr(os, "register_at_fork"):  # on Windows
        return

    def in_child() -> None:
        for each in _STOPPING:
            signal.signal(each, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)

    os.register_at_fork(
        before=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING),
        after_in_parent=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING),
        after_in_child=in_child,
    )


def drain_before_stopping(delay: float) -> None:
    """Let SIGTERM drain this worker: /readyz says so, and it stops `delay` seconds later."""
    loop = asyncio.get_running_loop()
    held = False

    def drain() -> None:
        if not state.is_draining():
            state.drain()
            loop.call_later(delay, end)

    def end() -> None:
        # The server's own handler of SIGINT stops it gracefully; ours has taken the place of its one of SIGTERM.
        signal.raise_signal(signal.SIGINT)
        if held:  # by our server, which may miss it; another one takes a second SIGINT for impatience
            loop.call_later(_UNTIL_HEARD_SECONDS, end)

    def stop(*_: object) -> None:
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(drain)

    with suppress(NotImplementedError):  # on Windows
        loop.remove_signal_handler(signal.SIGTERM)
        signal.signal(signal.SIGTERM, stop)
        held = signal.SIGTERM in signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)


def hold_stops() -> None:
    """Let signals to stop wait until this worker hears them, in `running`.

    uvloop loses those that come while it does not run, and the server sets its handlers before it runs the loop, once
    to start the application and again to serve.
    """
    if hasattr(signal, "pthread_sigmask"):  # not on Windows
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)


def allow_connections(settings: Settings) -> int:
    """Return how many connections a process may have: MAX_CONNECTIONS, or what the limit of open files leaves.

    The limit is raised as far as it is needed and the system lets it.

    Raises:
        SettingsError: it leaves none.
    """
    try:
        import resource  # noqa: PLC0415 - Windows has none
    except ImportError:
        return settings.max_connections
    others = _POOLS * settings.database_pool_size + _OTHER_FILES
    wanted = settings.max_connections + others
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return settings.max_connections
    if soft < wanted:
        raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(ValueError, OSError):  # where a sandbox does not allow it
            resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
            soft = raised
    possible = min(settings.max_connections, soft - others)
    if possible < 1:
        msg = f"MAX_CONNECTIONS: this process may open only {soft} files, which leaves none for connections."
        raise SettingsError(msg)
    return possible


async def cut_off_stalled(ports: Collection[int], seconds: float, every: float = 0.2) -> None:
    """Have connections to `ports` closed whose client takes nothing for so long, or is gone without a word.

    Only the system sees that (tcp(7), TCP_USER_TIMEOUT), and connections inherit it from the socket that listens. The
    server listens once the application has started.
    """
    if not hasattr(socket, "TCP_USER_TIMEOUT"):  # not Linux
        return
    while set(ports) - _limited(ports, round(seconds * 1000)):  # noqa: ASYNC110 - nobody tells of it
        await asyncio.sleep(every)


def _limited(ports: Collection[int], milliseconds: int) -> set[int]:
    """Set the limit for each socket of this process at one of `ports`; return at which of them it listens."""
    found = set[int]()
    for file in [int(each.name) for each in Path("/proc/self/fd").iterdir()]:
        with suppress(OSError):
            if not stat.S_ISSOCK(os.fstat(file).st_mode):
                continue
            with socket.socket(fileno=os.dup(file)) as own:
                port = own.getsockname()[1] if own.family in _INTERNET else -1
                if port not in ports:
                    continue
                own.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
                if own.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    found.add(port)
    return found


async def watch_connections(port: int, most: int, every: float = 5.0) -> None:
    """Count the connections to `port` every so many seconds; warn of more than `most`: some wait until others close.

    The server does not say so, and only Linux tells. Each worker counts those of all.
    """
    MOST.set(most)
    while True:
        await asyncio.sleep(every)
        opened = _established(port)
        OPEN.set(opened)
        if opened > most:
            _log.warning("connections_exhausted", max_connections=most, open=opened)


def _established(port: int) -> int:
    """Return how many connections lead to `port` of this machine or container; 0 where the system does not say."""
    # While others come and go, the kernel tells of one more than once.
    found: set[tuple[str, str]] = set()
    for table in _CONNECTIONS:
        with suppress(OSError), open(table, encoding="ascii") as lines:  # noqa: PTH123 - the path of a file of the kernel
            for line in lines:
                _, local, remote, state_, *_ = line.split()
                if state_ == _ESTABLISHED and local.endswith(f":{port:04X}"):
                    found.add((local, remote))
    return len(found)


def _free_address(host: str, port: int) -> tuple[str, int]:
    """Return the address and the port to listen at: as given, and free.

    Each worker listens with a socket of its own (SO_REUSEPORT), and so would a second service, unnoticed.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            free_host, free_port, *_ = probe.getsockname()
    except OSError as error:
        msg = f"HOST, PORT: cannot listen on {host}:{port}: {error.strerror or error}."
        raise SettingsError(msg) from error
    return free_host, free_port
