"""Where tests run, the fixtures are loaded, and what is loaded by then is not looked at as garbage."""

import gc
from importlib import import_module
from pathlib import Path

import pytest
import xdist


# Once the processes that the tests are handed out to were started, and load the service meanwhile.
@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    if xdist.is_xdist_controller(session):
        # What is wrong with the server of the databases is said here and once: nobody hears it from the others.
        with import_module("tests.databases").fresh_database(Path()):
            return
    gc.disable()
    session.config.pluginmanager.import_plugin("tests.fixtures")


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()
