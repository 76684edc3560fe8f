"""A registry of container images, for what pipelines publish."""

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

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
        return self.manifest(name, digest)["config"]["digest"].removeprefix("sha256:")

    def upload(self, name: str, content: bytes) -> dict[str, object]:
        """Keep some bytes under a name, and return what a manifest says of them."""
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        started = httpx2.post(f"http://{self.address}/v2/{name}/blobs/uploads/").raise_for_status()
        place = httpx2.URL(started.headers["Location"]).copy_merge_params({"digest": digest})
        httpx2.put(place, content=content).raise_for_status()
        return {"size": len(content), "digest": digest}

    def tag(self, name: str, tag: str, manifest: dict[str, Any]) -> str:
        """Keep a manifest, and return its digest."""
        headers = {"Content-Type": manifest["mediaType"]}
        url = f"http://{self.address}/v2/{name}/manifests/{tag}"
        answer = httpx2.put(url, content=json.dumps(manifest).encode(), headers=headers).raise_for_status()
        return answer.headers["Docker-Content-Digest"]

    def digest(self, name: str, tag: str) -> str:
        """Return which digest a tag has."""
        url, headers = f"http://{self.address}/v2/{name}/manifests/{tag}", {"Accept": MANIFEST}
        return httpx2.head(url, headers=headers).raise_for_status().headers["Docker-Content-Digest"]

    def manifest(self, name: str, reference: str) -> dict[str, Any]:
        """Return a manifest."""
        url = f"http://{self.address}/v2/{name}/manifests/{reference}"
        return httpx2.get(url, headers={"Accept": MANIFEST}).raise_for_status().json()

    def blob(self, name: str, digest: str) -> bytes:
        """Return some bytes."""
        url = f"http://{self.address}/v2/{name}/blobs/{digest}"
        return httpx2.get(url, follow_redirects=True).raise_for_status().content

    def labels(self, name: str, digest: str) -> dict[str, str]:
        """Return its labels."""
        return json.loads(self.blob(name, f"sha256:{self.image(name, digest)}"))["config"]["Labels"]


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
