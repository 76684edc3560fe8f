"""What was not chosen leaves nothing in a rendering: no file, no code, no word in a document."""

import re

import pytest

from tests.conftest import Rendered
from tests.leftovers import ALLOWED, SIGNS, allowed, found, leftovers
from tests.rendering import ANSWERS_FILE, CASES, Answers, combinations, own_texts

VARIANT = {"framework": "fastapi", "database": "postgresql", "auth": "jwt", "example": True}
PLANTED = [
    ("app/main.py", "import flask"),
    ("app/db/migrate.py", 'if statement.startswith("PRAGMA"): ...'),
    ("app/db/types.py", "# MariaDB folds it."),
    ("app/db/dialect.py", "def is_sqlite() -> bool: ..."),
    ("app/api/deps.py", 'headers.getlist("x-api-key")'),
    ("tests/unit/test_more.py", "    issuer = OIDC"),
    ("docs/errors.md", "Kubernetes asks again."),
    (".gitlab-ci.yml", ""),
    ("deploy/kubernetes/base/job.yaml", ""),
]


@pytest.mark.parametrize("answers", CASES)
def test_what_was_not_chosen_leaves_nothing(rendered: Rendered, answers: Answers) -> None:
    assert [] == leftovers(own_texts(rendered(answers)), answers)


@pytest.mark.quick
@pytest.mark.parametrize(("name", "text"), PLANTED)
def test_a_violation_is_found(rendered: Rendered, name: str, text: str) -> None:
    texts = own_texts(rendered(VARIANT))
    violated = {**texts, name: f"{texts.get(name, '')}{text}\n"}
    assert [] == leftovers(texts, VARIANT)
    assert {name} == {line.partition(":")[0] for line in leftovers(violated, VARIANT)}


@pytest.mark.parametrize(("question", "choice"), SIGNS)
def test_what_was_chosen_shows(rendered: Rendered, question: str, choice: object) -> None:
    variant = {"framework": "fastapi", "database": "postgresql", "auth": "api_key", "example": True}
    texts = own_texts(rendered({**variant, question: [choice] if question == "deploy" else choice}))
    del texts[ANSWERS_FILE]
    assert re.search(SIGNS[question, choice], "\n".join(texts.values()), re.IGNORECASE)


def test_every_exception_is_needed(rendered: Rendered) -> None:
    renderings = [{"framework": "flask", "database": "sqlite", **rest} for rest in combinations("auth", "example")]
    words = [word for answers in renderings for word in found(own_texts(rendered(answers)), answers)]
    assert [] == [each for each in ALLOWED if each not in {allowed(*word) for word in words}]
