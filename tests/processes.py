"""Commands, and services that get ready."""

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import httpx2

COMMAND_SECONDS = 300
START_SECONDS = 60


def completed(
    command: Sequence[str],
    *,
    status: int = 0,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    seconds: int = COMMAND_SECONDS,
) -> "subprocess.CompletedProcess[str]":
    """Return what a command printed; it has to end with `status`, before `seconds` have passed."""
    result = subprocess.run(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    printed = f"{' '.join(command)} exited with {result.returncode}\n{result.stdout}\n{result.stderr}"
    assert result.returncode == status, printed[-20_000:]
    return result


def wait_until_ready(url: str, log: Callable[[], str], *, lives: Callable[[], bool] = lambda: True) -> None:
    """Return once the service at `url` says that it can work; if it does not, or ends, fail and show its `log`."""
    deadline = time.monotonic() + START_SECONDS
    # One client: each loads the certificates of the machine, in the time that the service needs to start.
    with httpx2.Client() as client:
        while time.monotonic() < deadline:
            assert lives(), f"it ended\n{log()[-20_000:]}"
            try:
                if client.get(f"{url}/readyz").status_code == httpx2.codes.OK:
                    return
            except httpx2.TransportError:
                pass
            time.sleep(0.1)
    message = f"not ready after {START_SECONDS} s\n{log()[-20_000:]}"
    raise AssertionError(message)
