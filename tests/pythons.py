"""The Python interpreters of this machine."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from tests.rendering import choices


@cache
def interpreters() -> dict[str, Path]:
    """Return the interpreter of each version that a service can run in production and that this machine has."""
    found = {version: _find(version) for version in choices("python_version")}
    return {version: path for version, path in found.items() if path is not None}


def _find(version: str) -> Path | None:
    name = f"python{version}"
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates = [shutil.which(name), *sorted(pyenv.glob(f"versions/{version}.*/bin/{name}"))]
    # A name on the path may be a shim for a version that is not active.
    return next((Path(path) for path in candidates if path and _answers(path, version)), None)


def _answers(path: str | Path, version: str) -> bool:
    command = [str(path), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stdout.strip() == version
