"""The bytecode of libraries, compiled once for all environments of a test run; programs of pipelines use it, too."""

import fcntl
import subprocess
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
        for compiled in kept.rglob("*.pyc"):
            ours = site / compiled.relative_to(kept)
            # Only beside its source: a folder of bytecode alone is a package that can be imported, and is empty.
            if ours.parent.with_name(f"{ours.name.partition('.')[0]}.py").exists():
                _link(compiled, ours)
        subprocess.run([environment / "bin/python", "-m", "compileall", "-q", site], check=True, capture_output=True)
        for compiled in site.rglob("*.pyc"):
            _link(compiled, kept / compiled.relative_to(site))


def _link(there: Path, here: Path) -> None:
    if not here.exists():
        here.parent.mkdir(parents=True, exist_ok=True)
        here.hardlink_to(there)
