"""Names of images, as engines write them."""

import re
from dataclasses import dataclass

from provenance.refused import Refused

DOCKER_HUB = "docker.io"
_REFERENCE = re.compile(r"(?P<name>[\w.-]+(?::\d+)?(?:/[\w.-]+)*)@(?P<digest>sha256:[0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True)
class Reference:
    """An image in a registry, by its digest."""

    host: str
    repository: str
    digest: str

    @property
    def name(self) -> str:
        """Return it without its digest."""
        return f"{self.host}/{self.repository}"

    @property
    def api(self) -> str:
        """Return where the registry answers: on this machine over HTTP, as engines have it, elsewhere over HTTPS."""
        host = "registry-1.docker.io" if self.host == DOCKER_HUB else self.host
        local = re.fullmatch(r"(localhost|127(\.\d+){3})(:\d+)?", host)
        return f"{'http' if local else 'https'}://{host}"


def parse(text: str) -> Reference:
    """Return the image that `NAME@sha256:…` names.

    Raises:
        Refused: it has no digest, so that it could be another one later.
    """
    found = _REFERENCE.fullmatch(text)
    if not found:
        raise Refused(f"{text} has to be an image by its digest, like registry.example.com/app@sha256:….")
    first, _, rest = found["name"].partition("/")
    if rest and (first == "localhost" or re.search("[.:]", first)):
        return Reference(first, rest, found["digest"])
    path = found["name"] if rest else f"library/{found['name']}"
    return Reference(DOCKER_HUB, path, found["digest"])
