"""The tasks between an image and the registry: it is scanned, listed, pushed and signed, and no login is left."""

import json
from base64 import b64encode
from pathlib import Path

import asyncssh
import pytest

from tests.containers import Engine
from tests.docker import Docker
from tests.pipelines import Outcome, Pipeline
from tests.prepared import BRANCHES, NewPipeline, logins
from tests.provider_variables import PASSWORD
from tests.registry import Registry
from tests.signing import bill_of
from tests.stand_ins import stand_in


class TestImageSbom:
    def test_lists_what_is_in_an_image(self, new_pipeline: NewPipeline, engine: Engine, tmp_path: Path) -> None:
        image, path = stand_in(engine, "python"), tmp_path / "sbom.json"
        outcome = new_pipeline("gitlab", "sqlite").command("uv", "run", "just", "image-sbom", image, str(path))

        assert outcome.passed, outcome.log
        bill = json.loads(path.read_text("utf-8"))
        assert "libc6" in {component["name"] for component in bill["components"]}
        identity = engine.run("image", "inspect", "--format", "{{.Id}}", image).strip()
        noted = bill["metadata"]["component"]["properties"]
        assert [f"sha256:{identity}"] == [each["value"] for each in noted if each["name"].endswith(":ImageID")]


class TestScan:
    def test_a_secret_in_an_image_is_found(self, new_pipeline: NewPipeline, engine: Engine, tmp_path: Path) -> None:
        (tmp_path / "settings.cfg").write_text("aws_access_key_id = AKIAZ7VRSQWERT3GMNXK\n", "utf-8")  # made for this
        (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY settings.cfg /\n", "utf-8")
        engine.run("build", "--quiet", "--tag", "localhost/leaky", str(tmp_path))
        outcome = new_pipeline("gitlab", "sqlite").command("uv", "run", "just", "scan", "localhost/leaky")

        assert not outcome.passed
        assert "settings.cfg" in outcome.log


@pytest.fixture
def saved(engine: Engine, tmp_path: Path) -> tuple[Path, str]:
    """Return a file that holds a small image, and the hash that engines know it by; no engine has it under a name."""
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n", "utf-8")
    engine.run("build", "--quiet", "--tag", "localhost/small:1", str(tmp_path))
    identity = engine.run("image", "inspect", "--format", "{{.Id}}", "localhost/small:1").strip()
    engine.run("save", "--output", str(tmp_path / "small.tar"), "localhost/small:1")
    engine.run("rmi", "localhost/small:1")
    return tmp_path / "small.tar", identity


# What GitLab says of a job.
JOB = {
    "CI_PROJECT_URL": "https://github.com/acme/My-Service",
    "CI_COMMIT_SHA": "0123456789012345678901234567890123456789",
    "CI_COMMIT_BRANCH": BRANCHES["sqlite"],
    "CI_SERVER_URL": "https://gitlab.example",
    "CI_JOB_URL": "https://gitlab.example/jobs/1",
}


def publish(pipeline: Pipeline, saved: tuple[Path, str], name: str, **given: str) -> Outcome:
    """Publish an image that a file holds as a job of GitLab does, whose variables are `given`."""
    bill = saved[0].with_name("sbom.json")
    bill.write_text(bill_of(f"sha256:{saved[1]}"), "utf-8")
    variables = {**JOB, **pipeline.registry, **given}
    return pipeline.command("uv", "run", "just", "publish", str(saved[0]), name, str(bill), **variables)


class TestPublish:
    def test_pushes_what_a_file_holds_and_leaves_no_login(
        self, new_pipeline: NewPipeline, registry: Registry, saved: tuple[Path, str], tmp_path: Path
    ) -> None:
        pipeline, name = new_pipeline("gitlab", "sqlite"), f"{registry.address}/acme/small"
        outcome = publish(pipeline, saved, f"{name}:2")

        assert outcome.passed, outcome.log
        (digest,) = [path.read_text("utf-8") for path in tmp_path.glob("pushed-*")]
        assert f"{name}@{digest}" in outcome.log.splitlines()
        assert registry.image("acme/small", digest) == saved[1]
        assert pipeline.command("uv", "run", "just", "verify", f"{name}@{digest}").passed
        ((*said, login),) = logins(tmp_path)
        assert said == [registry.address, "--username", "robot", "--password-stdin", PASSWORD]
        assert not Path(login).parent.exists()

    def test_docker_does_so_where_its_context_says(
        self, new_pipeline: NewPipeline, registry: Registry, docker: Docker, saved: tuple[Path, str], tmp_path: Path
    ) -> None:
        (tmp_path / "temporary").mkdir()
        pipeline = new_pipeline("gitlab", "sqlite")
        given = {
            # The real one, and not what stands in for it.
            "PATH": f"{docker.environment['PATH']}:{pipeline.environment['PATH']}",
            "LD_LIBRARY_PATH": docker.environment["LD_LIBRARY_PATH"],
            "DOCKER_CONFIG": str(tmp_path / "config"),
            "TMPDIR": str(tmp_path / "temporary"),
        }
        where = f"host={docker.environment['DOCKER_HOST']}"
        assert pipeline.command("docker", "context", "create", "rootless", "--docker", where, **given).passed
        assert pipeline.command("docker", "context", "use", "rootless", **given).passed
        name = f"{registry.address}/acme/docker"
        outcome = publish(pipeline, saved, f"{name}:2", **given)

        assert outcome.passed, outcome.log
        (digest,) = [line.partition("@")[2] for line in outcome.log.splitlines() if line.startswith(f"{name}@")]
        assert registry.image("acme/docker", digest) == saved[1]
        assert "Login Succeeded" in outcome.log
        assert {} == json.loads((tmp_path / "config/config.json").read_text("utf-8"))["auths"]
        # uv leaves a lock there.
        assert [] == [path for path in (tmp_path / "temporary").iterdir() if path.is_dir()]

    def test_pushes_nothing_that_it_cannot_sign(
        self, new_pipeline: NewPipeline, saved: tuple[Path, str], tmp_path: Path
    ) -> None:
        pipeline, name = new_pipeline("gitlab", "sqlite"), "registry.example/acme/small:3"
        other = asyncssh.generate_private_key("ecdsa-sha2-nistp256").export_private_key("pkcs8-pem")
        outcomes = {
            "SIGNING_KEY is not set": publish(pipeline, saved, name, SIGNING_KEY=""),
            "SIGNING_KEY is not the private half of": publish(
                pipeline, saved, name, SIGNING_KEY=b64encode(other).decode()
            ),
            "There is no not-there.json": pipeline.command(
                *("uv", "run", "just", "publish", str(saved[0]), name, "not-there.json"), **JOB, **pipeline.registry
            ),
        }
        assert [] == [reason for reason, outcome in outcomes.items() if outcome.passed or reason not in outcome.log]
        assert ([], []) == (list(tmp_path.glob("pushed-*")), logins(tmp_path))
