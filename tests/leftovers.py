"""Find traces of options that were not chosen."""

import re
from typing import NamedTuple

from tests.rendering import ANSWERS_FILE, Answers, questions

# Words of each choice, searched for in the names and the text of all files: code, documents and configuration.
SIGNS: dict[tuple[str, object], str] = {
    ("framework", "fastapi"): r"fastapi|starlette|uvicorn|APIRouter",
    ("framework", "flask"): r"flask|werkzeug|wsgi|blueprint",
    ("database", "postgresql"): r"postgres|psycopg|libpq|asyncpg",
    ("database", "mysql"): r"mysql|mariadb|innodb|varbinary",
    ("database", "sqlite"): r"sqlite|pragma\b",
    ("auth", "jwt"): r"auth_jwt|argon2|zxcvbn|app users|refresh_token|/v1/auth",
    ("auth", "oidc"): r"oidc|openid|identity provider|jwks|pyjwt\[crypto\]",
    ("auth", "api_key"): r"api[ _-]?key|app keys",
    ("auth", "none"): r"anonymous",
    ("example", True): r"\borders\b|order_items|OrderCreate",
    ("ci", "github"): r"\.github|github actions",
    ("ci", "gitlab"): "gitlab",
    ("ci", "azure"): "azure.pipelines",
    ("ci", "bitbucket"): "bitbucket",
    ("ci", "circleci"): "circleci",
    ("ci", "jenkins"): "jenkins",
    ("ci", "none"): r"how to build and run the\nimage\.",
    ("deploy", "compose"): r"\bcompose\b|caddy",
    ("deploy", "kubernetes"): r"kubernetes|kubectl|kustom|kubelet",
    ("catalog", True): r"backstage|catalog-info",
    ("license", "MIT"): r"\bMIT\b",
    ("license", "Apache-2.0"): r"\bApache\b",
    ("license", "BSD-3-Clause"): "BSD.3-Clause",
}


class Allowed(NamedTuple):
    """Words that may stand in a file, a regular expression, although nobody chose what they are about, and why."""

    file: str
    words: str
    reason: str


ALLOWED = (
    Allowed(
        r"app/observability/logging\.py|tests/unit/test_logging\.py",
        r"api[_-]?key",
        "a log hides the secrets of whatever the service calls",
    ),
    Allowed(r"app/observability/logging\.py", "anonymous", "it is nobody's name in any log, so it is not hidden"),
    Allowed(
        r"app/db/dialect\.py", "postgres", "migrations of SQLite are judged in another SQL: its own needs a database"
    ),
    Allowed(r"tests/unit/test_kinds\.py", "kubernetes", "clusters make tokens of one of the kinds that are told apart"),
)


def leftovers(texts: dict[str, str], answers: Answers) -> list[str]:
    """Return where the files `texts` of a rendering show an option that was not chosen."""
    return [f"{name}: {word}" for name, word in found(texts, answers) if not allowed(name, word)]


def found(texts: dict[str, str], answers: Answers) -> list[tuple[str, str]]:
    """Return each word that is about an option that was not chosen, also where it may stand, with its file."""
    signs = [sign for (question, choice), sign in SIGNS.items() if not is_chosen(question, choice, answers)]
    searched = {name: f"{name}\n{text}" for name, text in texts.items() if name != ANSWERS_FILE}
    return [
        (name, match[0])
        for name, text in searched.items()
        for sign in signs
        for match in re.finditer(sign, text, re.IGNORECASE)
    ]


def is_chosen(question: str, choice: object, answers: Answers) -> bool:
    """Return whether `answers`, or the default, have `choice` for `question`."""
    given = answers.get(question, questions()[question]["default"])
    return choice in given if isinstance(given, list) else choice == given


def allowed(name: str, word: str) -> Allowed | None:
    """Return what lets `word` stand in the file `name`."""
    fits = (each for each in ALLOWED if re.fullmatch(each.file, name))
    return next((each for each in fits if re.fullmatch(each.words, word, re.IGNORECASE)), None)
