"""The machine that pipelines run on in the tests: this one, with programs that stand in for what is not to be had."""

import re
import shlex
import shutil
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tests.containers import Engine
from tests.docker import Docker
from tests.node import installed
from tests.osv import Vulnerabilities
from tests.pipelines import PROGRAMS, Pipeline
from tests.processes import inherited
from tests.pythons import interpreters
from tests.registry import Registry
from tests.stand_ins import PYTHON, build_contexts, pinned_images, stand_in

NETWORK = "slipway-ci"
START_SECONDS = 60


def environment(engine: Engine, shared: Path, registry: Registry, osv: Vulnerabilities, own: Path) -> dict[str, str]:
    """Return the environment in which a pipeline finds its programs, and these find what they stand in for.

    `shared` keeps what is the same for all pipelines of this test run, `own` what one of them leaves.
    """
    if PYTHON not in interpreters():
        pytest.skip(f"no Python {PYTHON}: install it with pyenv")
    for name in ("answers", "pipelines-home"):
        (shared / name).mkdir(exist_ok=True)
    programs = [PROGRAMS, installed("runner", shared) / "node_modules/.bin", interpreters()[PYTHON].parent]
    ours = inherited()
    return {
        **ours,
        "PATH": ":".join([*map(str, programs), ours["PATH"]]),
        # Neither the person's profile nor what runners keep there.
        "HOME": str(shared / "pipelines-home"),
        "UV": shutil.which("uv") or "uv",
        "UV_PYTHON": PYTHON,
        "UV_CACHE_DIR": ours.get("UV_CACHE_DIR", str(Path.home() / ".cache/uv")),
        # Pipelines are tested side by side already; at the first failure all is said; chance is the same each time.
        "PYTEST_XDIST_AUTO_NUM_WORKERS": "0",
        "PYTEST_ADDOPTS": "--exitfirst --hypothesis-seed=1 --hypothesis-show-statistics",
        "ANSWERS": str(shared / "answers"),
        "BYTECODE": str(shared / "bytecode"),
        "OSV": osv.url,
        "ENGINE": str(engine.program),
        "CONTEXTS": " ".join(build_contexts(engine)),
        "SCANNER": f"{pinned_images()['trivy']} {stand_in(engine, 'trivy')}",
        "PUSH_TO": registry.address,
        "OWN": str(own),
    }


def without_services(pipeline: Pipeline, url: str | None) -> None:
    """Let a pipeline use what runs on this machine, in the place of the services that its provider would start.

    `url` leads to a server of the database, if there is one.
    """
    text = pipeline.file.read_text("utf-8")
    if url:
        text = re.sub(r"(postgresql|mysql)://\w+:ci@[^/\s]+/\w+", lambda _: url, text)
    pipeline.file.write_text(re.sub(r"\n  services:\n    - name: .*\n      alias: .*", "", text), "utf-8")


def give_docker(pipeline: Pipeline, engine: Engine, docker: Docker, database: str) -> Pipeline:
    """Let a pipeline start its database on a Docker Engine, from what stands in for the pinned image."""
    pinned = pinned_images()["database"][database]
    name = pinned.partition("@")[0]
    docker.load(engine, stand_in(engine, name.partition(":")[0]), name)
    if NETWORK not in docker.run("network", "ls", "--format", "{{.Name}}"):
        docker.run("network", "create", NETWORK)
    # Its settings for signing in are not Podman's.
    given = {name: value for name, value in docker.environment.items() if name != "DOCKER_CONFIG"}
    real = shutil.which("docker", path=given["PATH"]) or "docker"
    ours = {**given, "PATH": f"{pipeline.environment['PATH']}:{given['PATH']}", "DOCKER": f"{real} {NETWORK}"}
    return replace(pipeline, environment={**pipeline.environment, **ours})


@contextmanager
def services(pipeline: Pipeline, docker: Docker) -> Generator[None]:
    """Run the services of GitHub's pipeline as it describes them: act starts none for jobs on the machine itself."""
    jobs = yaml.safe_load(pipeline.file.read_text("utf-8"))["jobs"].values()
    described = {name: service for job in jobs for name, service in job.get("services", {}).items()}
    try:
        for name, service in described.items():
            more = [f"--env={key}={value}" for key, value in service["env"].items()]
            more += [f"--publish={port}" for port in service["ports"]]
            command = ["run", "--detach", f"--name={name}", f"--network={NETWORK}", *more]
            docker.run(*command, *shlex.split(service["options"]), service["image"].partition("@")[0])
        deadline = time.monotonic() + START_SECONDS
        for name in described:
            while "healthy" != docker.run("inspect", "--format", "{{.State.Health.Status}}", name).strip():
                assert time.monotonic() < deadline, docker.run("logs", name)
                time.sleep(0.2)
        yield
    finally:
        docker.run("rm", "--force", "--volumes", *described)
