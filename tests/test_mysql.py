"""What needs MySQL itself; all else where MySQL is chosen is tried on MariaDB."""

from pathlib import Path

import pytest

from tests.conftest import Install
from tests.mysql import new_mysql_database
from tests.servers import ServerMissingError
from tests.service import UNMEASURED


def test_passes_the_tests_that_use_the_database(install: Install, shared: Path) -> None:
    service = install({"framework": "flask", "database": "mysql", "auth": "jwt", "example": True})
    try:
        url = new_mysql_database(shared)
    except ServerMissingError as missing:
        pytest.skip(str(missing))
    service = service.with_settings({"DATABASE_URL": url, **UNMEASURED})
    service.run("uv", "run", "just", "migrate")
    assert " passed" in service.run("uv", "run", "pytest", "-q", "tests/integration", "tests/contract/test_orders.py")
