"""The bytecode of libraries, compiled once for all environments of a test run; programs of pipelines use it, too."""

import fcntl
import os
import subprocess
from contextlib import suppress
from importlib.metadata import PathDistribution
from pathlib import Path


def compile_bytecode(environment: Path, store: Path) -> None:
    """Compile the libraries of a new environment, and keep that in `store` for the next ones.

    uv links the same files into all of them, so that what is compiled for one holds for all; Python would compile 3,000
    files again for each.
    """
    (site,) = environment.glob("lib/python*/site-packages")
    kept = store / site.parent.name
    kept.mkdir(parents=True, exist_ok=True)
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        libraries = list(site.glob("*.dist-info"))
        if new := [library for library in libraries if not (kept / library.name).exists()]:
            _compile(environment / "bin/python", new, kept)
        for library in libraries:
            _link(kept / library.name, site)


def _compile(python: Path, libraries: list[Path], kept: Path) -> None:
    """Compile `libraries`, and keep what is compiled of each in a folder of its name."""
    sources = {library: _sources(library) for library in libraries}
    every = "\n".join(str(library.parent / source) for library in libraries for source in sources[library])
    subprocess.run(
        [python, "-m", "compileall", "-q", "-i", "-"], input=every, text=True, check=True, capture_output=True
    )
    for library in libraries:
        partial = kept / f"{library.name}.partial"
        for source in sources[library]:
            folder = source.parent / "__pycache__"
            for compiled in (library.parent / folder).glob(f"{source.stem}.*.pyc"):
                (partial / folder).mkdir(parents=True, exist_ok=True)
                (partial / folder / compiled.name).hardlink_to(compiled)
        partial.mkdir(exist_ok=True)
        partial.rename(kept / library.name)


def _sources(library: Path) -> list[Path]:
    return [Path(path) for path in PathDistribution(library).files or () if path.suffix == ".py"]


def _link(kept: Path, site: Path) -> None:
    """Link what is compiled of one library to its place, where nothing is."""
    for folder, _, names in os.walk(kept):
        here = site / Path(folder).relative_to(kept)
        if names:
            here.mkdir(exist_ok=True)
        for name in names:
            with suppress(FileExistsError):
                os.link(f"{folder}/{name}", here / name)
