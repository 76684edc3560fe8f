"""Every operation, called with what its schema allows and with what it forbids, answers as documented.

Each is called at the limits of its schema that Schemathesis derives; `just fuzz` adds random requests, others
each time, or the same with a number in FUZZ_SEED and the option --hypothesis-seed.
"""

import json
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings

from app.auth.principal import ADMIN
from app.core.scopes import SCOPES
from app.core.settings import Settings
from app.db.database import Database
from tests.callers import BROKEN_RULES, headers_for
from tests.client import open_application

_RANDOM = int(os.environ.get("FUZZ_EXAMPLES", "0"))
_SEED = os.environ.get("FUZZ_SEED", "" if _RANDOM else "1")
# What is valid by its schema can still meet the present state: a cursor of another list, a version that is gone.
_ACCEPTED = ["2xx", "304", "400", "401", "403", "404", "409", "412", "503"]
_CONFIG = schemathesis.Config.from_dict(
    {
        **({"seed": int(_SEED)} if _SEED else {}),
        # The test gives the credentials: what Schemathesis left out or spoiled would be sent all the same.
        "generation": {"with-security-parameters": False},
        "checks": {"positive_data_acceptance": {"expected-statuses": _ACCEPTED}},
    }
)
_MANY = 20
# What no schema can say, by the code of the detail. Add those that your services raise.
_RULES = {"unknown_reference", "reused", *BROKEN_RULES}


def _sampled(schema: dict[str, Any]) -> dict[str, Any]:
    """Return `schema` with a long list of values as the pattern that says the same.

    Schemathesis calls each operation with each value of a list, but with a few values that match a pattern.
    """
    values = schema.get("enum")
    if isinstance(values, list) and len(values) > _MANY and all(str(value).isalnum() for value in values):
        schema["pattern"] = f"^({'|'.join(schema.pop('enum'))})$"
    return schema


_DOCUMENT = json.loads(Path("openapi.json").read_text(encoding="utf-8"), object_hook=_sampled)

schema = schemathesis.openapi.from_dict(_DOCUMENT, config=_CONFIG)


@pytest.fixture(scope="module")
def application(settings: Settings) -> Generator[Any]:
    with open_application(settings) as application:
        yield application


@pytest.fixture
def admin(database: Database) -> dict[str, str]:
    return headers_for(database, "admin", list(SCOPES), [ADMIN])


@schema.parametrize()
@hypothesis_settings(
    phases=[Phase.explicit, *([Phase.generate] if _RANDOM else [])],
    max_examples=max(_RANDOM, 1),
    derandomize=not _RANDOM,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_operations_answer_as_documented(case: schemathesis.Case, application: Any, admin: dict[str, str]) -> None:
    # In process: also for what the checks send on their own.
    case.operation.app = case.operation.schema.app = application
    response = case.call(headers=admin)
    excluded = [schemathesis.checks.positive_data_acceptance] if _breaks_only_rules(response) else []
    case.validate_response(response, excluded_checks=excluded, headers=admin, transport_kwargs={"headers": admin})


def _breaks_only_rules(response: schemathesis.Response) -> bool:
    return response.status_code == 422 and {detail["code"] for detail in response.json()["details"]} <= _RULES
