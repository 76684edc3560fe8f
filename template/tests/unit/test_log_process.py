"""What a process logs that is not of one request: in its form for people, and when it crashes."""

import json
import os
import subprocess
import sys

import pytest

_PROGRAM = """
import threading, warnings
import structlog
from app.observability.logging import configure_logging

configure_logging("INFO", environment={environment!r})
structlog.get_logger("app").info("begun", password="planted", number=1)
warnings.warn("old", stacklevel=1)

def crash():
    raise LookupError("lost") from ValueError("the cause")

thread = threading.Thread(target=crash, name="feeder")
thread.start()
thread.join()
"""


def logged(environment: str) -> str:
    """Return what a program shows on a terminal."""
    ours, theirs = os.openpty()
    program = [sys.executable, "-c", _PROGRAM.format(environment=environment)]
    with subprocess.Popen(program, stdout=theirs, stderr=subprocess.PIPE) as process:  # noqa: S603 - our own
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 65536):
                shown += part
        except OSError:
            # Linux has this for the end.
            pass
        os.close(ours)
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == 0
    return shown.decode()


def test_in_development_a_terminal_shows_text() -> None:
    shown = logged("development")

    assert "\x1b[" in shown
    assert "planted" not in shown
    for text in ("begun", "UserWarning: old", "crash", "feeder", "LookupError: lost"):
        assert text in shown
    # One line each, as Python writes them.
    assert "\r\nValueError: the cause\r\n" in shown


@pytest.mark.parametrize("environment", ["production", "test"])
def test_elsewhere_each_line_is_one_object(environment: str) -> None:
    begun, warning, crash = map(json.loads, logged(environment).splitlines())

    assert (begun["event"], begun["number"], begun["password"]) == ("begun", 1, "[hidden]")
    assert "UserWarning: old" in warning["event"]
    assert (crash["event"], crash["thread"]) == ("crash", "feeder")
    assert "ValueError: the cause" in crash["exception"]
    assert "LookupError: lost" in crash["exception"]
