"""A registry of container images, for what pipelines publish."""

import json
import tempfile
from pathlib import Path

import httpx2

from tests.docker import unpack
from tests.servers import Running, free_port, launch, running, started

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json"


class Registry:
    """A registry at `address`, started once for this test run."""

    def __init__(self, shared: Path) -> None:
        self.address = started("registry", shared, _start).url.removeprefix("http://")

    def image(self, name: str, digest: str) -> str:
        """Return which image is published under a name and a digest: the hash that an engine knows it by."""
        headers = {"Accept": MANIFEST}
        answer = httpx2.get(f"http://{self.address}/v2/{name}/manifests/{digest}", headers=headers).raise_for_status()
        return answer.json()["config"]["digest"].removeprefix("sha256:")

    def labels(self, name: str, digest: str) -> dict[str, str]:
        """Return its labels."""
        url = f"http://{self.address}/v2/{name}/blobs/sha256:{self.image(name, digest)}"
        config = httpx2.get(url, follow_redirects=True).raise_for_status()
        return json.loads(config.content)["config"]["Labels"]


def _start() -> Running:
    home, port = Path(tempfile.mkdtemp(prefix="slipway-registry-")), free_port()
    unpacked = unpack(home, "docker-registry")
    storage = {"filesystem": {"rootdirectory": f"{home}/data"}}
    # JSON is YAML.
    settings = {"version": 0.1, "storage": storage, "http": {"addr": f"127.0.0.1:{port}"}}
    (home / "config.yml").write_text(json.dumps(settings), "utf-8")
    process = launch([str(unpacked / "usr/bin/docker-registry"), "serve", "config.yml"], str(home), None)
    url = f"http://127.0.0.1:{port}"
    return running(process, str(home), url, lambda: _answers(url))


def _answers(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/v2/").status_code == httpx2.codes.OK
    except httpx2.TransportError:
        return False
