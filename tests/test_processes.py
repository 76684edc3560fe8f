"""Commands that the tests run: one that hangs has to say where, since it may not do so again."""

import sys

import pytest

from tests.processes import completed
from tests.servers import free_port

HANGS = "import faulthandler, time; faulthandler.enable(); print('begun', flush=True); time.sleep(600)"


def test_a_command_that_hangs_is_ended_and_says_where_it_was() -> None:
    with pytest.raises(AssertionError, match="did not end within 5 s") as failure:
        completed([sys.executable, "-c", HANGS], seconds=5)
    assert "begun" in str(failure.value)
    assert 'File "<string>", line 1 in <module>' in str(failure.value)


def test_ports_are_none_that_the_system_gives_to_others() -> None:
    ports = [free_port() for _ in range(50)]
    assert 50 == len(set(ports))
    assert max(ports) < 32_768
