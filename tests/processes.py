"""Run commands, and wait for services to become ready."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import httpx2

COMMAND_SECONDS = 1200
START_SECONDS = 60
READINESS = "/readyz"
STOP_SECONDS = 30
ABORT_SECONDS = 2


def inherited() -> dict[str, str]:
    """Return the environment of this test run without its own settings, which are not those of a service's tests."""
    own = {name for name in os.environ if name.startswith(("PYTEST_", "COV_", "TEST_"))} - {"PYTEST_DEBUG_TEMPROOT"}
    return {name: value for name, value in os.environ.items() if name not in own}


def completed(
    command: Sequence[str],
    *,
    status: int = 0,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    seconds: int = COMMAND_SECONDS,
) -> "subprocess.CompletedProcess[str]":
    """Return what a command printed; it has to end with `status`, before `seconds` have passed."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen(
            command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
        )
        try:
            how = f"exited with {process.wait(seconds)}"
        except subprocess.TimeoutExpired:
            how = f"did not end within {seconds} s"
            # It makes pytest say where each of its threads is.
            os.killpg(process.pid, signal.SIGABRT)
            time.sleep(ABORT_SECONDS)
            kill_group(process)
        except BaseException:
            kill_group(process)
            raise
        out.seek(0)
        err.seek(0)
        result = subprocess.CompletedProcess(list(command), process.returncode, out.read(), err.read())
    printed = f"{' '.join(command)} {how}\n{result.stdout}\n{result.stderr}"
    assert how == f"exited with {status}", printed[-20_000:]
    return result


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """End whatever is left of a command that has a session of its own, and of its children."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait(STOP_SECONDS)


def wait_until_ready(
    url: str, log: Callable[[], str], *, lives: Callable[[], bool] = lambda: True, probe: str = READINESS
) -> None:
    """Return once the service at `url` says that it can work; if it does not, or ends, fail and show its `log`."""
    deadline = time.monotonic() + START_SECONDS
    # One client: each loads the certificates of the machine, in the time that the service needs to start.
    with httpx2.Client() as client:
        while time.monotonic() < deadline:
            assert lives(), f"it ended\n{log()[-20_000:]}"
            try:
                if client.get(f"{url}{probe}").status_code == httpx2.codes.OK:
                    return
            except httpx2.TransportError:
                pass
            time.sleep(0.1)
    message = f"not ready after {START_SECONDS} s\n{log()[-20_000:]}"
    raise AssertionError(message)
