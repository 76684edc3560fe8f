"""A service is brought into production by its own commands, on a real engine, and released anew while it answers."""

import json
import shlex
import shutil
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import httpx2
import pytest

from tests.compose import Stack, stack
from tests.conftest import Image, Install, Render
from tests.containers import Engine
from tests.docker import Docker
from tests.hardening import (
    expect_access_log,
    expect_accounts,
    expect_apart,
    expect_hardened,
    expect_metrics,
    expect_tls,
)
from tests.processes import completed
from tests.registry import Registry
from tests.rendering import Answers, combinations, git, variant_id
from tests.service import Service
from tests.signing import RUN, sign, signing_key
from tests.ssh import Machine, machine
from tests.test_container import VARIANTS, caller
from tests.wire.samples import an_order

# Signs in from another address than this machine's: from a container in the network of the proxy.
SIGN_IN = """
import socket, ssl, sys
context = ssl.create_default_context(cafile="/authority.crt")
with context.wrap_socket(socket.create_connection(("proxy", 443)), server_hostname="localhost") as client:
    body = b"username=mallory%40example.com&password=guess"
    head = b"POST /v1/auth/token HTTP/1.1\\r\\nHost: localhost\\r\\n"
    head += b"Content-Type: application/x-www-form-urlencoded\\r\\n"
    client.sendall(head + b"Connection: close\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body)
    print(client.recv(12).decode())
"""

Up = Callable[..., AbstractContextManager[Stack]]
Released = Callable[..., str]


@pytest.fixture
def up(docker: Docker, engine: Engine, install: Install, image: Image, shared: Path) -> Up:
    """Return a context manager that brings a variant up, which trusts the key of this test run."""

    def start(answers: Answers, **settings: str) -> AbstractContextManager[Stack]:
        name, service = image(answers), install(answers)
        signing_key(shared).trusted_by(service.directory)
        return stack(docker, engine, service, name, answers, **settings)

    return start


