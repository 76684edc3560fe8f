"""Updates: a service that was rendered by a release, and lived on, becomes what this version would have rendered."""

import itertools
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from copier import VcsRef
from copier.errors import CopierError
from filelock import FileLock

from tests.bytecode import compile_bytecode
from tests.conftest import NewDatabase
from tests.edits import RENAMED, edit
from tests.releases import releases
from tests.rendering import ANSWERS_FILE, REPOSITORY, TAG, Answers, choices, git, variant_id
from tests.service import UNMEASURED, Service
from tests.updates import (
    Rendering,
    commit,
    conflicts,
    differences,
    lost_lines,
    own_files,
    removed,
    rendering,
    settle,
    started,
    update,
)

__all__ = ["rendering"]

FIRST = releases()[0].tag
# Of each release services with both frameworks; together every database, style and pipeline that was ever offered.
STARTS = {
    "v0.1.0": ["fastapi-postgresql-api_key-example", "flask-sqlite-none-plain"],
    "v0.2.0": ["fastapi-mysql-jwt-example", "flask-postgresql-oidc-plain"],
    "v0.3.0": ["fastapi-sqlite-oidc-example", "flask-mysql-jwt-plain"],
    "v0.4.0": [
        "fastapi-postgresql-jwt-example-github-deploy+compose+kubernetes",
        "flask-mysql-oidc-plain-gitlab-deploy+compose",
        "flask-sqlite-jwt-example-azure-deploy",
        "fastapi-mysql-none-plain-bitbucket-deploy+kubernetes",
        "flask-postgresql-api_key-example-circleci-deploy+kubernetes",
        "fastapi-sqlite-api_key-plain-jenkins-deploy+compose",
    ],
}
NAMES = ("framework", "database", "auth", "example", "ci", "deploy")


def answers_of(name: str) -> Answers:
    """Return the answers that a variant is named after: the reverse of `variant_id`."""
    words: dict[str, Any] = {"example": True, "plain": False}
    parsed = [word.split("+")[1:] if word.startswith("deploy") else words.get(word, word) for word in name.split("-")]
    return dict(zip(NAMES, parsed, strict=False))


def newest_upgrade_notes() -> str:
    """Return what the version under test asks of a service that updates to it, from the changelog."""
    changelog = (REPOSITORY / "CHANGELOG.md").read_text("utf-8")
    return changelog.partition("### Upgrade notes\n\n")[2].partition("\n\n## ")[0]


class TestPristine:
    """A service that its team has not touched; test_fleet.py updates one from each start."""

    @pytest.mark.quick
    def test_both_frameworks_of_every_release_are_tried(self) -> None:
        assert list(STARTS) == [release.tag for release in releases()]
        assert all({name.partition("-")[0] for name in names} == {"fastapi", "flask"} for names in STARTS.values())

    @pytest.mark.quick
    @pytest.mark.parametrize("question", ["database", "auth", "example", "ci"])
    def test_every_choice_is_tried(self, question: str) -> None:
        tried = {answers_of(name).get(question) for names in STARTS.values() for name in names}
        # Before 0.4.0 no service had a pipeline.
        assert set(choices(question)) - {"none"} <= tried

    def test_becomes_a_fresh_copy_by_the_command_of_a_bot(self, rendering: Rendering, tmp_path: Path) -> None:
        answers = answers_of(STARTS[FIRST][0])
        service = started(rendering(answers, FIRST), tmp_path / "service")
        command = f"copier update --skip-answered --defaults --answers-file {ANSWERS_FILE} --vcs-ref {TAG}"
        run = subprocess.run(command.split(), cwd=service, capture_output=True, text=True, check=False)
        assert 0 == run.returncode, run.stderr
        assert "uv run just openapi" in run.stderr
        assert newest_upgrade_notes() in run.stderr
        assert [] == differences(rendering(answers), service)


