"""A Docker Engine of the test run's own, for what needs one: Compose, and runners that start containers.

It is unpacked from Debian's packages rather than installed, and keeps everything below a directory of its own. It
touches no firewall, since another engine of the machine may have rules there: networks are bridges, and ports are
published by Docker's proxy. So containers reach each other, this machine reaches them, and they reach nothing beyond.
"""

import os
import shutil
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from tests.containers import Engine, EngineMissingError
from tests.processes import completed
from tests.servers import Running, launch, running, started

# The engine and its parts; runc is the one that Podman needs, too.
PACKAGES = ("docker.io", "containerd", "tini", "libltdl7")
PROGRAMS = ("dockerd", "containerd", "docker-init", "docker")
OPTIONS = (
    "--iptables=false",
    "--ip-forward=false",
    "--bridge=none",
    "--exec-opt=native.cgroupdriver=cgroupfs",
    "--shutdown-timeout=5",
)


@dataclass(frozen=True)
class Docker:
    """A Docker Engine with its socket, programs and images in `home`."""

    home: Path

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment in which `docker` and `docker compose` use this engine."""
        return {
            **_programs(self.home),
            "DOCKER_HOST": f"unix://{self.home}/socket",
            "DOCKER_CONFIG": str(self.home / "config"),
        }

    def run(self, *arguments: str, status: int = 0) -> str:
        """Run a command of the engine, which has to end with `status`, and return what it prints."""
        return completed(["docker", *arguments], status=status, env={**os.environ, **self.environment}).stdout

    def load(self, engine: Engine, image: str, name: str) -> None:
        """Have an image that Podman has under another name, too: with a tag and without a digest, which it has not."""
        with FileLock(self.home / "load.lock"):
            if not self.run("images", "--quiet", name):
                saved = self.home / "saved.tar"
                engine.run("save", "--quiet", "--output", str(saved), image)
                self.run("load", "--quiet", "--input", str(saved))
                self.run("tag", image, name)
                saved.unlink()


def new_docker(shared: Path) -> Docker:
    """Return the Docker Engine of this test run, started once for all its workers.

    Raises:
        EngineMissingError: containers cannot run here.
    """
    if os.geteuid() != 0:
        raise EngineMissingError("a Docker Engine needs root")
    if missing := [program for program in ("runc", "dpkg", "apt-get") if not shutil.which(program)]:
        raise EngineMissingError(f"apt-get install {' '.join(missing)}")
    return Docker(Path(started("docker", shared, _start).home))


def _start() -> Running:
    home = Path(tempfile.mkdtemp(prefix="slipway-docker-"))
    if any(not shutil.which(program) for program in PROGRAMS):
        unpack(home, *PACKAGES)
    plugins = home / "config/cli-plugins"
    plugins.mkdir(parents=True)
    if compose := shutil.which("docker-compose"):
        (plugins / "docker-compose").symlink_to(compose)
    state = [f"--data-root={home}/data", f"--exec-root={home}/exec", f"--pidfile={home}/pid"]
    command = ["dockerd", f"--host=unix://{home}/socket", *state, *OPTIONS]
    environment = {**os.environ, **_programs(home)}
    command[0] = shutil.which("dockerd", path=environment["PATH"]) or command[0]
    process = launch(command, str(home), None, environment)
    return running(process, str(home), f"unix://{home}/socket", lambda: _listens(home / "socket"))


def unpack(home: Path, *names: str) -> Path:
    """Unpack packages of Debian below `home` and return where; nothing of them is installed or started."""
    packages = home / "packages"
    packages.mkdir()
    completed(["apt-get", "-o", "APT::Sandbox::User=root", "download", "--quiet", *names], cwd=packages)
    for package in packages.glob("*.deb"):
        completed(["dpkg", "-x", str(package), str(home / "root")])
    shutil.rmtree(packages)
    return home / "root"


def _programs(home: Path) -> dict[str, str]:
    """Return where the programs and libraries are: in `home`, if they were unpacked, and on the machine."""
    root = home / "root/usr"
    libraries = ":".join(map(str, root.glob("lib/*-linux-gnu")))
    return {"PATH": f"{root}/bin:{root}/sbin:{os.environ['PATH']}", "LD_LIBRARY_PATH": libraries}


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0
