"""A rendered service, brought up by its own Compose file on a real Docker Engine."""

import os
import shutil
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import httpx2

from tests.containers import Engine
from tests.docker import Docker
from tests.rendering import Answers, variant_id
from tests.servers import free_port
from tests.service import Service
from tests.stand_ins import pinned_images, stand_in

STAND_INS = {"postgresql": "postgres", "mysql": "mariadb", "caddy": "caddy"}
RELEASED = """\
FROM {image}
LABEL org.opencontainers.image.revision={label}
ENV REVISION={revision}
CMD {command}
"""


@dataclass(frozen=True)
class Stack:
    """A service and what it runs with, reached through its proxy."""

    service: Service
    docker: Docker
    image: str
    http_port: int
    https_port: int

    @property
    def base_url(self) -> str:
        """Return the address for clients that check its certificate."""
        return f"https://localhost:{self.https_port}"

    def compose(self, *arguments: str) -> str:
        """Run a command of Compose by the service's own task."""
        return self.service.run("uv", "run", "just", "compose", *arguments)

    def execute(self, *command: str) -> str:
        """Run a command in the container of the service."""
        return self.compose("exec", "-T", "api", *command)

    def container(self, service: str) -> str:
        """Return the id of the container of one of the services."""
        return self.compose("ps", "--all", "--quiet", service).split()[0]

    @cached_property
    def authority(self) -> Path:
        """Return the certificate of the authority that the proxy has made for itself."""
        path = self.service.directory / "authority.crt"
        self.compose("cp", "proxy:/data/caddy/pki/authorities/local/root.crt", str(path))
        path.chmod(0o644)
        return path

    def client(self) -> httpx2.Client:
        """Return a client that trusts that authority and no other."""
        context = ssl.create_default_context(cafile=str(self.authority))
        return httpx2.Client(base_url=self.base_url, verify=context, timeout=30)

    def built(self, name: str, *, answers_as: str = "", command: str = '["app", "serve"]') -> str:
        """Make a later image of the service, which answers as another revision, or runs another command."""
        file = RELEASED.format(image=self.image, label=name, revision=answers_as or name, command=command)
        context = self.service.directory / f"{name}.image"
        context.mkdir()
        (context / "Dockerfile").write_text(file, "utf-8")
        tag = f"{self.image}-{name}"
        self.docker.run("build", "--quiet", "--tag", tag, str(context))
        shutil.rmtree(context)
        return tag


@contextmanager
def stack(
    docker: Docker, engine: Engine, service: Service, image: str, answers: Answers, **settings: str
) -> Generator[Stack]:
    """Bring a service up as its documents tell to, yield it, and remove it with its data and its secrets."""
    project, deploy = variant_id(answers), service.directory / "deploy/compose"
    tag = f"{project}:test"
    docker.load(engine, image, tag)
    override = deploy / "stand-ins.yaml"
    override.write_text(_stand_ins(docker, engine, answers["database"]), "utf-8")
    ports = free_port(), free_port()
    environment = {
        **docker.environment,
        "COMPOSE_PROJECT_NAME": project,
        "COMPOSE_FILE": f"compose.yaml{os.pathsep}{override.name}",
        "HTTP_PORT": str(ports[0]),
        "HTTPS_PORT": str(ports[1]),
    }
    made = Stack(service.with_settings(environment), docker, tag, *ports)
    made.service.run("uv", "run", "just", "compose-init")
    with (deploy / ".env").open("a", encoding="utf-8") as file:
        file.writelines(f"{name}={value}\n" for name, value in {"IMAGE": tag, **settings}.items())
    try:
        made.compose("up", "--wait")
        yield made
    finally:
        made.compose("down", "--volumes", "--timeout", "5")
        shutil.rmtree(deploy / "secrets", ignore_errors=True)
        for path in (deploy / ".env", override, service.directory / "authority.crt"):
            path.unlink(missing_ok=True)


def _stand_ins(docker: Docker, engine: Engine, database: str) -> str:
    """Return a Compose file that puts stand-ins in the place of the pinned images."""
    pinned = pinned_images()
    images = {"proxy": pinned["caddy"], "database": pinned["database"].get(database)}
    lines = ["services:"]
    for service, image in images.items():
        if image:
            name = image.partition("@")[0]
            docker.load(engine, stand_in(engine, STAND_INS["caddy" if service == "proxy" else database]), name)
            lines.append(f'  {service}: {{image: "{name}"}}')
    return "\n".join([*lines, ""])
