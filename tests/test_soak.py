"""A minute of what happens to services: `benchmarks/soak.py` does it for as long as one likes."""

import pytest

from benchmarks.soak import prepared, soak
from tests.conftest import Install
from tests.rendering import choices

SECONDS = 30.0


@pytest.mark.parametrize("framework", choices("framework"))
def test_no_answer_is_wrong_and_nothing_is_lost_or_left(install: Install, framework: str) -> None:
    service = install({"framework": framework, "database": "postgresql", "auth": "none", "example": True})
    with prepared(service) as (ready, server):
        report = soak(ready, server, SECONDS)

    assert [] == report.wrong[:20]
    assert set(report.faults) == {"the database is restarted", "a worker is killed", "the instances are replaced"}
    assert report.answers["201"] > 100