# Where the team and the template changed the same lines, and why that is so.
EXPECTED: dict[str, dict[str, str]] = {
    "v0.1.0-fastapi-postgresql-api_key-example": {
        "Dockerfile": "the team had one before the template",
        ".env.example": "both have added lines at its end: the anchor is new",
        "app/api/routes/orders.py": "the team has renamed a module in a line in which `work` has become `db`",
        "docs/configuration.md": "the template has begun to say more right after the team's last row",
    },
    "v0.2.0-fastapi-mysql-jwt-example": {
        "Dockerfile": "the team had one before the template",
        "app/api/routes/orders.py": "the team has renamed a module in a line in which `work` has become `db`",
    },
    "v0.3.0-fastapi-sqlite-oidc-example": {
        "app/api/routes/orders.py": "the team has renamed a module in a line in which `work` has become `db`",
    },
    "v0.4.0-fastapi-postgresql-jwt-example-github-deploy+compose+kubernetes": {
        "app/api/routes/orders.py": "the team has renamed a module in a line in which `work` has become `db`",
        ".github/workflows/ci.yml": "both have added jobs at its end: the anchor is new",
        "deploy/compose/compose.yaml": "both have added lines after the last container: the anchor is new",
    },
    "v0.4.0-flask-sqlite-jwt-example-azure-deploy": {
        "azure-pipelines.yml": "both have added jobs at its end: the anchor is new",
    },
}
# Its suite is run after the update: with those of older releases the same files would be.
NEWEST = list(EXPECTED)[-1]
Lived = Callable[[str], tuple[Path, Path, Path]]


@pytest.fixture(scope="session")
def lived(rendering: Rendering, shared: Path) -> Lived:
    """Return a function that gives a service as it started, as its team has edited it, and as an update made it."""

    def once(name: str) -> tuple[Path, Path, Path]:
        tag, _, variant = name.partition("-")
        start = rendering(answers_of(variant), tag)
        edited, service = (shared / "edited" / name / stage for stage in ("edited", "updated"))
        edited.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{edited}.lock"):
            if not service.exists():
                edit(started(start, edited), variant.partition("-")[0])
                commit(edited, "Work on it")
                update(shutil.copytree(edited, service))
        return start, edited, service

    return once


class TestEdited:
    """A service with changes of its team."""

    @pytest.mark.parametrize("name", EXPECTED)
    def test_keeps_every_edited_line(self, lived: Lived, name: str) -> None:
        start, edited, service = lived(name)
        assert EXPECTED[name].keys() == conflicts(service)
        assert [] == lost_lines(start, edited, service)
        # Copier writes a seeded file again if it is missing: docs/how-to/update.md says so.
        assert {"CHANGELOG.md"} == removed(start, edited) & own_files(service).keys()

    def test_holds_all_its_checks(self, lived: Lived, new_database: NewDatabase, shared: Path, tmp_path: Path) -> None:
        database = new_database(answers_of(NEWEST.partition("-")[2])["database"])
        # Coverage is measured where the variant itself is tested.
        service = Service(shutil.copytree(lived(NEWEST)[-1], tmp_path / "service"), {**database, **UNMEASURED})
        settle(service.directory, RENAMED)
        service.run("uv", "sync", "--quiet")
        compile_bytecode(service.directory / ".venv", shared / "bytecode")
        if len(service.run("uv", "run", "alembic", "heads").splitlines()) > 1:
            # The update has brought a migration beside the team's own.
            service.run("uv", "run", "just", "merge-migrations")
        service.run("uv", "run", "just", "openapi")
        service.run("uv", "run", "just", "check")


def walk() -> list[Answers]:
    """Return answers of which each goes over to the next: every pair of databases and of styles, both ways.

    The pipelines go round once, and everything else changes along the way.
    """
    styles = [
        "jwt",
        "oidc",
        "jwt",
        "api_key",
        "jwt",
        "none",
        "oidc",
        "api_key",
        "oidc",
        "none",
        "api_key",
        "none",
        "jwt",
    ]
    databases = itertools.cycle(["postgresql", "mysql", "postgresql", "sqlite", "mysql", "sqlite"])
    turns = {
        "framework": ["fastapi", "fastapi", "flask", "flask"],
        "example": [True, True, False],
        "ci": choices("ci"),
        "catalog": [False, True, True],
        "python_version": choices("python_version"),
        "license": choices("license"),
    }
    cycles = {name: itertools.cycle(values) for name, values in turns.items()}
    deploys = itertools.cycle(choices("deploy"))
    steps = []
    for auth, database in zip(styles, databases, strict=False):
        step = {"framework": next(cycles["framework"]), "database": database, "auth": auth}
        step |= {name: next(values) for name, values in cycles.items() if name != "framework"}
        allowed = (deploy for deploy in deploys if database != "sqlite" or "kubernetes" not in deploy)
        steps.append(step | {"deploy": next(allowed)})
    return steps


