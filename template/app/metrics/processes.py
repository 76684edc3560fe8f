"""One answer for several workers: each keeps its numbers in files of a directory that they share.

This is the multiprocess mode of prometheus_client, which looks for the directory in the environment when it is loaded.
"""

import os
import shutil
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from app.core.errors import SettingsError
from app.core.settings import get_settings

_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
# A file system in memory, which containers have even where they may write nowhere else.
_IN_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - the directory in it has a random name and is for this user only
_WORKER: Final = ".worker"
# A process has files of up to some MiB, and dies when it writes into one that finds no room.
_LEAST_FREE_BYTES: Final = 16 * 1024 * 1024


@contextmanager
def shared_directory(arguments: Sequence[str]) -> Generator[None]:
    """Context of the command line with `arguments`: in it, several workers have a directory for their numbers.

    Enter it before prometheus_client is imported. If the environment names a directory already, that one is used.
    """
    if arguments[:1] != ["serve"] or is_shared() or not _has_several_workers():
        yield
        return
    parent = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None
    with TemporaryDirectory(prefix="metrics-", dir=parent) as directory:
        os.environ[_VARIABLE] = directory
        try:
            yield
        finally:
            del os.environ[_VARIABLE]


def _has_several_workers() -> bool:
    with suppress(SettingsError):  # the command itself says so
        settings = get_settings()
        return settings.metrics_enabled and settings.workers > 1
    return False


def is_shared() -> bool:
    """Return whether this process is one of several that count together."""
    return _VARIABLE in os.environ


def join() -> None:
    """Note that this process counts with others, which later find out whether it is still there.

    If many have ended since the start and room gets short, what they have counted is dropped.
    """
    if not is_shared():
        return
    directory = _directory()
    (directory / f"{os.getpid()}{_WORKER}").touch()
    if shutil.disk_usage(directory).free < _LEAST_FREE_BYTES:
        for file in directory.glob("*.db"):
            if not _is_alive(int(file.stem.rpartition("_")[2])):
                file.unlink(missing_ok=True)


def processes_that_ended() -> list[int]:
    """Return the processes that have joined and are gone, each once."""
    marks = {int(mark.stem): mark for mark in _directory().glob(f"*{_WORKER}")}
    ended = [process for process in marks if not _is_alive(process)]
    for process in ended:
        marks[process].unlink(missing_ok=True)
    return ended


def _directory() -> Path:
    return Path(os.environ[_VARIABLE])


def _is_alive(process: int) -> bool:
    if not hasattr(os, "fork"):  # on Windows, where it would be sent a signal
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
