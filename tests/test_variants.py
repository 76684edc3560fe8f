"""Every variant is installed and passes its own checks on its real database."""

import pytest

from tests.conftest import Install, NewDatabase
from tests.rendering import Answers, variant_cases


@pytest.mark.parametrize("answers", variant_cases())
def test_passes_its_own_checks(install: Install, new_database: NewDatabase, answers: Answers) -> None:
    service = install(answers).with_settings(new_database(answers["database"]))
    service.run("uv", "run", "just", "check")
