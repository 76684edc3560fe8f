"""Every variant is installed and passes its own checks on its real database."""

import tomllib
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from tests.bytecode import compile_bytecode
from tests.conftest import Install, NewDatabase, Render
from tests.pythons import interpreters
from tests.rendering import Answers, choices, combinations, jinja, questions, variant_cases
from tests.service import UNMEASURED, Service
from tests.test_questions import AWKWARD

# Several processes, as on a person's machine, each with a database of its own; coverage is put together from all.
SEVERAL = {"PYTEST_XDIST_AUTO_NUM_WORKERS": "2"}


def run_here(case: ParameterSet) -> bool:
    """Return whether a variant is checked here: Flask's without authentication are by pipelines (test_ci.py)."""
    framework, _, auth, example = str(case.id).split("-")
    return (framework, auth, example) != ("flask", "none", "example")


@pytest.mark.parametrize("answers", [case for case in variant_cases() if run_here(case)])
def test_passes_its_own_checks(
    install: Install, new_database: NewDatabase, shared: Path, tmp_path: Path, answers: Answers
) -> None:
    service = install(answers).with_settings(new_database(answers["database"]))
    service = service.with_settings(SEVERAL if is_measured(answers) else UNMEASURED)
    if python := next((version for version, variant in other_pythons().items() if variant == answers), None):
        own = {"UV_PYTHON": str(interpreters()[python]), "UV_PROJECT_ENVIRONMENT": str(tmp_path / "venv")}
        service = service.with_settings({**own, **SEVERAL})
        assert service.run("uv", "run", "python", "--version").startswith(f"Python {python}.")
        compile_bytecode(tmp_path / "venv", shared / "bytecode")
    service.run("uv", "run", "just", "check")
    # The name of a dependency would be taken for a service's own.
    assert set() == dependencies(service) - reserved_names()


def dependencies(service: Service) -> set[str]:
    """Return the names of all that a service depends on, directly or not."""
    lock = tomllib.loads((service.directory / "uv.lock").read_text("utf-8"))
    return {package["name"] for package in lock["package"] if "registry" in package["source"]}


def reserved_names() -> set[str]:
    """Return the names that no service can have."""
    return set(vars(jinja().get_template("extensions/reserved.jinja").module)["reserved_names"])


def is_measured(answers: Answers) -> bool:
    """Return whether coverage is asked of this variant, which takes twice as long.

    With the example, frameworks and databases take turns over the styles, since they differ in few lines; without, the
    style that is the default is enough. Services without authentication are measured in the pipelines.
    """
    turn = choices("auth").index(answers["auth"])
    names = ("framework", "database") if answers["example"] else ("framework",)
    is_turn = all(answers[name] == choices(name)[turn % len(choices(name))] for name in names)
    return is_turn and answers["auth"] != "none" and (answers["example"] or turn == 0)


def other_pythons() -> dict[str, Answers]:
    """Return the variant that is checked on each version of Python that services have in production.

    The others are checked on the one that runs these tests.
    """
    variants = ({**answers, "database": "sqlite", "example": True} for answers in combinations("auth", "framework"))
    return dict(zip(interpreters(), variants, strict=False))


@pytest.mark.parametrize(
    ("framework", "database", "auth"),
    [
        ("fastapi", "postgresql", "jwt"),
        ("flask", "mysql", "api_key"),
    ],
)
def test_answers_random_requests_as_documented(
    install: Install, new_database: NewDatabase, framework: str, database: str, auth: str
) -> None:
    service = install({"framework": framework, "database": database, "auth": auth, "example": True})
    settings = {**new_database(database), "FUZZ_SEED": "1"}
    command = ("uv", "run", "just", "fuzz", "20", "--hypothesis-seed=1", "--hypothesis-show-statistics")
    printed = service.with_settings(settings).run(*command)
    assert "during generate phase" in printed


def test_random_requests_may_break_rules_that_no_schema_says(install: Install, new_database: NewDatabase) -> None:
    service = install({"framework": "fastapi", "database": "postgresql", "auth": "jwt", "example": True})
    service = service.with_settings({**new_database("postgresql"), "PYTHONPATH": ".", "FUZZ_SEED": "1"})
    command = ("uv", "run", "just", "fuzz", "2", "-k", "/v1/users and POST", "-n", "0", "-p", "hook")
    hook = service.directory / "hook.py"
    try:
        hook.write_text(_HOOK.format("someone@somewhere.example"), "utf-8")
        service.run(*command)
        hook.write_text(_HOOK.format("short"), "utf-8")
        assert "Schema-valid request rejected" in service.fails(*command)
    finally:
        hook.unlink()


_HOOK = """
from typing import Any

import schemathesis


@schemathesis.hook
def map_body(_context: schemathesis.HookContext, body: Any) -> Any:
    # The requests that are made to be wrong have bodies of any kind.
    own = {{"email": "someone@somewhere.example", "password": "{}"}}
    return {{**body, **own}} if isinstance(body, dict) else body
"""


@pytest.mark.parametrize(("database", "processes"), [("postgresql", "2"), ("mysql", "0")])
def test_the_tests_say_once_that_there_is_no_server(install: Install, database: str, processes: str) -> None:
    url = f"{database}://me:secret@127.0.0.1:1/a"
    service = install({"framework": "flask", "database": database, "auth": "none", "example": True})
    command = ("uv", "run", "just", "test", "-n", processes)
    unset = service.fails(*command, status=2)
    away = service.with_settings({"DATABASE_URL": url}).fails(*command, status=2)
    assert unset.count("DATABASE_URL is not set") == 1
    assert "to start one: docker run" in unset
    assert away.count("The tests need the database server of DATABASE_URL") == 1
    assert "secret" not in away
    assert "FAILED" not in unset + away


def test_fix_leaves_what_only_people_can_mend(install: Install) -> None:
    service = install({"framework": "flask", "database": "sqlite", "auth": "none", "example": False})
    untidy = service.directory / "app/core/untidy.py"
    try:
        # The linter takes the import out; the formatter breaks a line that the linter can only find too long.
        untidy.write_text(
            f'"""Numbers."""\n\nimport os\n\nNUMBERS = [{", ".join(map(str, range(100, 140)))}]\n', "utf-8"
        )
        service.run("uv", "run", "just", "fix")
        mended = untidy.read_text("utf-8")
        untidy.write_text('"""Numbers."""\n\nNUMBERS = eval("[1]")\n', "utf-8")
        printed = service.fails("uv", "run", "just", "fix")
    finally:
        untidy.unlink()
    assert mended.startswith('"""Numbers."""\n\nNUMBERS = [\n    100,\n')
    assert "S307" in printed


def test_the_python_that_production_runs_by_default_is_on_this_machine() -> None:
    default = questions()["python_version"]["default"]
    if default not in interpreters():
        pytest.skip(f"no python{default}: install it, with pyenv for example")


@pytest.mark.parametrize(
    ("slug", "text"), [("class", "jinja"), ("json", "unicode"), ("app", "quotes"), ("tests", "yaml")]
)
def test_any_name_builds_and_shows(render: Render, slug: str, text: str) -> None:
    names = dict.fromkeys(("project_name", "description", "owner"), AWKWARD[text])
    service = Service(render(project_slug=slug, database="sqlite", auth="none", **names))
    assert "version" in service.run("uv", "run", "--no-dev", "app", "--version")
    service.run("uv", "run", "--no-dev", "app", "openapi", "--check")
