"""What a service signs of an image is beside it in a real registry, verifies there, and is refused once changed."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Install
from tests.containers import Engine
from tests.registry import Registry
from tests.service import Service
from tests.signing import RUN, SigningKey, bill_of, publish, sign, signing_key
from tests.stand_ins import stand_in
from tests.test_container import VARIANTS

NAME = "acme/signed"
PROVENANCE, SBOM = "https://slsa.dev/provenance/v1", "https://cyclonedx.org/bom"

Change = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class Signed:
    """An image that a service has published and signed."""

    service: Service
    registry: Registry
    key: SigningKey
    image: str

    @property
    def tag(self) -> str:
        """Return under which tag the registry has what is said of it."""
        return f"{self.image.partition('@')[2].replace(':', '-')}.att"

    def verify(self, image: str = "", **more: str) -> str:
        """Verify an image, and return what is printed; `REFUSED` first if it is."""
        task = 'uv run just verify "$1" 2>&1 || echo REFUSED'
        printed = self.service.with_settings({**RUN, **more}).run("sh", "-c", task, "sh", image or self.image)
        return "\n".join(sorted(printed.splitlines(), key=lambda line: line != "REFUSED"))

    def change(self, kind: str, change: Change) -> None:
        """Put another envelope in the place of the one of a kind."""
        manifest = self.registry.manifest(NAME, self.tag)
        (layer,) = [each for each in manifest["layers"] if each["annotations"]["predicateType"] == kind]
        envelope = json.loads(self.registry.blob(NAME, layer["digest"]))
        layer |= self.registry.upload(NAME, json.dumps(change(envelope)).encode())
        self.registry.tag(NAME, self.tag, manifest)


@pytest.fixture
def signed(install: Install, registry: Registry, shared: Path, request: pytest.FixtureRequest) -> Signed:
    """Return an image of this test, signed."""
    service, key = install({**VARIANTS[0], "deploy": ["kubernetes"]}), signing_key(shared)
    key.trusted_by(service.directory)
    image = publish(registry, NAME, "".join(filter(str.isalnum, request.node.name)))
    sign(service, registry, key, image)
    return Signed(service, registry, key, image)


def said_otherwise(old: str, new: str) -> Change:
    """Return a change of what an envelope says."""

    def change(envelope: dict[str, Any]) -> dict[str, Any]:
        text = b64decode(envelope["payload"]).decode()
        assert old in text
        return {**envelope, "payload": b64encode(text.replace(old, new).encode()).decode()}

    return change


class TestSigned:
    def test_verifies(self, signed: Signed) -> None:
        assert "is signed, and from main of this repository" in signed.verify()

    @pytest.mark.parametrize("kind", ["slsaprovenance1", "cyclonedx"])
    def test_verifies_by_cosign(self, engine: Engine, signed: Signed, kind: str) -> None:
        cosign = ["run", "--rm", "--network=host", f"--volume={signed.service.directory}/.ci:/ci:ro"]
        verify = ["verify-attestation", "--key=/ci/signing.pub", "--insecure-ignore-tlog=true", f"--type={kind}"]
        command = [*cosign, stand_in(engine, "cosign"), *verify]
        envelope = json.loads(engine.run(*command, signed.image))
        signed.change({"cyclonedx": SBOM}.get(kind, PROVENANCE), said_otherwise("my", "your"))

        assert signed.image.partition("sha256:")[2] in b64decode(envelope["payload"]).decode()
        assert f"none of the attestations matched the predicate type: {kind}" in engine.fail(*command, signed.image)

    def test_says_where_it_comes_from(self, signed: Signed) -> None:
        layers = signed.registry.manifest(NAME, signed.tag)["layers"]
        said = [json.loads(signed.registry.blob(NAME, layer["digest"])) for layer in layers]
        provenance, bill = (json.loads(b64decode(envelope["payload"])) for envelope in said)

        subject = {
            "name": f"{signed.registry.address}/{NAME}",
            "digest": {"sha256": signed.image.partition("sha256:")[2]},
        }
        assert [[subject], [subject]] == [provenance["subject"], bill["subject"]]
        definition, run = provenance["predicate"]["buildDefinition"], provenance["predicate"]["runDetails"]
        assert {"gitCommit": RUN["GITHUB_SHA"]} == definition["resolvedDependencies"][0]["digest"]
        assert "https://github.com/acme/my-service" == definition["externalParameters"]["repository"]
        assert "https://github.com/acme/my-service/actions/runs/7/attempts/1" == run["metadata"]["invocationId"]
        assert "CycloneDX" == bill["predicate"]["bomFormat"]


class TestRefused:
    @pytest.mark.parametrize(
        ("kind", "change", "reason"),
        [
            (PROVENANCE, said_otherwise(RUN["GITHUB_SHA"], "f" * 40), "no verified provenance"),
            (SBOM, said_otherwise("2.1.0", "2.1.1"), "no verified bill of materials"),
            (SBOM, lambda envelope: {**envelope, "signatures": []}, "no verified bill of materials"),
            (PROVENANCE, lambda _: {}, "no verified provenance"),
        ],
        ids=["provenance", "bill of materials", "signature", "envelope"],
    )
    def test_what_was_changed(self, signed: Signed, kind: str, change: Change, reason: str) -> None:
        signed.change(kind, change)
        printed = signed.verify()

        assert printed.startswith("REFUSED")
        assert reason in printed

    def test_another_image(self, signed: Signed) -> None:
        other = publish(signed.registry, NAME, "tampered")
        before = signed.verify(other)
        said = signed.registry.manifest(NAME, signed.tag)
        signed.registry.tag(NAME, f"{other.partition('@')[2].replace(':', '-')}.att", said)
        after = signed.verify(other)

        assert "REFUSED" == before.split()[0] == after.split()[0]
        assert "no verified provenance and no bill of materials." in before
        assert "a statement is about another image" in after

    def test_another_key(self, signed: Signed) -> None:
        signed.service.run("uv", "run", "just", "signing-key", "--replace")
        assert "an envelope has no valid signature" in signed.verify()

    def test_another_repository_or_branch(self, signed: Signed) -> None:
        assert "and not from https://github.com/acme/blog" in signed.verify(GITHUB_REPOSITORY="acme/blog")
        sign(signed.service, signed.registry, signed.key, signed.image, GITHUB_REF="refs/heads/trial")
        assert "built from refs/heads/trial" in signed.verify()

    def test_a_tag(self, signed: Signed) -> None:
        assert "has to be an image by its digest" in signed.verify(f"{signed.registry.address}/{NAME}:1")

    def test_the_bill_of_materials_of_another_image(self, signed: Signed) -> None:
        path = signed.service.directory / "image-sbom.json"
        path.write_text(bill_of(f"sha256:{'0' * 64}"), "utf-8")
        service = signed.service.with_settings({**RUN, "SIGNING_KEY": signed.key.private})
        printed = service.fails("uv", "run", "python", "-m", "provenance", "sign", signed.image, path.name)

        assert "image-sbom.json is the bill of materials of another image" in printed
