import asyncio
import json
import resource
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import uvloop

from app.core import state
from app.core.errors import SettingsError
from app.core.settings import Settings, load_settings
from app.http import server
from app.observability.logging import configure_logging
from tests.metrics import value_of

_FILES = 1024 * 1024


def _limited(monkeypatch: pytest.MonkeyPatch, soft: int, hard: int) -> list[tuple[int, int]]:
    """Let the system allow so many open files; return where it is told of another limit."""
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: told.append(limits))
    return told


class TestAddress:
    def test_a_port_that_is_taken_is_named(self, settings: Settings) -> None:
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            busy = settings.model_copy(update={"host": "127.0.0.1", "port": taken.getsockname()[1]})

            with pytest.raises(SettingsError, match=f"PORT: cannot listen on 127.0.0.1:{busy.port}"):
                server.run("app.main:create_app", busy, reload=False)

    def test_a_host_that_is_not_here_is_named(self, settings: Settings) -> None:
        elsewhere = settings.model_copy(update={"host": "192.0.2.1"})

        with pytest.raises(SettingsError, match="HOST"):
            server.run("app.main:create_app", elsewhere, reload=False)


class TestStop:
    """A worker starts its application in one run of its loop, and serves in the next one."""

    @pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
    def loop(self, request: pytest.FixtureRequest) -> Iterator[asyncio.AbstractEventLoop]:
        before = signal.getsignal(signal.SIGTERM)
        loop = request.param()
        yield loop
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGTERM, before)
        loop.close()

    @pytest.fixture
    def drained(self, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
        drained: list[bool] = []
        monkeypatch.setattr(state, "is_draining", lambda: bool(drained))
        monkeypatch.setattr(state, "drain", lambda: drained.append(True))
        return drained

    @pytest.mark.parametrize("moment", ["before the start", "in the start", "at its end", "after it"])
    def test_a_signal_is_never_lost(self, loop: asyncio.AbstractEventLoop, drained: list[bool], moment: str) -> None:
        stopped = asyncio.Event()

        def come(now: str) -> None:
            if now == moment:
                signal.raise_signal(signal.SIGTERM)

        async def start() -> None:
            come("in the start")
            server.drain_before_stopping(0.01)
            come("at its end")

        server.hold_stops()
        # The server's own.
        loop.add_signal_handler(signal.SIGTERM, print)
        loop.add_signal_handler(signal.SIGINT, stopped.set)
        come("before the start")
        loop.run_until_complete(start())
        come("after it")
        loop.run_until_complete(asyncio.wait_for(stopped.wait(), 10))

        assert drained == [True]

    def test_another_server_is_told_once(
        self, loop: asyncio.AbstractEventLoop, drained: list[bool], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Some break off what they are answering when SIGINT comes twice."""
        monkeypatch.setattr(server, "_UNTIL_HEARD_SECONDS", 0.01)
        told = []

        async def serve() -> None:
            server.drain_before_stopping(0)
            signal.raise_signal(signal.SIGTERM)
            await asyncio.sleep(0.1)

        loop.add_signal_handler(signal.SIGINT, told.append, "SIGINT")
        loop.run_until_complete(serve())

        assert (drained, told) == ([True], ["SIGINT"])


class TestConnections:
    def test_files_that_may_be_opened_are_asked_for(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        told = _limited(monkeypatch, 256, _FILES)

        assert server.allow_connections(settings) == settings.max_connections
        assert told == [(settings.max_connections + 3 * settings.database_pool_size + 64, _FILES)]

    def test_no_more_are_taken_than_there_are_files(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        _limited(monkeypatch, 256, 256)

        assert server.allow_connections(settings) == 256 - 64 - 3 * settings.database_pool_size

    @pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="this system does not tell")
    def test_the_log_says_when_some_wait(self, capfd: pytest.CaptureFixture[str]) -> None:
        async def watched(port: int, connections: int) -> None:
            with ExitStack() as stack:
                for _ in range(connections):
                    stack.enter_context(socket.create_connection(("127.0.0.1", port)))
                watch = asyncio.create_task(server.watch_connections(port, 5, every=0.01))
                await asyncio.sleep(0.1)
                watch.cancel()

        configure_logging("INFO")
        for connections, is_said in ((5, False), (6, True)):
            with socket.create_server(("127.0.0.1", 0)) as listening:
                asyncio.run(watched(listening.getsockname()[1], connections))
            assert is_said is ("connections_exhausted" in capfd.readouterr().out)
            assert (value_of("server_connections"), value_of("server_connections_max")) == (connections, 5)

    def test_one_that_the_kernel_tells_of_twice_counts_once(
        self, capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lines = [f"{number}: 0100007F:1F40 0100007F:{number:04X} 01 0 0" for number in range(3)]
        (tmp_path / "tcp").write_text("\n".join(["sl local rem st", *lines, *lines]), "utf-8")
        monkeypatch.setattr(server, "_CONNECTIONS", (str(tmp_path / "tcp"),))

        async def watched() -> None:
            for most in (3, 2):
                watch = asyncio.create_task(server.watch_connections(8000, most, every=0.01))
                await asyncio.sleep(0.1)
                watch.cancel()

        configure_logging("INFO")
        asyncio.run(watched())
        said = {json.loads(line)["open"] for line in capfd.readouterr().out.splitlines()}

        assert said == {3}

    def test_unlimited_files_keep_max_connections(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        told = _limited(monkeypatch, resource.RLIM_INFINITY, resource.RLIM_INFINITY)

        assert server.allow_connections(settings) == settings.max_connections
        assert told == []

    def test_a_limit_that_leaves_none_stops_the_start(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _limited(monkeypatch, 64, 64)

        with pytest.raises(SettingsError, match="64 files"):
            server.allow_connections(settings)


class TestStalledClients:
    @pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux has it")
    def test_connections_have_a_limit_from_when_the_server_listens(self) -> None:
        async def limits() -> list[int]:
            with socket.socket() as listening:
                listening.bind(("127.0.0.1", 0))
                watch = asyncio.create_task(server.cut_off_stalled({listening.getsockname()[1]}, 2.5, every=0.01))
                await asyncio.sleep(0.05)
                assert not watch.done()
                listening.listen()
                with socket.create_connection(listening.getsockname()):
                    early, _ = listening.accept()
                    await watch
                with socket.create_connection(listening.getsockname()):
                    late, _ = listening.accept()
                with early, late:
                    return [each.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) for each in (early, late)]

        assert asyncio.run(limits()) == [2500, 2500]


class TestClock:
    @pytest.mark.parametrize(
        ("changes", "seconds"),
        [
            ({}, 75),
            ({"keep_alive_seconds": 620}, 620),
            ({"head_timeout_seconds": 10}, 10),
            ({"head_timeout_seconds": 100}, 75),
        ],
    )
    def test_the_shorter_time_counts(self, changes: dict[str, float], seconds: float) -> None:
        assert load_settings(_env_file=None, **changes).idle_seconds == seconds
