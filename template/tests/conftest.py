"""Where tests run, the fixtures are loaded, and what is loaded by then is not looked at as garbage."""

import gc

import pytest
import xdist


def pytest_sessionstart(session: pytest.Session) -> None:
    # The process that hands the tests out to others needs no fixtures, and so not the service.
    if not xdist.is_xdist_controller(session):
        gc.disable()
        session.config.pluginmanager.import_plugin("tests.fixtures")


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()
