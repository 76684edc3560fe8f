"""The command line, called in process where that is enough: a process of its own takes a second."""

import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import NamedTuple
from unittest.mock import patch

import pytest

from app.__main__ import main
from app.core.settings import get_settings


class Outcome(NamedTuple):
    """What an operator sees."""

    code: int
    out: str
    err: str


def run_app(*arguments: str) -> Outcome:
    """Run `app` with `arguments` in the environment of the test."""
    out, err = StringIO(), StringIO()
    get_settings.cache_clear()
    with (
        patch.object(sys, "argv", ["app", *arguments]),
        # The log is the process's: it stays where the other tests look for it.
        patch("app.db.commands.configure_logging"),
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.raises(SystemExit) as stop,
    ):
        main()
    get_settings.cache_clear()
    # What the interpreter does with a text.
    refused = isinstance(stop.value.code, str)
    code = 1 if refused else int(stop.value.code or 0)
    return Outcome(code, out.getvalue(), err.getvalue() + (f"{stop.value.code}\n" if refused else ""))


def run_process(*arguments: str) -> Outcome:
    """Run `app` with `arguments` in a process of its own, as an operator does."""
    command = [sys.executable, "-m", "app", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    return Outcome(done.returncode, done.stdout, done.stderr)


def assert_refused(outcome: Outcome, *words: str) -> None:
    """Check that there was one sentence on standard error, with `words` in it, and nothing else."""
    assert outcome.code != 0
    assert outcome.out == ""
    assert outcome.err.startswith("Error: ")
    assert outcome.err.count("\n") == 1
    for word in words:
        assert word in outcome.err
