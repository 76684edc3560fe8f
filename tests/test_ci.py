"""Every provider's pipeline is run, on every database: it passes as rendered, and turns red for what is planted."""

import itertools
import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from tests.conftest import Render
from tests.containers import Engine
from tests.jobs import PRINTED, add_job
from tests.machine import environment, give_docker, services, without_services
from tests.pipelines import ACCESS, ADDRESSES, BOT, FILES, PASSWORD, REGISTRY, Pipeline
from tests.processes import completed
from tests.registry import Registry
from tests.rendering import REPOSITORY, choices, git, render
from tests.servers import server_url
from tests.service import Service

DATABASES = choices("database")
SERVED = {"postgresql", "mysql"}
# The others are given the server of this test run.
STARTS_DATABASE = {"github", "jenkins"}
CASES = list(itertools.product(FILES, DATABASES))
WAYS = {database: ["compose", *(["kubernetes"] if database in SERVED else [])] for database in DATABASES}
# What is released, with what. Services on SQLite are new here: nobody has set where they go.
COMPOSE = {
    "PUBLIC_URL": ADDRESSES["COMPOSE_URL"],
    "SSH_HOST": ADDRESSES["COMPOSE_HOST"],
    "SSH_KNOWN_HOSTS": ADDRESSES["COMPOSE_KNOWN_HOSTS"],
    "SSH_KEY_BASE64": ACCESS["COMPOSE_SSH_KEY"],
}
STAGING = {"PUBLIC_URL": ADDRESSES["STAGING_URL"], "KUBECONFIG_BASE64": ACCESS["STAGING_KUBECONFIG"]}
PRODUCTION = {"PUBLIC_URL": ADDRESSES["PRODUCTION_URL"], "KUBECONFIG_BASE64": ACCESS["PRODUCTION_KUBECONFIG"]}

# What must turn every pipeline red: the file, what is done to its text, and what only the step that is to find it says.
PLANTS: dict[str, tuple[str, Callable[[str], str], str]] = {
    "failing test": (
        "tests/contract/test_a.py",
        lambda _: "def test_a() -> None:\n    assert sum([1]) == 2\n",  # nothing that the linter could find
        "where 1 = sum([1])",
    ),
    "lint error": ("app/core/planted.py", lambda _: "import os\n", "F401"),
    "drifted migration": (
        "app/db/models/orders.py",
        lambda text: text.replace("    note:", "    planted: Mapped[int | None]\n    note:"),
        "'add_column', None, 'orders', Column('planted'",
    ),
    "stale OpenAPI document": (
        "openapi.json",
        lambda text: text.replace("orders", "order", 1),
        "openapi.json is not what the code produces",
    ),
}
# Each provider meets each of them, and each of them every database.
PLANTED = [
    (provider, plant, DATABASES[turn % len(DATABASES)])
    for turn, (provider, plant) in enumerate(itertools.product(FILES, PLANTS))
]

NewPipeline = Callable[[str, str], Pipeline]


@pytest.fixture
def new_pipeline(
    request: pytest.FixtureRequest, template: Path, shared: Path, tmp_path: Path, engine: Engine
) -> Iterator[NewPipeline]:
    """Return a function that gives a service with a provider's pipeline, rendered once for this test run."""
    machine = environment(engine, shared, request.getfixturevalue("registry"), request.getfixturevalue("osv"), tmp_path)

    def prepare(provider: str, database: str) -> Pipeline:
        pipeline = Pipeline(provider, shared / "pipelines" / f"{provider}-{database}", machine)
        if database in SERVED and provider in STARTS_DATABASE:
            pipeline = give_docker(pipeline, engine, request.getfixturevalue("docker"), database)
        if not pipeline.directory.exists():
            # The framework and the style hardly matter here: these are the quickest.
            answers = {"ci": provider, "database": database, "framework": "flask", "auth": "none"}
            render(template, pipeline.directory, **answers, deploy=WAYS[database])
            add_job(pipeline.directory)
            git(pipeline.directory, "init", "--quiet", "--initial-branch=main")
            git(pipeline.directory, "remote", "add", "origin", "https://github.com/acme/My-Service.git")
            Service(pipeline.directory).run("uv", "lock", "--quiet")
            if provider not in STARTS_DATABASE:
                without_services(pipeline, server_url(database, shared) if database in SERVED else None)
            commit(pipeline)
        return pipeline

    with ExitStack() as locks:

        def alone(provider: str, database: str) -> Pipeline:
            # A pipeline of GitHub publishes its database's port on this machine.
            name = "ports" if provider == "github" else f"{provider}-{database}"
            locks.enter_context(FileLock(shared / f"pipeline-{name}.lock"))
            pipeline = prepare(provider, database)
            if database in SERVED and provider == "github":
                locks.enter_context(services(pipeline, request.getfixturevalue("docker")))
            return pipeline

        yield alone


