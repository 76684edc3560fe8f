"""A container engine that needs no daemon and no registry: Podman, with images that stand in for those it would pull.

Renderings pin their base images by digest. A build is told, by `--build-context`, what to take in their place, so that
the Dockerfile is built as it was rendered: Debian's own Python for `python`, and the binary from PyPI for `uv`.
"""

import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from tests.processes import completed, wait_until_ready
from tests.rendering import jinja
from tests.servers import free_port

PROGRAMS = ("podman", "runc", "mmdebstrap")
# What Debian's trixie calls Python 3.13, the default of the template; there is no such stand-in for others.
PYTHON = "3.13"
PACKAGES = "python3,python3-venv,ca-certificates"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")

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
PYTHON_FILE = """\
FROM scratch
ADD rootfs.tar /
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
RUN ln -s /usr/bin/python3 /usr/local/bin/python && ln -s /usr/bin/python3 /usr/local/bin/python3
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin
"""
UV_FILE = "FROM scratch\nCOPY uv /uv\n"


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
            _make_stand_in(engine, "python", PYTHON_FILE, _add_debian)
            _make_stand_in(engine, "uv", UV_FILE, _add_uv)
    return engine


def stand_ins() -> list[str]:
    """Return the arguments for a build that put the stand-ins in the place of the pinned images."""
    pinned = pinned_images()
    names = {"python": pinned["python"][PYTHON], "uv": pinned["uv"]}
    contexts = [f"--build-context={image}=container-image://{_stand_in(name)}" for name, image in names.items()]
    return ["--pull=never", *contexts]


def pinned_images() -> dict[str, Any]:
    """Return the images that renderings use, by what they are."""
    return vars(jinja().get_template("extensions/images.jinja").module)["images"]


def clean_up(shared: Path) -> None:
    """Remove what the engine of this test run has stored; its file systems are mounted while it exists."""
    engine = Engine(shared / "containers")
    if engine.program.exists():
        engine.run("rm", "--all", "--force")
        engine.run("rmi", "--all", "--force")
        shutil.rmtree(engine.home)


def _stand_in(name: str) -> str:
    return f"localhost/stand-in/{name}"


def _make_stand_in(engine: Engine, name: str, file: str, add: Callable[[Path], None]) -> None:
    context = engine.home / name
    context.mkdir()
    (context / "Dockerfile").write_text(file, "utf-8")
    add(context)
    engine.run("build", "--quiet", "--tag", _stand_in(name), str(context))
    shutil.rmtree(context)


def _add_debian(context: Path) -> None:
    """Add a minimal Debian with Python, from where this machine gets its own packages."""
    listed = _output("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages")
    mirror = next(uri for uri in listed.splitlines() if "security" not in uri)
    root = str(context / "rootfs.tar")
    _output("mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}", "trixie", root, mirror)
    shutil.copy(CERTIFICATES, context)


def _add_uv(context: Path) -> None:
    """Add the version of uv that is pinned, from PyPI."""
    version = re.findall(r":([0-9.]+)@", pinned_images()["uv"])[0]
    _output("uv", "pip", "install", "--quiet", "--target", str(context / "tools"), f"uv=={version}")
    shutil.copy(context / "tools/bin/uv", context)


def _output(*command: str) -> str:
    return completed(command).stdout
