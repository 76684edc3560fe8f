"""A container engine that needs no daemon and no registry: Podman."""

import os
import shutil
import subprocess
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from tests.processes import completed, wait_until_ready
from tests.servers import free_port

PROGRAMS = ("podman", "runc", "catatonit", "mmdebstrap")

CONFIGURATION = """\
[containers]
default_ulimits = ["nofile=10000:10000", "nproc=10000:10000"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
"""
# Its own storage, so that nothing is left on the machine; no namespaces for the steps of a build; Docker's format of
# images, as the one of the OCI has no health checks.
ENGINE = """\
#!/bin/sh
export CONTAINERS_CONF="{home}/containers.conf" BUILDAH_ISOLATION=chroot BUILDAH_FORMAT=docker
exec podman --root "{home}/storage" --runroot "{home}/run" "$@"
"""


class EngineMissingError(Exception):
    """Containers cannot run here; the message says why."""


@dataclass(frozen=True)
class Engine:
    """Podman with the storage in `home`."""

    home: Path

    @property
    def program(self) -> Path:
        """Return what runs the engine, in place of `docker`."""
        return self.home / "engine"

    def run(self, *arguments: str) -> str:
        """Run a command of the engine and return what it, or the container, prints on standard output."""
        return self._run(arguments, status=0).stdout

    def fail(self, *arguments: str, status: int = 1) -> str:
        """Run a command that has to end with `status` and return what it prints on standard error."""
        return without_notes(self._run(arguments, status).stderr)

    def _run(self, arguments: tuple[str, ...], status: int) -> "subprocess.CompletedProcess[str]":
        return completed([str(self.program), *arguments], status=status)

    def has(self, image: str) -> bool:
        """Return whether the image is there."""
        return subprocess.run([str(self.program), "image", "exists", image], check=False).returncode == 0

    @contextmanager
    def running(self, image: str, settings: dict[str, str], *options: str) -> Generator["Container"]:
        """Start a container that can write nowhere and may do nothing, and yield it once it answers."""
        container = Container(self, f"slipway-{uuid.uuid4().hex}", free_port())
        environment = {**settings, "PORT": str(container.port)}
        self.run("run", "--detach", "--name", container.name, *HARDENED, *flags(environment), *options, image)
        try:
            wait_until_ready(container.base_url, container.log)
            yield container
        finally:
            self.run("rm", "--force", container.name)


HARDENED = (
    "--network=host",
    "--read-only",
    "--read-only-tmpfs=false",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
)


def without_notes(printed: str) -> str:
    """Return what was printed without the engine's own log, which complains of the systemd that is not there."""
    return "".join(line for line in printed.splitlines(keepends=True) if not line.startswith("time="))


def flags(settings: dict[str, str]) -> list[str]:
    """Return settings as arguments for the engine."""
    return [f"--env={name}={value}" for name, value in settings.items()]


@dataclass(frozen=True)
class Container:
    """A running container, which answers on `port`."""

    engine: Engine
    name: str
    port: int

    @property
    def base_url(self) -> str:
        """Return where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def execute(self, *command: str) -> str:
        """Run a command in the container and return what it prints."""
        return self.engine.run("exec", self.name, *command)

    def log(self) -> str:
        """Return what it has printed on standard output."""
        return self.engine.run("logs", self.name)

    def stop(self) -> int:
        """Ask it to stop, and return the exit code of its command; 137 if it had to be killed."""
        self.engine.run("stop", "--time", "20", self.name)
        return int(self.engine.run("inspect", "--format", "{{.State.ExitCode}}", self.name).split()[-1])


def new_engine(shared: Path) -> Engine:
    """Return the engine of this test run, set up once for all its workers.

    Raises:
        EngineMissingError: containers cannot run here.
    """
    if os.geteuid() != 0:
        raise EngineMissingError("containers need root here: file systems are mounted")
    if missing := [program for program in PROGRAMS if not shutil.which(program)]:
        raise EngineMissingError(f"apt-get install {' '.join(missing)}")
    home = shared / "containers"
    with FileLock(f"{home}.lock"):
        engine = Engine(home)
        if not engine.program.exists():
            home.mkdir()
            (home / "containers.conf").write_text(CONFIGURATION, "utf-8")
            engine.program.write_text(ENGINE.format(home=home), "utf-8")
            engine.program.chmod(0o755)
    return engine


def clean_up(shared: Path) -> None:
    """Remove what the engine of this test run has stored; its file systems are mounted while it exists."""
    engine = Engine(shared / "containers")
    if engine.program.exists():
        engine.run("rm", "--all", "--force")
        engine.run("rmi", "--all", "--force")
        shutil.rmtree(engine.home)
