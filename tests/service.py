"""A rendered service: installed once, then driven by its own commands, as its team would."""

import signal
import socket
import subprocess
from collections.abc import Collection, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.processes import COMMAND_SECONDS, READINESS, STOP_SECONDS, completed, inherited, kill_group, wait_until_ready
from tests.servers import free_port

# For a service's own tests without coverage, which doubles their time.
UNMEASURED = {"PYTEST_ADDOPTS": "--no-cov -W ignore::pytest_cov.CovDisabledWarning"}
# For tests that write more often than anybody should.
UNLIMITED = {"RATE_LIMIT_WRITES": "1000000/minute"}
# The service itself exits with 0; just waits for it, then says that it was asked to stop (128 + SIGTERM).
STOPPED = (0, 143)


@dataclass(frozen=True)
class Service:
    """A rendered project and the environment that its commands run in."""

    directory: Path
    settings: dict[str, str] = field(default_factory=dict)

    def run(self, *command: str, seconds: int = COMMAND_SECONDS) -> str:
        """Run a command in the project and return what it prints on standard output."""
        return completed(command, cwd=self.directory, env=self._environment(), seconds=seconds).stdout

    def fails(self, *command: str, status: int = 1) -> str:
        """Run a command that has to fail with `status`, and return what it prints."""
        result = completed(command, status=status, cwd=self.directory, env=self._environment())
        return result.stdout + result.stderr

    def with_settings(self, settings: dict[str, str]) -> "Service":
        """Return the same project with other settings in its environment."""
        return replace(self, settings={**self.settings, **settings})

    @contextmanager
    def serving(
        self, *command: str, codes: Collection[int] = STOPPED, ready: str = "", probe: str = READINESS
    ) -> Generator[str]:
        """Start the production command, yield its base URL once it is ready, and stop it as an orchestrator would.

        `command` is another one, if given, `codes` are the exit codes that say it was stopped well, and `ready` is the
        base URL where it says when it is ready, if that is another, and `probe` the path.
        """
        port = free_port()
        log = self.directory / "serve.log"
        environment = {**self._environment(), "HOST": "127.0.0.1", "PORT": str(port)}
        with log.open("wb") as output:
            process = subprocess.Popen(
                command or ("uv", "run", "just", "serve"),
                cwd=self.directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until_ready(
                ready or url, lambda: log.read_text("utf-8"), lives=lambda: process.poll() is None, probe=probe
            )
            yield url
            process.send_signal(signal.SIGTERM)
            code = process.wait(STOP_SECONDS)
            assert code in codes, f"SIGTERM ended it with {code}\n{log.read_text('utf-8')[-20_000:]}"
            assert not _listens(port), "the service goes on after the command that started it"
        finally:
            kill_group(process)

    def _environment(self) -> dict[str, str]:
        # Variants are tested side by side already; a process for each core again would only wait.
        own = {"UV_PYTHON_DOWNLOADS": "never", "PYTEST_XDIST_AUTO_NUM_WORKERS": "0"}
        return {**inherited(), **own, **self.settings}


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
