"""Every provider's pipeline is run, on every database: it passes as rendered, and turns red for what is planted."""

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from tests.containers import Engine
from tests.docker import Docker
from tests.jobs import PRINTED, add_job
from tests.machine import environment, give_docker, services, without_services
from tests.pipelines import ACCESS, ADDRESSES, BOT, FILES, PASSWORD, REGISTRY, Pipeline
from tests.registry import Registry
from tests.rendering import choices, git, render
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


def logins(directory: Path) -> list[list[str]]:
    """Return who signed in to a registry: the arguments, the password, and the file that the engine kept it in."""
    log = directory / "logins"
    return [json.loads(line) for line in log.read_text("utf-8").splitlines()] if log.exists() else []


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
    assert PASSWORD not in outcome.log
    assert PRINTED in outcome.log
    name = "acme/my-service" if provider in {"github", "gitlab"} else "my-service"
    (digest,) = [path.read_text("utf-8") for path in tmp_path.glob("pushed-*")]
    # What was built and scanned, and nothing that was built again.
    assert (tmp_path / "built").read_text("utf-8").split() == [registry.image(name, digest)]
    revision = git(pipeline.directory, "rev-parse", "HEAD").strip()
    assert revision == registry.labels(name, digest)["org.opencontainers.image.revision"]
    image = f"{'ghcr.io' if provider == 'github' else REGISTRY}/{name}@{digest}"
    expected = {
        f"release-compose-over-ssh {image}": COMPOSE,
        f"release-kubernetes staging {image}": STAGING,
        f"release-kubernetes production {image}": PRODUCTION,
    }
    assert (expected if pipeline.releases else {}) == dict(noted(tmp_path))
    ((*_, password, login),) = logins(tmp_path)
    assert password == PASSWORD
    assert not Path(login).parent.exists()


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
    assert ([], []) == (list(tmp_path.glob("pushed-*")), logins(tmp_path))


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
    assert ([], []) == (list(tmp_path.glob("pushed-*")), logins(tmp_path))


class TestScan:
    def test_a_secret_in_an_image_is_found(self, new_pipeline: NewPipeline, engine: Engine, tmp_path: Path) -> None:
        (tmp_path / "settings.cfg").write_text("aws_access_key_id = AKIAZ7VRSQWERT3GMNXK\n", "utf-8")  # made for this
        (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY settings.cfg /\n", "utf-8")
        engine.run("build", "--quiet", "--tag", "localhost/leaky", str(tmp_path))
        outcome = new_pipeline("gitlab", "sqlite").command("uv", "run", "just", "scan", "localhost/leaky")

        assert not outcome.passed
        assert "settings.cfg" in outcome.log


@pytest.fixture
def saved(engine: Engine, tmp_path: Path) -> tuple[Path, str]:
    """Return a file that holds a small image, and the hash that engines know it by; no engine has it under a name."""
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n", "utf-8")
    engine.run("build", "--quiet", "--tag", "localhost/small:1", str(tmp_path))
    identity = engine.run("image", "inspect", "--format", "{{.Id}}", "localhost/small:1").strip()
    engine.run("save", "--output", str(tmp_path / "small.tar"), "localhost/small:1")
    engine.run("rmi", "localhost/small:1")
    return tmp_path / "small.tar", identity


class TestPublish:
    def test_pushes_what_a_file_holds_and_leaves_no_login(
        self, new_pipeline: NewPipeline, registry: Registry, saved: tuple[Path, str], tmp_path: Path
    ) -> None:
        pipeline, given = new_pipeline("gitlab", "sqlite"), {"REGISTRY_USER": "robot", "REGISTRY_PASSWORD": PASSWORD}
        outcome = pipeline.command("uv", "run", "just", "publish", str(saved[0]), f"{REGISTRY}/acme/small:2", **given)

        assert outcome.passed, outcome.log
        (digest,) = [path.read_text("utf-8") for path in tmp_path.glob("pushed-*")]
        assert f"{REGISTRY}/acme/small@{digest}" in outcome.log.splitlines()
        assert registry.image("acme/small", digest) == saved[1]
        ((*said, login),) = logins(tmp_path)
        assert said == [REGISTRY, "--username", "robot", "--password-stdin", PASSWORD]
        assert not Path(login).parent.exists()

    def test_docker_does_so_where_its_context_says(
        self, new_pipeline: NewPipeline, registry: Registry, docker: Docker, saved: tuple[Path, str], tmp_path: Path
    ) -> None:
        (tmp_path / "temporary").mkdir()
        pipeline = new_pipeline("gitlab", "sqlite")
        given = {
            # The real one, and not what stands in for it.
            "PATH": f"{docker.environment['PATH']}:{pipeline.environment['PATH']}",
            "LD_LIBRARY_PATH": docker.environment["LD_LIBRARY_PATH"],
            "DOCKER_CONFIG": str(tmp_path / "config"),
            "TMPDIR": str(tmp_path / "temporary"),
            "REGISTRY_USER": "robot",
            "REGISTRY_PASSWORD": PASSWORD,
        }
        where = f"host={docker.environment['DOCKER_HOST']}"
        assert pipeline.command("docker", "context", "create", "rootless", "--docker", where, **given).passed
        assert pipeline.command("docker", "context", "use", "rootless", **given).passed
        name = f"{registry.address}/acme/docker"
        outcome = pipeline.command("uv", "run", "just", "publish", str(saved[0]), f"{name}:2", **given)

        assert outcome.passed, outcome.log
        (digest,) = [line.partition("@")[2] for line in outcome.log.splitlines() if line.startswith(f"{name}@")]
        assert registry.image("acme/docker", digest) == saved[1]
        assert "Login Succeeded" in outcome.log
        assert {} == json.loads((tmp_path / "config/config.json").read_text("utf-8"))["auths"]
        # uv leaves a lock there.
        assert [] == [path for path in (tmp_path / "temporary").iterdir() if path.is_dir()]