def noted(directory: Path) -> list[tuple[str, dict[str, str]]]:
    """Return what was released or proposed, in order: the task with its arguments, and what it read."""
    log = directory / "noted"
    lines = log.read_text("utf-8").splitlines() if log.exists() else []
    return [(" ".join(task), settings) for task, settings in map(json.loads, lines)]


def commit(pipeline: Pipeline) -> None:
    """Commit all that is there."""
    git(pipeline.directory, "add", "--all")
    git(pipeline.directory, "commit", "--quiet", "--message", "A change")


@pytest.mark.parametrize(("provider", "database"), CASES)
def test_passes_publishes_and_releases(
    new_pipeline: NewPipeline, registry: Registry, tmp_path: Path, provider: str, database: str
) -> None:
    pipeline = replace(new_pipeline(provider, database), releases=database in SERVED)
    outcome = pipeline.run()

    assert outcome.passed, outcome.log[-20_000:]
    assert "Required test coverage of 90.0% reached" in outcome.log
    assert PASSWORD in (tmp_path / "logins").read_text("utf-8")
    assert PASSWORD not in outcome.log
    assert PRINTED in outcome.log
    name = "acme/my-service" if provider in {"github", "gitlab"} else "my-service"
    (digest,) = [path.read_text("utf-8") for path in tmp_path.glob("pushed-*")]
    revision = git(pipeline.directory, "rev-parse", "HEAD").strip()
    assert revision == registry.labels(name, digest)["org.opencontainers.image.revision"]
    image = f"{'ghcr.io' if provider == 'github' else REGISTRY}/{name}@{digest}"
    expected = {
        f"release-compose-over-ssh {image}": COMPOSE,
        f"release-kubernetes staging {image}": STAGING,
        f"release-kubernetes production {image}": PRODUCTION,
    }
    assert (expected if pipeline.releases else {}) == dict(noted(tmp_path))


@pytest.mark.parametrize(("provider", "database"), list(zip(FILES, itertools.cycle(sorted(SERVED)))))
def test_turns_red_when_staging_fails_and_spares_production(
    new_pipeline: NewPipeline, tmp_path: Path, provider: str, database: str
) -> None:
    pipeline = replace(new_pipeline(provider, database), releases=True)
    refusing = {**pipeline.environment, "REFUSED": "release-kubernetes staging"}
    outcome = replace(pipeline, environment=refusing).run()

    assert not outcome.passed
    assert STAGING in [settings for _, settings in noted(tmp_path)]
    assert PRODUCTION not in [settings for _, settings in noted(tmp_path)]


# What proposes updates, and for which repository, as far as the runner knows it.
PROPOSES = {
    "github": "--platform=github ",
    "gitlab": "--platform=gitlab --endpoint=",
    "azure": "--platform=azure --endpoint=",
    "bitbucket": "--platform=bitbucket ",
    "circleci": "--platform=github acme/my-service",
    "jenkins": "--platform=github acme/my-service",
}


@pytest.mark.parametrize("provider", FILES)
def test_a_scheduled_run_takes_the_newest_shows_the_drift_and_proposes_updates(
    new_pipeline: NewPipeline, tmp_path: Path, provider: str
) -> None:
    pipeline = replace(new_pipeline(provider, "sqlite"), scheduled=True)
    path = pipeline.directory / "docs/pipeline.md"
    path.write_text(path.read_text("utf-8") + "drifted\n", "utf-8")
    commit(pipeline)
    outcome = pipeline.run()
    git(pipeline.directory, "checkout", "--quiet", ".")
    git(pipeline.directory, "reset", "--quiet", "--hard", "HEAD^")

    assert outcome.passed, outcome.log[-20_000:]
    assert "+drifted" in outcome.log
    assert "during generate phase" in outcome.log
    ((proposed, settings),) = noted(tmp_path)
    assert proposed.startswith(f"renovate {PROPOSES[provider]}")
    assert BOT == settings
    assert [] == list(tmp_path.glob("pushed-*"))


