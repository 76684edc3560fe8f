"""Where the statements about an image are: beside it in the registry, as cosign has them.

They are the layers of an image of their own, whose tag is made of the digest of the image that they are about
(https://github.com/sigstore/cosign/blob/main/specs/ATTESTATION_SPEC.md).
"""

import json
from collections.abc import Mapping

from provenance.references import Reference
from provenance.registry import MANIFEST, Registry

ENVELOPE = "application/vnd.dsse.envelope.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"


def tag_of(image: Reference) -> str:
    """Return the tag that the statements about an image have."""
    return f"{image.digest.replace(':', '-')}.att"


def attach(registry: Registry, image: Reference, envelopes: Mapping[str, bytes]) -> None:
    """Keep envelopes, by the type of what they say, in the place of those that were kept before."""
    layers = [
        {
            "mediaType": ENVELOPE,
            **registry.upload(content),
            "annotations": {"dev.cosignproject.cosign/signature": "", "predicateType": kind},
        }
        for kind, content in envelopes.items()
    ]
    rootfs = {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]}
    config = json.dumps({"architecture": "", "os": "", "config": {}, "rootfs": rootfs}).encode()
    described = {"mediaType": CONFIG, **registry.upload(config)}
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described, "layers": layers}
    registry.tag(manifest, tag_of(image))


def attached(registry: Registry, image: Reference) -> list[bytes]:
    """Return the envelopes that are kept."""
    manifest = registry.manifest(tag_of(image))
    layers = manifest.layers if manifest else []
    return [registry.blob(layer.digest) for layer in layers if layer.media_type == ENVELOPE]