class TestChangedAnswers:
    """A service with changed answers, on the same version, becomes the variant that test_variants checks."""

    @pytest.mark.quick
    @pytest.mark.parametrize("question", ["database", "auth"])
    def test_every_pair_is_tried_both_ways(self, question: str) -> None:
        tried = set(itertools.pairwise(step[question] for step in walk()))
        assert set(itertools.permutations(choices(question), 2)) <= tried

    @pytest.mark.quick
    @pytest.mark.parametrize(
        "question", ["framework", "example", "ci", "deploy", "catalog", "python_version", "license"]
    )
    def test_every_choice_is_left_and_taken(self, question: str) -> None:
        pairs = [(str(old[question]), str(new[question])) for old, new in itertools.pairwise(walk())]
        expected = {str(choice) for choice in choices(question)}
        assert expected == {old for old, new in pairs if old != new} == {new for old, new in pairs if old != new}

    @pytest.mark.parametrize(("old", "new"), list(itertools.pairwise(walk())), ids=variant_id)
    def test_become_a_fresh_copy(self, rendering: Rendering, tmp_path: Path, old: Answers, new: Answers) -> None:
        service = started(rendering(old), tmp_path / "service")
        update(service, VcsRef.CURRENT, **new)
        assert [] == differences(rendering(new), service)
        assert set() == conflicts(service)


class TestAnswersEditedByHand:
    """Whoever edits the answers file, instead of giving answers to Copier, writes YAML."""

    @pytest.mark.parametrize(
        ("question", "written"),
        [
            ("python_version", "3.12"),
            ("python_version", "3.13"),
            ("project_name", "2026"),
            ("project_name", "yes"),
            ("owner", "7.5"),
            ("description", "42"),
        ],
    )
    def test_may_be_numbers(self, rendering: Rendering, tmp_path: Path, question: str, written: str) -> None:
        answers: Answers = {"database": "sqlite", "project_slug": "a-service", "catalog": True, "license": "MIT"}
        service = started(rendering(answers), tmp_path / "service")
        answer_by_hand(service, question, written)
        update(service, VcsRef.CURRENT)
        # Copier compares what both releases make of these answers, so it changes nothing.
        assert [] == differences(rendering(answers), service, {ANSWERS_FILE: "what was written by hand stays"})

    @pytest.mark.parametrize(
        ("question", "written", "sentence"),
        [
            ("owner", "null", 'Invalid answer "None" .* to question "owner"'),
            ("description", "2026-01-01", "Could not convert 2026-01-01 to string"),
            ("database", "null", 'Invalid answer "None" .* to question "database"'),
            ("deploy", "compose", "Not a YAML list: 'compose'"),
            ("python_version", "3.9", "Invalid choice for 'python_version'"),
            ("auth", "None", "Invalid choice for 'auth'"),
            ("project_slug", "12", "Validation error for question 'project_slug'"),
            ("project_name", "' '", "Validation error for question 'project_name'"),
        ],
    )
    def test_are_refused_before_anything_is_written(
        self, rendering: Rendering, tmp_path: Path, question: str, written: str, sentence: str
    ) -> None:
        service = started(rendering({"database": "sqlite"}), tmp_path / "service")
        answer_by_hand(service, question, written)
        with pytest.raises((CopierError, TypeError, ValueError), match=sentence):
            update(service, VcsRef.CURRENT)
        assert "" == git(service, "status", "--porcelain")


def answer_by_hand(service: Path, question: str, written: str) -> None:
    """Write an answer into the answers file of a service, and commit it."""
    path = service / ANSWERS_FILE
    line = re.compile(rf"^{question}:.*\n(- .*\n)*", re.MULTILINE)
    path.write_text(line.sub(f"{question}: {written}\n", path.read_text("utf-8")), "utf-8")
    commit(service, "Answer by hand")
