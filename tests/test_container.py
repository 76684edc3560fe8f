"""The image of a service is built as it was rendered, and run as strictly as a platform can run it."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from tests.conftest import Image, Install, NewDatabase, Render
from tests.containers import Engine, flags
from tests.private_index import PACKAGE, PrivateIndex, private_index
from tests.rendering import Answers, choices, questions, variant_id
from tests.service import Service
from tests.stand_ins import PYTHON, build_contexts, build_image, pinned_images
from tests.test_boot import PASSWORD, SECRET, SETTINGS
from tests.test_questions import AWKWARD
from tests.wire.samples import an_order

# Every framework and every database; the styles take turns, since the image does not differ by them.
VARIANTS: list[Answers] = [
    {"framework": "fastapi", "database": "postgresql", "auth": "jwt", "example": True},
    {"framework": "flask", "database": "mysql", "auth": "api_key", "example": True},
    {"framework": "flask", "database": "sqlite", "auth": "none", "example": True},
]
UID = 10001
TOOLS = "uv gcc cc make git curl wget"


def storage(database: str, new_database: NewDatabase, tmp_path: Path) -> tuple[dict[str, str], list[str]]:
    """Return the settings that lead to an empty database, and what the container needs to see of this machine."""
    if database != "sqlite":
        return new_database(database), []
    (tmp_path / "data").mkdir()
    (tmp_path / "data").chmod(0o777)
    return {"DATABASE_URL": "sqlite:////data/app.db"}, [f"--volume={tmp_path}/data:/data"]


def saved(engine: Engine, image: str, directory: Path) -> bytes:
    """Return an image with all of its layers."""
    archive = directory / "saved.tar"
    archive.unlink(missing_ok=True)
    engine.run("save", "--quiet", "--output", str(archive), image)
    return archive.read_bytes()


def caller(client: httpx2.Client, auth: str, execute: Callable[..., str]) -> dict[str, str]:
    """Return the headers of a caller who may write orders; `execute` runs a command in the container."""
    if auth == "none":
        return {}
    if auth == "api_key":
        create = ["app", "keys", "create", "--owner", "ada", "--scopes", "orders:read,orders:write"]
        return {"X-API-Key": execute(*create).splitlines()[-1]}
    user = {"email": "ada@example.com", "password": PASSWORD}
    client.post("/v1/users", json=user).raise_for_status()
    form = {"username": user["email"], "password": PASSWORD}
    tokens = client.post("/v1/auth/token", data=form).raise_for_status().json()
    return {"Authorization": f"Bearer {tokens['access_token']}"}


@pytest.mark.parametrize("answers", VARIANTS, ids=variant_id)
def test_serves_without_rights_and_stops_when_asked_to(
    engine: Engine, image: Image, new_database: NewDatabase, tmp_path: Path, answers: Answers
) -> None:
    name = image(answers)
    database, options = storage(answers["database"], new_database, tmp_path)
    settings = {**database, **SETTINGS.get(answers["auth"], {}), "WORKERS": "2", "TRUSTED_HOSTS": "127.0.0.1"}
    migrate = ["run", "--rm", "--network=host", "--read-only", "--cap-drop=ALL", *flags(settings), *options, name]
    engine.run(*migrate, "app", "migrate")
    with engine.running(name, settings, *options) as container:
        client = httpx2.Client(base_url=container.base_url)
        headers = caller(client, answers["auth"], container.execute)
        made = client.post("/v1/orders", json=an_order(), headers=headers)
        listed = client.get("/v1/orders", headers=headers)
        up = client.get("/healthz")
        metrics = client.get("/metrics")
        client.close()
        health = engine.run("healthcheck", "run", container.name)
        user = container.execute("python", "-c", "import os; print(os.getuid(), os.getgid())")
        denied = engine.fail("exec", container.name, "python", "-c", "open('/opt/venv/new', 'w')")
        code, log = container.stop(), container.log()

    labels = json.loads(engine.run("inspect", "--format", "{{json .Config.Labels}}", name))

    assert 201 == made.status_code
    assert labels["org.opencontainers.image.revision"] == up.headers["x-revision"]
    assert [made.json()["id"]] == [order["id"] for order in listed.json()["data"]]
    assert "\norders_created_total 1.0\n" in metrics.text
    assert "unhealthy" not in health
    assert f"{UID} {UID}" == user.strip()
    assert "Read-only file system" in denied
    assert 0 == code
    assert {"level", "event"} <= set.intersection(*(set(json.loads(line)) for line in log.splitlines()))
    assert [] == [secret for secret in (SECRET, PASSWORD, *headers.values()) if secret in log]


@pytest.mark.parametrize("answers", [VARIANTS[0], VARIANTS[2]], ids=variant_id)
def test_serves_as_a_user_that_openshift_chooses(
    engine: Engine, image: Image, new_database: NewDatabase, answers: Answers
) -> None:
    name, volume = image(answers), f"data-of-{variant_id(answers)}"
    settings = {"DATABASE_URL": "sqlite:////data/app.db", **new_database(answers["database"])}
    settings |= {**SETTINGS.get(answers["auth"], {}), "TRUSTED_HOSTS": "127.0.0.1"}
    options = ["--user=1000680000:0", f"--volume={volume}:/data"]
    hardened = ["--network=host", "--read-only", "--cap-drop=ALL"]
    engine.run("run", "--rm", *hardened, *flags(settings), *options, name, "app", "migrate")
    with engine.running(name, settings, *options) as container:
        made = httpx2.post(f"{container.base_url}/v1/orders", json=an_order())
        ready = httpx2.get(f"{container.base_url}/readyz")
    engine.run("volume", "rm", volume)

    assert 200 == ready.status_code
    assert (201 if answers["auth"] == "none" else 401) == made.status_code


@pytest.mark.parametrize("answers", VARIANTS, ids=variant_id)
def test_holds_the_service_and_nothing_to_build_it_with(engine: Engine, image: Image, answers: Answers) -> None:
    name = image(answers)
    programs = set(engine.run("run", "--rm", name, "ls", "/opt/venv/bin").split())
    elsewhere = engine.fail("run", "--rm", name, "ls", "/src", "/cache", "/usr/local/bin/uv", status=2)
    labels = json.loads(engine.run("inspect", "--format", "{{json .Config.Labels}}", name))

    assert "app" in programs
    assert set() == programs & {"pytest", "ruff", "just", "pip", "uv", "schemathesis"}
    assert 3 == len(elsewhere.splitlines())
    assert "" == engine.run("run", "--rm", name, "sh", "-c", f"for each in {TOOLS}; do command -v $each; done; true")
    assert ("My Service", "0.1.0") == tuple(
        labels[f"org.opencontainers.image.{label}"] for label in ("title", "version")
    )


def test_does_not_start_without_what_production_needs(engine: Engine, image: Image) -> None:
    refused = engine.fail("run", "--rm", "--network=none", image(VARIANTS[0]))
    assert "DATABASE_URL" in refused


def test_is_unhealthy_when_nothing_answers(engine: Engine, image: Image) -> None:
    asked = engine.fail("run", "--rm", "--network=none", image(VARIANTS[0]), "python", "-m", "app.health")
    assert asked.startswith("Error: ")


def test_a_build_sees_no_secrets_and_no_data(engine: Engine, install: Install) -> None:
    service = install(VARIANTS[0])
    planted = [service.directory / name for name in (".env", "app.db", "id_rsa")]
    for path in planted:
        path.write_text("secret", "utf-8")
    build_image(engine, service, "localhost/build-stage", "--target=build")
    for path in planted:
        path.unlink()
    seen = engine.run("run", "--rm", "localhost/build-stage", "ls", "-A", "/src").split()

    assert {"README.md", "app", "pyproject.toml", "uv.lock"} == set(seen)


class TestPrivateIndex:
    @pytest.fixture
    def index(self, tmp_path: Path) -> Iterator[PrivateIndex]:
        with private_index(tmp_path / "index") as index:
            yield index

    def test_is_built_from_it_and_keeps_nothing_of_it(
        self, engine: Engine, render: Render, index: PrivateIndex, tmp_path: Path
    ) -> None:
        name = "localhost/private"
        service = Service(render(**VARIANTS[2])).with_settings(index.settings)
        service.run("uv", "add", "--quiet", f"--index=internal={index.url}", PACKAGE)
        # First, since a build takes what another one has left in the cache.
        unknown = service.with_settings({"NETRC": "", "CONTAINER_ENGINE": str(engine.program)})
        refused = unknown.fails("uv", "run", "just", "image", name, *build_contexts(engine), status=2)
        stages = {name: [], f"{name}-build": ["--target=build"]}
        for image, arguments in stages.items():
            build_image(engine, service, image, *arguments)
        word = engine.run("run", "--rm", name, "python", "-c", "import internal_words; print(internal_words.WORD)")
        kept = [secret for image in stages for secret in index.secrets if secret in saved(engine, image, tmp_path)]

        assert "inside" == word.strip()
        assert [] == kept
        assert "401 Unauthorized" in refused


@pytest.mark.parametrize("text", ["quotes", "jinja", "unicode", "yaml"])
def test_labels_show_any_text_as_typed(engine: Engine, render: Render, tmp_path: Path, text: str) -> None:
    project = render(project_slug="svc", project_name=AWKWARD[text], description=AWKWARD[text])
    labels = (project / "Dockerfile").read_text("utf-8").partition("\nARG ")[2]
    (tmp_path / "Dockerfile").write_text(f"FROM scratch\nARG {labels}", "utf-8")
    engine.run("build", "--quiet", "--tag", f"localhost/{text}", str(tmp_path))
    shown = json.loads(engine.run("inspect", "--format", "{{json .Config.Labels}}", f"localhost/{text}"))

    assert AWKWARD[text] == shown["org.opencontainers.image.title"]
    assert AWKWARD[text] == shown["org.opencontainers.image.description"]


class TestDockerfile:
    @pytest.mark.parametrize("version", choices("python_version"))
    def test_is_pinned_and_the_linter_has_nothing_to_say(self, render: Render, version: str) -> None:
        project = render(python_version=version)
        text = (project / "Dockerfile").read_text("utf-8")
        linted = subprocess.run(["hadolint", "Dockerfile"], cwd=project, capture_output=True, text=True, check=False)

        assert "" == linted.stdout
        assert 0 == linted.returncode
        images = [line.split()[1] for line in text.splitlines() if line.startswith("FROM ")]
        assert all(
            re.search(rf":[0-9.]*{'' if 'uv' in image else version}.*@sha256:[0-9a-f]{{64}}$", image)
            for image in images
        )

    def test_what_is_built_here_is_the_default(self) -> None:
        assert PYTHON == questions()["python_version"]["default"]
        assert set(choices("python_version")) == pinned_images()["python"].keys()
