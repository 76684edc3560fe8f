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

    def labels(self, name: str, digest: str) -> dict[str, str]:
        """Return the labels of the image that is published under a name and a digest."""
        url = f"http://{self.address}/v2/{name}"
        manifest = httpx2.get(f"{url}/manifests/{digest}", headers={"Accept": MANIFEST}).raise_for_status().json()
        config = httpx2.get(f"{url}/blobs/{manifest['config']['digest']}", follow_redirects=True).raise_for_status()
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
