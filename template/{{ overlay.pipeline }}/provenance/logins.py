"""Who signs in to a registry."""

import json
import subprocess
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, Field

from provenance.references import DOCKER_HUB


class Login(NamedTuple):
    """A user and a password."""

    user: str
    password: str


class Kept(BaseModel):
    """A login in a file; without one, a helper has it."""

    auth: str = ""


class DockerConfig(BaseModel):
    """The settings of Docker's command line, as far as they are about signing in."""

    logins: dict[str, Kept] = Field(default={}, alias="auths")
    helper: str = Field(default="", alias="credsStore")
    helpers: dict[str, str] = Field(default={}, alias="credHelpers")


def given(environ: Mapping[str, str], host: str, user: str, password: str) -> Login | None:
    """Return the login that two variables hold; else the one that Docker keeps for a host; else none."""
    if environ.get(password):
        return Login(environ.get(user, ""), environ[password])
    folder = environ.get("DOCKER_CONFIG") or Path(environ.get("HOME", "~")).expanduser() / ".docker"
    path = Path(folder) / "config.json"
    if not path.exists():
        return None
    return kept(DockerConfig.model_validate_json(path.read_bytes()), host)


def kept(config: DockerConfig, host: str) -> Login | None:
    """Return the login that settings have for a host."""
    name = "https://index.docker.io/v1/" if host == DOCKER_HUB else host
    if (entry := config.logins.get(name)) and entry.auth:
        user, _, password = b64decode(entry.auth).decode().partition(":")
        return Login(user, password)
    helper = config.helpers.get(name) or config.helper
    return ask(helper, name) if helper else None


def ask(helper: str, name: str) -> Login | None:
    """Return the login that a helper of Docker's has; none, if it knows none."""
    command = [f"docker-credential-{helper}", "get"]
    try:
        asked = subprocess.run(command, input=name, capture_output=True, text=True, check=True)  # noqa: S603 - Docker's
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None
    answer = json.loads(asked.stdout)
    return Login(answer["Username"], answer["Secret"])