@pytest.mark.parametrize(("provider", "plant", "database"), PLANTED)
def test_turns_red_and_publishes_nothing(
    new_pipeline: NewPipeline, tmp_path: Path, provider: str, plant: str, database: str
) -> None:
    pipeline = new_pipeline(provider, database)
    name, change, sign = PLANTS[plant]
    path = pipeline.directory / name
    path.write_text(change(path.read_text("utf-8") if path.exists() else ""), "utf-8")
    commit(pipeline)
    outcome = pipeline.run()
    git(pipeline.directory, "reset", "--quiet", "--hard", "HEAD^")

    assert not outcome.passed
    assert sign in outcome.log
    assert [] == list(tmp_path.glob("pushed-*"))


class TestScan:
    def test_a_secret_in_an_image_is_found(self, new_pipeline: NewPipeline, engine: Engine, tmp_path: Path) -> None:
        (tmp_path / "settings.cfg").write_text("aws_access_key_id = AKIAZ7VRSQWERT3GMNXK\n", "utf-8")  # made for this
        (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY settings.cfg /\n", "utf-8")
        engine.run("build", "--quiet", "--tag", "localhost/leaky", str(tmp_path))
        outcome = new_pipeline("gitlab", "sqlite").command("uv", "run", "just", "scan", "localhost/leaky")

        assert not outcome.passed
        assert "settings.cfg" in outcome.log


LINTERS = {
    "github": [
        ["actionlint"],
        ["zizmor", "--offline", "--quiet", "--persona", "pedantic", FILES["github"]],
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", FILES["github"]],
    ],
    "gitlab": [
        ["check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", FILES["gitlab"]]
    ],
    "azure": [
        [
            *("check-jsonschema", "--builtin-schema", "vendor.azure-pipelines"),
            *("--regex-variant", "nonunicode", "--data-transform", "azure-pipelines", FILES["azure"]),
        ]
    ],
    "bitbucket": [["check-jsonschema", "--builtin-schema", "vendor.bitbucket-pipelines", FILES["bitbucket"]]],
    "circleci": [["check-jsonschema", "--builtin-schema", "vendor.circle-ci", FILES["circleci"]]],
}
RENOVATE = ["check-jsonschema", "--builtin-schema", "vendor.renovate", "renovate.json"]
TASKS = ("lint", "openapi --check", "migrations", "test --cov", "audit", "secrets", "sbom", "image", "scan", "publish")


class TestFiles:
    @pytest.mark.parametrize("database", DATABASES)
    @pytest.mark.parametrize("provider", LINTERS)
    def test_linters_have_nothing_to_say(self, render: Render, provider: str, database: str) -> None:
        directory = render(ci=provider, database=database)
        git(directory, "init", "--quiet")
        for command in [*LINTERS[provider], RENOVATE]:
            completed(command, cwd=directory)

    @pytest.mark.parametrize("provider", FILES)
    def test_what_is_fetched_is_pinned(self, render: Render, provider: str) -> None:
        text = (render(ci=provider) / FILES[provider]).read_text("utf-8")
        images = re.findall(r"(?<![/\w])(?:python|postgres|mariadb|docker):[\w.-]+\S*", text)
        actions = re.findall(r"uses: .*", text)

        assert [] == [image for image in images if not re.search(r"@sha256:[0-9a-f]{64}$", image)]
        assert [] == [action for action in actions if not re.search(r"@[0-9a-f]{40} # v[0-9.]+$", action)]
        assert images
        assert (provider == "github") == bool(actions)

    @pytest.mark.parametrize("provider", FILES)
    def test_every_task_is_called(self, render: Render, provider: str) -> None:
        text = (render(ci=provider) / FILES[provider]).read_text("utf-8")

        assert [] == [task for task in (*TASKS, "template-diff") if f"uv run just {task}" not in text]
        assert "uv sync --locked" in text
        assert "uv lock --upgrade" in text

    @pytest.mark.quick
    def test_the_repositorys_own_is_a_sibling(self, render: Render) -> None:
        for command in LINTERS["github"]:
            completed(command, cwd=REPOSITORY)
        own, rendered = (
            set(re.findall(r"uses: .*", (directory / FILES["github"]).read_text("utf-8")))
            for directory in (REPOSITORY, render(ci="github"))
        )
        assert own <= rendered

    @pytest.mark.quick
    def test_the_bot_leaves_what_the_template_owns_alone(self, render: Render) -> None:
        settings = json.loads((render() / "renovate.json").read_text("utf-8"))

        assert ["copier", "pep621"] == settings["enabledManagers"]
