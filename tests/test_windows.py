"""A service needs nothing that only Unix has: here it runs without that. On Windows itself it was not tried."""

import pytest

from tests.conftest import Install
from tests.rendering import choices
from tests.service import UNMEASURED

# asyncio and subprocess of this system need them, and keep what they have imported.
WITHOUT = """
import asyncio, multiprocessing, os, signal, subprocess, sys

for name in ("fcntl", "grp", "pwd", "resource", "syslog", "termios"):
    sys.modules[name] = None
for name in ("fork", "killpg", "register_at_fork", "setsid"):
    delattr(os, name)
for name in ("SIGHUP", "SIGKILL", "SIGUSR1", "pthread_sigmask"):
    delattr(signal, name)
"""
CALLS = """
import without_unix, sys
sys.argv = ["app", *sys.argv[1:]]
from app.__main__ import main
main()
"""


@pytest.mark.parametrize("framework", choices("framework"))
@pytest.mark.parametrize("auth", ["jwt", "oidc"])
def test_a_service_runs_without_what_windows_lacks(install: Install, framework: str, auth: str) -> None:
    service = install({"framework": framework, "database": "sqlite", "auth": auth})
    (service.directory / "without_unix.py").write_text(WITHOUT, "utf-8")
    for arguments in (["openapi", "--check"], ["errors", "--check"], ["migrate"], ["--help"]):
        service.run("uv", "run", "python", "-c", CALLS, *arguments)
    tests = ("tests/contract/test_operations.py", "tests/contract/test_orders.py", "tests/integration/test_database.py")
    command = ("uv", "run", "python", "-m", "pytest", "-n", "0", "-p", "without_unix", *tests)
    assert " passed" in service.with_settings(UNMEASURED).run(*command)
