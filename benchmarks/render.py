"""How long a rendering takes: `uv run python -m benchmarks.render`.

Runs `copier copy` as a user does, with each framework in turn, and prints for each the median and the range of some
runs, in seconds of real time and of processor time (git's included). The aim is under two seconds on an idle machine.
"""

import os
import statistics
import tempfile
import time
from pathlib import Path

from tests.processes import completed
from tests.rendering import TAG, choices, clone_template

RUNS = 7


def seconds(template: Path, destination: Path, framework: str) -> tuple[float, float]:
    """Return the real and the processor time of one rendering."""
    began, before = time.perf_counter(), sum(os.times()[:4])
    options = ["--quiet", "--defaults", "--vcs-ref", TAG, "--data", f"framework={framework}"]
    completed(["copier", "copy", *options, str(template), str(destination)])
    return time.perf_counter() - began, sum(os.times()[:4]) - before


def main() -> None:
    """Render in alternation and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        template = clone_template(Path(folder) / "template")
        times: dict[str, list[tuple[float, float]]] = {framework: [] for framework in choices("framework")}
        for run in range(RUNS):
            for framework, measured in times.items():
                measured.append(seconds(template, Path(folder) / f"{framework}-{run}", framework))
    for framework, measured in times.items():
        for kind, values in zip(("real", "processor"), zip(*measured, strict=True), strict=True):
            middle, low, high = statistics.median(values), min(values), max(values)
            print(f"{framework:8} {kind:9} {middle:.2f} s  ({low:.2f} to {high:.2f})")  # noqa: T201 - a command's result


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    main()
