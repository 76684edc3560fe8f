"""What signs images in the tests: a key, the run of a pipeline, and images that it could have published."""

import json
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

import asyncssh
from filelock import FileLock

from tests.registry import Registry
from tests.service import Service

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
# What GitHub says of a run, in services that have its pipeline.
RUN = {
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "acme/my-service",
    "GITHUB_SHA": "0123456789012345678901234567890123456789",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_RUN_ID": "7",
    "GITHUB_RUN_ATTEMPT": "1",
}


@dataclass(frozen=True)
class SigningKey:
    """A key: its private half as a pipeline keeps it, and the public one as a repository does."""

    private: str
    public: str

    def trusted_by(self, directory: Path) -> None:
        """Let a service trust it."""
        path = directory / ".ci/signing.pub"
        path.parent.mkdir(exist_ok=True)
        path.write_text(self.public, "utf-8")


def signing_key(shared: Path) -> SigningKey:
    """Return the key of this test run."""
    path = shared / "signing-key.pem"
    with FileLock(f"{path}.lock"):
        if not path.exists():
            path.write_bytes(asyncssh.generate_private_key("ecdsa-sha2-nistp256").export_private_key("pkcs8-pem"))
    public = asyncssh.import_private_key(path.read_bytes()).export_public_key("pkcs8-pem")
    return SigningKey(b64encode(path.read_bytes()).decode(), public.decode())


def bill_of(config: str) -> str:
    """Return a bill of materials, as Trivy writes it, of the image that has a configuration."""
    noted = [{"name": "aquasecurity:trivy:ImageID", "value": config}]
    components = [{"type": "library", "name": "sqlalchemy", "version": "2.1.0"}]
    metadata = {"component": {"properties": noted}}
    return json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": metadata, "components": components})


def publish(registry: Registry, name: str, label: str) -> str:
    """Push an image without files, and return its name with its digest."""
    rootfs = {"type": "layers", "diff_ids": []}
    settings = {"architecture": "amd64", "os": "linux", "config": {"Labels": {"is": label}}, "rootfs": rootfs}
    config = {"mediaType": CONFIG, **registry.upload(name, json.dumps(settings).encode())}
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": []}
    return f"{registry.address}/{name}@{registry.tag(name, label, manifest)}"


def sign(service: Service, registry: Registry, key: SigningKey, image: str, **run: str) -> None:
    """Sign an image of the registry as the pipeline of a service does, with other settings of its run, if given."""
    name, _, digest = image.removeprefix(f"{registry.address}/").partition("@")
    (service.directory / "image-sbom.json").write_text(bill_of(f"sha256:{registry.image(name, digest)}"), "utf-8")
    service = service.with_settings({**RUN, "SIGNING_KEY": key.private, **run})
    service.run("uv", "run", "python", "-m", "provenance", "sign", image, "image-sbom.json")
