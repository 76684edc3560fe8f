"""The Docker Engine of the tests runs what Compose and CI runners ask of it."""

import httpx2

from tests.containers import Engine
from tests.docker import Docker
from tests.servers import free_port
from tests.stand_ins import stand_in


def test_publishes_ports_of_containers_that_find_each_other_by_name(engine: Engine, docker: Docker) -> None:
    docker.load(engine, stand_in(engine, "python"), "python:test")
    port, serve = free_port(), ["python", "-m", "http.server", "8000", "--directory", "/etc"]
    docker.run("network", "create", "test-net")
    try:
        run = ["run", "--detach", "--name=test-web", "--network=test-net", f"--publish=127.0.0.1:{port}:8000"]
        docker.run(*run, "--memory=128m", "--init", "python:test", *serve)
        code = "import urllib.request as u; print(u.urlopen('http://test-web:8000/os-release').status)"
        again = ['for each in 1 2 3 4 5 6 7 8 9; do python -c "$1" && exit; sleep 1; done', "sh", code]
        seen = docker.run("run", "--rm", "--network=test-net", "python:test", "sh", "-c", *again)
        answer = httpx2.get(f"http://127.0.0.1:{port}/os-release")
    finally:
        docker.run("rm", "--force", "test-web")
        docker.run("network", "rm", "test-net")

    assert "200" == seen.strip()
    assert "trixie" in answer.text


def test_has_compose(docker: Docker) -> None:
    assert "Docker Compose version" in docker.run("compose", "version")
