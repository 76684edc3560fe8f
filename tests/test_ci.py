"""Every provider's pipeline is run, on every database: it passes as rendered, and turns red for what is planted."""

import itertools
import json
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from tests.jobs import PRINTED
from tests.pipelines import FILES, Pipeline
from tests.prepared import DATABASES, SERVED, NewPipeline, commit, logins
from tests.provider_variables import ACCESS, ADDRESSES, BOT, PASSWORD, READER
from tests.registry import Registry
from tests.rendering import git

# What a run takes whose tests are not what the test is about: the others have passed before.
FEW = ("test_migrations.py", "test_schemathesis.py", "test_health.py")
CASES = list(itertools.product(FILES, DATABASES))
# On each database, one provider runs all tests of the service; test_variants.py does that for all other services.
WHOLE = list(zip(FILES, DATABASES, strict=False))
# What is released, with what. Services on SQLite are new here: nobody has set where they go.
COMPOSE = {
    "PUBLIC_URL": ADDRESSES["COMPOSE_URL"],
    "SSH_HOST": ADDRESSES["COMPOSE_HOST"],
    "SSH_KNOWN_HOSTS": ADDRESSES["COMPOSE_KNOWN_HOSTS"],
    "SSH_KEY_BASE64": ACCESS["COMPOSE_SSH_KEY"],
}
STAGING = {"PUBLIC_URL": ADDRESSES["STAGING_URL"], "KUBECONFIG_BASE64": ACCESS["STAGING_KUBECONFIG"]}
PRODUCTION = {"PUBLIC_URL": ADDRESSES["PRODUCTION_URL"], "KUBECONFIG_BASE64": ACCESS["PRODUCTION_KUBECONFIG"]}
# Who reads the registry where a provider has an account for that itself.
READERS = {
    "github": {"REGISTRY_READER": "nektos/act", "REGISTRY_READER_PASSWORD": PASSWORD},
    "gitlab": {"REGISTRY_READER": "robot", "REGISTRY_READER_PASSWORD": PASSWORD},
}

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


@contextmanager
def few_tests(pipeline: Pipeline, folder: Path | None = None) -> Generator[None]:
    """Take most of its tests out of the service, which may be a folder: what a pipeline does afterwards is the same."""
    service = folder or pipeline.directory
    for path in (service / "tests").rglob("test_*.py"):
        if path.name not in FEW:
            path.unlink()
    project = service / "pyproject.toml"
    project.write_text(project.read_text("utf-8").replace("fail_under = 90", "fail_under = 0"), "utf-8")
    commit(pipeline)
    try:
        yield
    finally:
        git(pipeline.directory, "reset", "--quiet", "--hard", "HEAD^")


def noted(directory: Path) -> list[tuple[str, dict[str, str]]]:
    """Return what was released or proposed, in order: the task with its arguments, and what it read."""
    log = directory / "noted"
    lines = log.read_text("utf-8").splitlines() if log.exists() else []
    entries = [(" ".join(task), settings) for task, settings in map(json.loads, lines)]
    # Some runners give each variable to each job.
    return [(task, settings if "kubernetes" in task else without_reader(settings)) for task, settings in entries]


def without_reader(settings: dict[str, str]) -> dict[str, str]:
    """Return what was read, but who reads the registry."""
    return {name: value for name, value in settings.items() if name not in READER}


@pytest.mark.parametrize(("provider", "database"), CASES)
def test_passes_publishes_and_releases(
    new_pipeline: NewPipeline, registry: Registry, tmp_path: Path, provider: str, database: str
) -> None:
    pipeline = replace(new_pipeline(provider, database), releases=database in SERVED)
    is_whole = (provider, database) in WHOLE
    name = "acme/my-service" if provider in {"github", "gitlab"} else "my-service"
    with nullcontext() if is_whole else few_tests(pipeline):
        outcome = pipeline.run()

        assert outcome.passed, outcome.log[-20_000:]
        assert is_whole == ("Required test coverage of 90.0% reached" in outcome.log)
        assert PASSWORD not in outcome.log
        assert pipeline.signing_key not in outcome.log
        assert PRINTED in outcome.log
        (digest,) = [path.read_text("utf-8") for path in tmp_path.glob("pushed-*")]
        # What was built and scanned, and nothing that was built again.
        assert (tmp_path / "built").read_text("utf-8").split() == [registry.image(name, digest)]
        revision = git(pipeline.directory, "rev-parse", "HEAD").strip()
        assert revision == registry.labels(name, digest)["org.opencontainers.image.revision"]
        image = f"{registry.address}/{name}@{digest}"
        # With this a release begins.
        verified = pipeline.command("uv", "run", "just", "verify", image)
        assert verified.passed, verified.log
    reader = READERS.get(provider, READER)
    expected = {
        f"release-compose-over-ssh {image}": COMPOSE,
        f"release-kubernetes staging {image}": {**STAGING, **reader},
        f"release-kubernetes production {image}": {**PRODUCTION, **reader},
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
    with few_tests(pipeline):
        outcome = replace(pipeline, environment=refusing).run()

    assert not outcome.passed
    released = [without_reader(settings) for _, settings in noted(tmp_path)]
    assert STAGING in released
    assert PRODUCTION not in released


# What proposes updates, and for which repository, as far as the runner knows it.
PROPOSES = {
    "github": "--platform=github --endpoint=https://api.github.com acme/My-Service",
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
    with few_tests(pipeline):
        outcome = pipeline.run()

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
    with few_tests(pipeline):
        path.write_text(change(path.read_text("utf-8") if path.exists() else ""), "utf-8")
        commit(pipeline, amend=True)
        outcome = pipeline.run()

    assert not outcome.passed
    assert sign in outcome.log
    assert ([], []) == (list(tmp_path.glob("pushed-*")), logins(tmp_path))


@pytest.mark.parametrize("provider", FILES)
def test_turns_red_when_the_image_cannot_be_signed(new_pipeline: NewPipeline, tmp_path: Path, provider: str) -> None:
    pipeline = replace(new_pipeline(provider, "sqlite"), releases=True, signing_key="")
    with few_tests(pipeline):
        outcome = pipeline.run()

    assert not outcome.passed
    assert "SIGNING_KEY is not set" in outcome.log
    assert ([], []) == (list(tmp_path.glob("pushed-*")), noted(tmp_path))
