"""The table of errors that a service starts with is what its code would write."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.rendering import CASES

CHECK = """
from pathlib import Path
from app.core.failures import with_table
page = Path("docs/errors.md").read_text("utf-8")
assert page == with_table(page), with_table(page)
"""


@pytest.mark.parametrize("project", CASES, indirect=True)
def test_the_table_is_current(project: Path) -> None:
    command = [sys.executable, "-B", "-c", CHECK]
    run = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert 0 == run.returncode, run.stderr
