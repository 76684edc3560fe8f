"""What Prometheus reads of a service: of one process, and of several that count together."""

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest
import yaml

from tests.conftest import Install, Render
from tests.containers import Engine
from tests.kubernetes import kustomized, manifests, of_kind
from tests.prometheus import program
from tests.rendering import choices
from tests.servers import free_port
from tests.service import Service
from tests.test_boot import events, wait_for
from tests.wire.samples import an_order

HELD = 16  # connections that are kept open; that one of two workers gets none of them is a matter of 2**-15
UNFINISHED = (
    b"POST /v1/orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
)
OF_LISTS = 'http_requests_total{method="GET",route="/v1/orders",status="200"}'
UNDER_WAY = 'http_requests_in_progress{method="POST"}'


@pytest.fixture
def promtool(tmp_path: Path) -> str:
    """Return the path of Prometheus' own linter."""
    return program("promtool", tmp_path)


def migrated(install: Install, framework: str) -> Service:
    """Return a service with orders and an empty database, for anybody."""
    service = install({"framework": framework, "database": "sqlite", "auth": "none", "example": True})
    for file in service.directory.glob("app.db*"):
        file.unlink()
    service.run("uv", "run", "just", "migrate")
    return service


def samples(base_url: str) -> dict[str, float]:
    """Return the value of each sample that /metrics shows."""
    lines = httpx2.get(f"{base_url}/metrics").raise_for_status().text.splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {sample: float(value) for sample, value in pairs}


def held(base_url: str) -> Iterator[socket.socket]:
    """Yield connections with a request each whose body does not end."""
    url = httpx2.URL(base_url)
    for _ in range(HELD):
        connection = socket.create_connection((url.host, url.port))
        connection.sendall(UNFINISHED)
        yield connection


def shared_by(worker: str) -> Path:
    """Return the directory in which a worker keeps its numbers."""
    found = re.search(r"/\S+/metrics-\w+", Path(f"/proc/{worker}/maps").read_text("utf-8"))
    assert found is not None
    return Path(found[0])


def awaited(base_url: str, sample: str, *values: float) -> float:
    """Return the value of `sample` once it is one of `values`."""
    deadline = time.monotonic() + 30
    while (found := samples(base_url)[sample]) not in values:
        assert time.monotonic() < deadline, f"{sample} is {found}"
        time.sleep(0.05)
    return found


@pytest.mark.parametrize("framework", choices("framework"))
def test_several_workers_count_together_at_a_port_of_their_own(install: Install, framework: str) -> None:
    service, port = migrated(install, framework), free_port()
    settings = {"WORKERS": "2", "METRICS_PORT": str(port)}
    metrics = f"http://127.0.0.1:{port}"
    with (
        ExitStack() as connections,
        service.with_settings(settings).serving("uv", "run", "app", "serve", codes=[0]) as base_url,
    ):
        # Each of the two serves two ports.
        wait_for(service, "Started worker-", times=4)
        for number in range(20):
            httpx2.get(f"{base_url}/v1/orders").raise_for_status()
            httpx2.post(f"{base_url}/v1/orders", json=an_order(reference=f"{number}")).raise_for_status()
        assert {(20, 20)} == {(each[OF_LISTS], each["orders_created_total"]) for each in scrapes(metrics)}
        assert [404, 404] == [httpx2.get(url).status_code for url in (f"{base_url}/metrics", f"{metrics}/healthz")]
        other = service.with_settings({"METRICS_PORT": str(port), "PORT": str(free_port()), "HOST": "127.0.0.1"})
        assert f"cannot listen on 127.0.0.1:{port}" in other.fails("uv", "run", "app", "serve")

        for connection in held(base_url):
            connections.enter_context(connection)
        awaited(metrics, UNDER_WAY, HELD)
        spawned = "Spawning worker-1 with PID: "
        (worker,) = (event.removeprefix(spawned) for event in events(service) if event.startswith(spawned))
        directory = shared_by(worker)
        os.kill(int(worker), signal.SIGKILL)
        wait_for(service, spawned, times=2)
        awaited(metrics, UNDER_WAY, *range(1, HELD))
        assert (20, 20) == (samples(metrics)[OF_LISTS], samples(metrics)["orders_created_total"])
        connections.close()
    assert not directory.exists()


def scrapes(base_url: str) -> Iterator[dict[str, float]]:
    """Yield what /metrics shows, asked often enough that each worker has answered."""
    for _ in range(10):
        yield samples(base_url)


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("framework", choices("framework"))
def test_prometheus_finds_nothing_wrong_with_them(
    install: Install, framework: str, workers: str, promtool: str
) -> None:
    with migrated(install, framework).with_settings({"WORKERS": workers}).serving() as base_url:
        httpx2.get(f"{base_url}/v1/orders")
        text = httpx2.get(f"{base_url}/metrics").content
    found = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False)
    assert (0, b"", b"") == (found.returncode, found.stdout, found.stderr)


def test_only_monitoring_reaches_the_metrics(engine: Engine, render: Render) -> None:
    text = kustomized(engine, render(deploy=["kubernetes"]), "production")
    pods = of_kind(text, "Deployment")["spec"]["template"]
    rules = {each["metadata"]["name"]: each["spec"] for each in manifests(text) if each["kind"] == "NetworkPolicy"}
    public, monitoring = rules["my-service-ingress"]["ingress"]

    (port,) = (each["containerPort"] for each in pods["spec"]["containers"][0]["ports"] if each["name"] == "metrics")
    assert [{"name": "METRICS_PORT", "value": str(port)}] == pods["spec"]["containers"][0]["env"]
    assert str(port) == pods["metadata"]["annotations"]["prometheus.io/port"]
    assert ([{"port": 8000}], [{"port": port}]) == (public["ports"], monitoring["ports"])
    assert "monitoring" in yaml.safe_dump(monitoring["from"])
    assert ["http"] == [each["name"] for each in of_kind(text, "Service")["spec"]["ports"]]
