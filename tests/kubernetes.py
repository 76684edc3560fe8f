"""What a rendered service hands to Kubernetes, as kustomize makes it."""

import shutil
from pathlib import Path
from typing import Any

import yaml

from tests.containers import Engine
from tests.processes import completed
from tests.stand_ins import stand_in

Manifest = dict[str, Any]


def kustomized(engine: Engine, project: Path, overlay: str) -> str:
    """Return what kubectl makes of an overlay: the machine's kubectl, or Debian's in a container."""
    folder, path = project / "deploy", f"kubernetes/overlays/{overlay}"
    if shutil.which("kubectl"):
        return completed(["kubectl", "kustomize", str(folder / path)]).stdout
    run = ["run", "--rm", "--network=none", f"--volume={folder}:/src:ro", stand_in(engine, "kubectl")]
    return engine.run(*run, "kubectl", "kustomize", f"/src/{path}")


def manifests(text: str) -> list[Manifest]:
    """Return the resources that a text holds."""
    return [each for each in yaml.safe_load_all(text) if each]


def of_kind(text: str, kind: str) -> Manifest:
    """Return the one resource of a kind."""
    (found,) = [each for each in manifests(text) if each["kind"] == kind]
    return found


def pod(template: Manifest, name: str, secrets: Path) -> Manifest:
    """Return a Pod as a Deployment or a Job would make it, with the files of a folder in the place of its Secret.

    Debian 12's Podman mounts the values of a Secret as they are encoded, and knows no Job.
    """
    made = template["spec"]["template"]
    volume, *others = made["spec"]["volumes"]
    spec = {**made["spec"], "volumes": [{"name": volume["name"], "hostPath": {"path": str(secrets)}}, *others]}
    # Podman would remove an init container, and its log, once it has ended.
    kept = {"annotations": {"io.podman.annotations.init.container.type": "always"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {**made["metadata"], **kept, "name": name}, "spec": spec}
