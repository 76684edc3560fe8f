"""A PostgreSQL server of a test's own, which can be restarted."""

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import START_SECONDS, Running, database_running, launch, start_postgresql


class Restartable:
    """A server that is stopped and started again at the same port, with its data."""

    def __init__(self) -> None:
        self._running = start_postgresql()
        self.url = self._running.url

    def restart(self) -> None:
        """End all connections, stop, and start again."""
        command = Path(f"/proc/{self._running.pid}/cmdline").read_text("utf-8").strip("\0").split("\0")
        self._stop(signal.SIGINT)
        owner = pwd.getpwuid(Path(self._running.home).stat().st_uid).pw_name if os.geteuid() == 0 else None
        process = launch(command, self._running.home, owner)
        self._running = database_running(process, self._running.home, self.url)

    def close(self) -> None:
        """Stop, and remove the data."""
        self._stop(signal.SIGINT)
        shutil.rmtree(self._running.home)

    def _stop(self, how: signal.Signals) -> None:
        os.kill(self._running.pid, how)
        _ended(self._running)


def _ended(server: Running) -> None:
    try:
        os.waitpid(server.pid, 0)
    except ChildProcessError:
        subprocess.run(["tail", f"--pid={server.pid}", "-f", "/dev/null"], check=True, timeout=START_SECONDS)


@contextmanager
def restartable_postgresql() -> Generator[Restartable]:
    server = Restartable()
    try:
        yield server
    finally:
        server.close()