@contextmanager
def calling(stack: Stack) -> Generator[Counter[object]]:
    """Call the service all the time, and yield how often it answered with which status and revision."""
    seen, stop = Counter[object](), Event()

    def call() -> None:
        with stack.client() as client:
            while not stop.wait(0.05):
                try:
                    answer = client.get("/healthz")
                    seen[answer.status_code, answer.headers.get("x-revision")] += 1
                except httpx2.HTTPError as error:
                    seen[repr(error)] += 1

    thread = Thread(target=call, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join(60)


def revision(stack: Stack) -> str:
    """Return which revision answers."""
    with stack.client() as client:
        return client.get("/healthz").headers["x-revision"]


@pytest.mark.parametrize("answers", VARIANTS, ids=variant_id)
def test_compose_gives_a_working_https_api_that_keeps_its_data(up: Up, answers: Answers) -> None:
    with up(answers) as stack:
        with stack.client() as client:
            headers = caller(client, answers["auth"], stack.execute)
            made = client.post("/v1/orders", json=an_order(), headers=headers)
        expect_tls(stack)
        expect_hardened(stack)
        expect_apart(stack, answers["auth"])
        expect_metrics(stack)
        expect_access_log(stack)
        if answers["database"] != "sqlite":
            expect_accounts(stack, answers["database"])
        stack.compose("stop", "api")
        api = json.loads(stack.docker.run("inspect", stack.container("api")))[0]
        stack.compose("down")
        stack.compose("up", "--wait")
        with stack.client() as client:
            listed = client.get("/v1/orders", headers=headers)

    assert 201 == made.status_code
    assert "max-age=31536000; includeSubDomains" == made.headers["strict-transport-security"]
    assert 0 == api["State"]["ExitCode"]
    assert [made.json()["id"]] == [order["id"] for order in listed.json()["data"]]


def test_the_proxy_passes_the_clients_address_on_and_believes_nobody_elses(up: Up) -> None:
    with up(VARIANTS[0], RATE_LIMIT_LOGIN="3/hour", WORKERS="1") as stack, stack.client() as client:
        here = []
        for number in range(5):
            form = {"username": f"eve{number}@example.com", "password": "guess"}
            address = f"203.0.113.{number}"
            claim = {"X-Forwarded-For": address, "Forwarded": f"for={address}", "X-Forwarded-Prefix": "/elsewhere"}
            here.append(client.post("/v1/auth/token", data=form, headers=claim).status_code)
        document = client.get("/openapi.json", headers={"X-Forwarded-Prefix": "/elsewhere"}).json()
        network = f"--network={stack.service.settings['COMPOSE_PROJECT_NAME']}_edge"
        trusted = f"--volume={stack.authority}:/authority.crt:ro"
        there = stack.docker.run("run", "--rm", network, trusted, stack.image, "python", "-c", SIGN_IN)

    assert [401, 401, 401, 429, 429] == here
    assert "servers" not in document
    assert "HTTP/1.1 401" == there.strip()


@pytest.fixture
def released(registry: Registry, shared: Path) -> Released:
    """Return a function that builds, pushes and signs a later image of a stack, and returns its name by digest."""
    key, name = signing_key(shared), "acme/released"

    def publish(stack: Stack, tag: str, *, signed: bool = True, run: dict[str, str] | None = None, **more: str) -> str:
        target = f"{registry.address}/{name}:{tag}"
        stack.docker.run("tag", stack.built(tag, **more), target)
        stack.docker.run("push", "--quiet", target)
        image = f"{registry.address}/{name}@{registry.digest(name, tag)}"
        if signed:
            sign(stack.service, registry, key, image, **(run or {}))
        return image

    return publish


def release(stack: Stack, image: str) -> str:
    """Release an image by the service's own task, and return what it prints; `FAILED` last if it failed."""
    ours = {"SSL_CERT_FILE": str(stack.authority), "PATIENCE_SECONDS": "10"}
    settings = {**RUN, **ours, "PUBLIC_URL": stack.base_url}
    task = 'uv run just release-compose "$1" 2>&1 || echo FAILED'
    return stack.service.with_settings(settings).run("sh", "-c", task, "sh", image)


def test_a_release_replaces_what_runs_only_if_it_works_and_is_signed(up: Up, released: Released) -> None:
    with up(VARIANTS[0]) as stack:
        first = revision(stack)
        images = [
            released(stack, "second"),
            released(stack, "broken", command='["false"]'),
            released(stack, "wrong", answers_as="other"),
            released(stack, "tampered", signed=False),
        ]
        with calling(stack) as seen:
            printed = [release(stack, image) for image in images]
        last = revision(stack)
        noted = (stack.service.directory / "deploy/compose/.env").read_text("utf-8")

    assert "answers with revision second" in printed[0]
    assert "Nothing was replaced" in printed[1]
    assert "FAILED" == printed[1].split()[-1]
    assert f"Back to {images[0]}" in printed[2]
    assert "FAILED" == printed[2].split()[-1]
    assert "no verified provenance and no bill of materials" in printed[3]
    assert "==>" not in printed[3]
    assert "FAILED" == printed[3].split()[-1]
    assert "second" == last
    assert f"IMAGE={images[0]}" in noted.splitlines()
    # Not one request was lost, and what was broken never answered.
    assert {(200, first), (200, "second"), (200, "other")} == seen.keys()


@contextmanager
def cloned(origin: Path, stack: Stack) -> Generator[Path]:
    """Make the service of a stack a clone of `origin`, and yield a clone of that where somebody has made a commit."""
    there, here = stack.service.directory, origin.with_name("here")
    git(there, "add", "--all")
    git(there, "commit", "--quiet", "--message", "Start")
    git(origin.parent, "clone", "--quiet", "--bare", str(there), str(origin))
    git(there, "remote", "add", "origin", str(origin))
    git(origin.parent, "clone", "--quiet", str(origin), str(here))
    git(here, "commit", "--quiet", "--allow-empty", "--message", "A change")
    git(here, "push", "--quiet", "origin", "HEAD")
    try:
        yield here
    finally:
        shutil.rmtree(there / ".git")
        git(there, "init", "--quiet")


def test_a_pipeline_releases_over_ssh_on_a_machine_that_has_a_clone(up: Up, released: Released, tmp_path: Path) -> None:
    with up(VARIANTS[2]) as stack, cloned(tmp_path / "origin.git", stack) as here:
        (tmp_path / ".profile").write_text(f"export PATH={shlex.quote(stack.service.settings['PATH'])}\n", "utf-8")
        ours = {"SSL_CERT_FILE": str(stack.authority), "PATIENCE_SECONDS": "10", "HOME": str(tmp_path), "PATH": "/bin"}
        with machine({**stack.service.settings, **ours}) as reached:
            # Nothing tells that machine which repository it has but where its clone comes from.
            built = {"GITHUB_SERVER_URL": str(tmp_path), "GITHUB_REPOSITORY": "origin"}
            second, tampered = released(stack, "second", run=built), released(stack, "tampered", signed=False)
            before = git(stack.service.directory, "rev-parse", "HEAD")
            stranger = replace(reached, known_hosts=reached.known_hosts.replace("AAAAI", "AAAAJ"))
            refused = [
                release_over_ssh(stack, here, reached, tampered),
                release_over_ssh(stack, here, stranger, second),
            ]
            untouched = git(stack.service.directory, "rev-parse", "HEAD")
            printed = release_over_ssh(stack, here, reached, second)
        heads = {git(each, "rev-parse", "HEAD") for each in (here, stack.service.directory)}
        last = revision(stack)

    assert "answers with revision second" in printed
    assert "FAILED" not in printed
    assert "second" == last
    assert 1 == len(heads)
    assert before == untouched
    assert "no verified provenance and no bill of materials" in refused[0]
    assert ["FAILED", "FAILED"] == [each.split()[-1] for each in refused]
    assert "Host key verification failed" in refused[1]


def release_over_ssh(stack: Stack, here: Path, reached: Machine, image: str) -> str:
    """Release an image from a clone without settings, and return what is printed; `FAILED` last if it failed."""
    settings = {
        "PUBLIC_URL": stack.base_url,
        "SSH_HOST": reached.host,
        "SSH_KNOWN_HOSTS": reached.known_hosts,
        "SSH_KEY_BASE64": reached.key_base64,
        "COMPOSE_DIRECTORY": str(stack.service.directory),
    }
    task = 'uv run just release-compose-over-ssh "$1" 2>&1 || echo FAILED'
    return Service(here, settings).run("sh", "-c", task, "sh", image)


@contextmanager
def recorded_verification(revision: str) -> Generator[str]:
    """Yield the address of something that answers as a service of a revision does."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(200)
            self.send_header("X-Revision", revision)
            self.end_headers()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def configured(service: Service) -> str:
    """Return what Compose makes of the file of a service; needs no engine."""
    deploy = service.directory / "deploy/compose"
    (deploy / ".env").write_text((deploy / ".env.example").read_text("utf-8"), "utf-8")
    return completed(["docker-compose", "config", "--format=json"], cwd=deploy).stdout


@pytest.mark.parametrize("answers", combinations("database", "auth"), ids=variant_id)
def test_compose_understands_the_file(render: Render, answers: Answers) -> None:
    services = json.loads(configured(Service(render(**answers, deploy=["compose"]))))["services"]
    expected = {"proxy", "api", "migrate"} | ({"database"} if answers["database"] != "sqlite" else set())
    assert expected == services.keys()
    assert {"proxy"} == {name for name, service in services.items() if "ports" in service}
    assert all("@sha256:" in service["image"] for name, service in services.items() if name in {"proxy", "database"})
