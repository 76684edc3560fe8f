"""Services whose pipelines are run, each rendered once for a test run."""

import json
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from tests.containers import new_engine
from tests.jobs import add_job
from tests.machine import give_docker, services, without_services
from tests.pipelines import Pipeline
from tests.provider_variables import ORIGIN
from tests.rendering import choices, git, render
from tests.servers import server_url
from tests.service import Service
from tests.signing import signing_key

DATABASES = choices("database")
SERVED = {"postgresql", "mysql"}
# The others are given the server of this test run.
STARTS_DATABASE = {"github", "jenkins"}
# One that is the default on no forge, and the one that is on most.
BRANCHES = {database: "trunk" if database == "sqlite" else "main" for database in DATABASES}
WAYS = {database: ["compose", *(["kubernetes"] if database in SERVED else [])] for database in DATABASES}
# Where a clone comes from, if not from GitHub.
ORIGINS = {"bitbucket": "https://bitbucket.org/acme/my-service.git"}

NewPipeline = Callable[[str, str], Pipeline]


@contextmanager
def pipelines(
    template: Path, shared: Path, machine: dict[str, str], request: pytest.FixtureRequest
) -> Generator[NewPipeline]:
    """Yield a function that gives a service with a provider's pipeline, to this test alone.

    `request` starts a Docker Engine for those that need one.
    """
    with ExitStack() as locks:

        def alone(provider: str, database: str) -> Pipeline:
            # A pipeline of GitHub publishes its database's port on this machine.
            name = "ports" if provider == "github" else f"{provider}-{database}"
            locks.enter_context(FileLock(shared / f"pipeline-{name}.lock"))
            directory, key = shared / "pipelines" / f"{provider}-{database}", signing_key(shared)
            pipeline = Pipeline(provider, directory, machine, signing_key=key.private)
            if database in SERVED and provider in STARTS_DATABASE:
                pipeline = give_docker(pipeline, new_engine(shared), request.getfixturevalue("docker"), database)
            if not directory.exists():
                key.trusted_by(render_into(template, pipeline, database, shared))
                commit(pipeline)
            if database in SERVED and provider == "github":
                locks.enter_context(services(pipeline, request.getfixturevalue("docker")))
            return pipeline

        yield alone


def render_into(template: Path, pipeline: Pipeline, database: str, shared: Path) -> Path:
    """Render a service into the directory of its pipeline, and return that."""
    # The framework and the style hardly matter here: these are the quickest.
    answers = {"ci": pipeline.provider, "database": database, "framework": "flask", "auth": "none"}
    answers["default_branch"] = BRANCHES[database]
    directory = render(template, pipeline.directory, **answers, deploy=WAYS[database])
    add_job(directory)
    git(directory, "init", "--quiet", f"--initial-branch={BRANCHES[database]}")
    git(directory, "remote", "add", "origin", ORIGINS.get(pipeline.provider, ORIGIN))
    Service(directory).run("uv", "lock", "--quiet")
    if pipeline.provider not in STARTS_DATABASE:
        without_services(pipeline, server_url(database, shared) if database in SERVED else None)
    return directory


def logins(directory: Path) -> list[list[str]]:
    """Return who signed in to a registry: the arguments, the password, and the file that the engine kept it in."""
    log = directory / "logins"
    return [json.loads(line) for line in log.read_text("utf-8").splitlines()] if log.exists() else []


def commit(pipeline: Pipeline, *, amend: bool = False) -> None:
    """Commit all that is there; `amend` makes it part of the newest commit."""
    git(pipeline.directory, "add", "--all")
    git(pipeline.directory, "commit", "--quiet", "--message", "A change", *(["--amend"] if amend else []))
    # As after a push: what a change is compared with.
    branch = git(pipeline.directory, "branch", "--show-current").strip()
    git(pipeline.directory, "update-ref", f"refs/remotes/origin/{branch}", "HEAD")
