"""How long a new service takes until its tests have passed: `uv run python -m benchmarks.suites`.

Makes a service with FastAPI and JWT, which has the most tests, on each database in turn, and prints the median and the
range of some rounds, in seconds of real time: `copier copy`, `uv sync`, the first run of its tests, in which Python
compiles what was installed, the sum of these, and the next run. uv is offline, its cache warm. On two idle cores
the aims are less than 25 s for the sum and less than 15 s for the next run.
"""

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.processes import completed
from tests.rendering import TAG, choices, clone_template
from tests.servers import create_database, server_url, stop_servers
from tests.service import Service

ROUNDS = 3
STEPS = ("copy", "sync", "first run", "sum", "next run")


def seconds(work: Callable[[], object]) -> float:
    """Return the real time that `work` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measured(template: Path, directory: Path, database: str, settings: dict[str, str]) -> list[float]:
    """Return how long each of the steps takes."""
    service = Service(directory).with_settings(settings)
    answers = ["--data", "framework=fastapi", "--data", f"database={database}", "--data", "auth=jwt"]
    options = ["--quiet", "--defaults", "--vcs-ref", TAG, *answers]
    steps = [
        seconds(lambda: completed(["copier", "copy", *options, str(template), str(directory)])),
        seconds(lambda: service.run("uv", "sync")),
        seconds(lambda: service.run("uv", "run", "just", "test")),
    ]
    again = seconds(lambda: service.run("uv", "run", "just", "test"))
    shutil.rmtree(directory)
    return [*steps, sum(steps), again]


def main() -> None:
    """Measure in alternation and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        shared = Path(folder)
        template = clone_template(shared / "template")
        times: dict[str, list[list[float]]] = {database: [] for database in choices("database")}
        try:
            settings = {database: _settings(database, shared) for database in times}
            # The first round fills the caches.
            for connection in ({}, *[{"UV_OFFLINE": "1"}] * ROUNDS):
                for database, rounds in times.items():
                    rounds.append(measured(template, shared / "service", database, settings[database] | connection))
        finally:
            stop_servers(shared)
    for database, rounds in times.items():
        for step, values in zip(STEPS, zip(*rounds[1:], strict=True), strict=True):
            middle, low, high = statistics.median(values), min(values), max(values)
            print(f"{database:10} {step:9} {middle:5.1f} s  ({low:.1f} to {high:.1f})")  # noqa: T201 - a command's result


def _settings(database: str, shared: Path) -> dict[str, str]:
    # As many processes as a user's machine has cores.
    processes = {"PYTEST_XDIST_AUTO_NUM_WORKERS": str(os.cpu_count())}
    if database == "sqlite":
        return processes
    return {"DATABASE_URL": create_database(server_url(database, shared)), **processes}


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    main()
