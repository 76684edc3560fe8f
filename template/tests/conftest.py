"""Where tests run, plugins and fixtures are loaded, and what is loaded by then is not looked at as garbage."""

import gc
from importlib import import_module
from pathlib import Path

import pytest
import xdist
from xdist.workermanage import WorkerController


# Last, since coverage is measured by then: it would miss what was loaded before.
@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    # The process that hands the tests out runs none.
    if xdist.is_xdist_controller(session):
        return
    gc.disable()
    plugins = ["schemathesis.pytest.plugin", "tests.fixtures"]
    # What was just installed is compiled when it is loaded: every other process begins at the other end.
    if xdist.get_xdist_worker_id(session)[-1] in "13579":
        plugins.reverse()
    for plugin in plugins:
        session.config.pluginmanager.import_plugin(plugin)


def pytest_collection_finish() -> None:
    gc.freeze()
    # Few objects need it; after every 700 of them, which is Python's default, it takes a twentieth of the tests' time.
    gc.set_threshold(10_000)
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: WorkerController, error: object) -> None:
    """Say what is wrong with the server of the databases, for a process that ended early: nobody hears it from that."""
    if error is None and node.workeroutput["exitstatus"] == pytest.ExitCode.INTERRUPTED:
        with import_module("tests.databases").fresh_database(Path()):
            return
