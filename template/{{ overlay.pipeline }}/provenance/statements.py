"""What is said of an image: statements of in-toto, with provenance of SLSA or a bill of materials of CycloneDX."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, Field, JsonValue, ValidationError

from provenance.references import Reference
from provenance.refused import Refused
from provenance.repositories import located

TYPE = "https://in-toto.io/Statement/v1"
PROVENANCE = "https://slsa.dev/provenance/v1"
SBOM = "https://cyclonedx.org/bom"

Json = Mapping[str, object]


@dataclass(frozen=True)
class Build:
    """What a pipeline says of its run."""

    repository: str
    commit: str
    ref: str
    # Who ran it, and which run that was: addresses.
    builder: str
    run: str


class Property(BaseModel):
    name: str
    value: str = ""


class Component(BaseModel):
    properties: list[Property] = []


class Metadata(BaseModel):
    component: Component


class Bill(BaseModel):
    """The part of a bill of materials that tells what it is about."""

    format: str = Field(alias="bomFormat", pattern="^CycloneDX$")
    metadata: Metadata

    @property
    def image(self) -> str:
        """Return the digest of the configuration of the image, as Trivy notes it; nothing if it notes none."""
        noted = (each.value for each in self.metadata.component.properties if each.name == "aquasecurity:trivy:ImageID")
        return next(noted, "")


def statement(image: Reference, kind: str, predicate: Json) -> bytes:
    """Return the statement that says `predicate`, of the type `kind`, of an image."""
    subject = {"name": image.name, "digest": {"sha256": image.digest.removeprefix("sha256:")}}
    return json.dumps({"_type": TYPE, "subject": [subject], "predicateType": kind, "predicate": predicate}).encode()


def provenance(build: Build) -> Json:
    """Return where an image comes from, as SLSA 1 writes it."""
    repository = f"https://{located(build.repository)}"
    source = {"uri": f"git+{repository}@{build.ref}", "digest": {"gitCommit": build.commit}}
    return {
        "buildDefinition": {
            # What a build does, for people.
            "buildType": f"git+{repository}#docs/pipeline.md",
            "externalParameters": {"repository": repository, "ref": build.ref, "task": "publish"},
            "resolvedDependencies": [source],
        },
        "runDetails": {"builder": {"id": build.builder}, "metadata": {"invocationId": build.run}},
    }


def bill(path: Path) -> tuple[Json, str]:
    """Return the bill of materials in a file, and the image that it is of: the digest of its configuration.

    Raises:
        Refused: there is none.
    """
    try:
        content = path.read_bytes()
        image = Bill.model_validate_json(content).image
    except FileNotFoundError:
        raise Refused(f"There is no {path}: `uv run just image-sbom` writes it.") from None
    except ValidationError:
        raise Refused(f"{path} is no bill of materials as `uv run just image-sbom` writes it.") from None
    return json.loads(content), image


class Subject(BaseModel):
    digest: dict[str, str]


class Statement(BaseModel):
    """A statement, as it is read."""

    type: str = Field(alias="_type", pattern=f"^{TYPE}$")
    subject: list[Subject]
    kind: str = Field(alias="predicateType")
    predicate: dict[str, JsonValue]

    def is_about(self, digest: str) -> bool:
        """Tell whether it is about an image."""
        return digest in [f"sha256:{each.digest.get('sha256')}" for each in self.subject]


class Source(BaseModel):
    """What was built."""

    repository: str
    ref: str


class Definition(BaseModel):
    source: Source = Field(alias="externalParameters")


class Provenance(BaseModel):
    """The part of a provenance that a release looks at."""

    definition: Definition = Field(alias="buildDefinition")
