"""What needs MySQL itself; all else where MySQL is chosen is tried on MariaDB."""

from pathlib import Path

import pytest

from tests.conftest import Install
from tests.containers import PROGRAMS
from tests.mysql import new_mysql_database
from tests.service import UNMEASURED


@pytest.mark.parametrize("framework", ["flask"])
def test_passes_the_tests_that_use_the_database(install: Install, shared: Path, framework: str) -> None:
    service = install({"framework": framework, "database": "mysql", "auth": "jwt", "example": True})
    service = service.with_settings({"DATABASE_URL": new_mysql_database(shared), **UNMEASURED})
    service.run("uv", "run", "just", "migrate")
    printed = service.run("uv", "run", "pytest", "-q", "tests/integration", "tests/contract", "-k", "not schemathesis")
    assert " passed" in printed
