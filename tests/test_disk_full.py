"""A service on SQLite whose disk is full: it refuses changes, answers reads, and goes on once there is room."""

import json
import shutil
import subprocess
import time
from pathlib import Path

import httpx2
import pytest

from tests.conftest import Install
from tests.rendering import choices
from tests.service import UNLIMITED
from tests.wire.samples import an_item, an_order

MOST_ORDERS = 500
# In a namespace of its own, whoever runs the tests may mount a disk: a small one, which something else fills by half.
OWN_DISKS = ("unshare", "--map-root-user", "--mount")
ON_A_SMALL_DISK = """
mount -t tmpfs -o size=4m none "$DISK"
uv run just migrate
head -c 2M /dev/zero > "$DISK/other"
(until [ -e "$ROOM" ]; do sleep 0.1; done; rm "$DISK/other") &
exec uv run just serve
"""


def may_mount() -> bool:
    """Return whether this machine lets us mount a disk."""
    if shutil.which(OWN_DISKS[0]) is None:
        return False
    return subprocess.run([*OWN_DISKS, "mount", "-t", "tmpfs", "none", "/mnt"], check=False).returncode == 0


@pytest.mark.parametrize("framework", choices("framework"))
def test_it_lives_through_it(install: Install, tmp_path: Path, framework: str) -> None:
    if not may_mount():
        pytest.skip("no user namespaces: this test mounts a disk of its own")
    service = install({"framework": framework, "database": "sqlite", "auth": "none", "example": True})
    disk, room = tmp_path / "disk", tmp_path / "room"
    disk.mkdir()
    own = {"DATABASE_URL": f"sqlite:///{disk}/app.db", "DISK": str(disk), "ROOM": str(room), **UNLIMITED}
    command = (*OWN_DISKS, "sh", "-euc", ON_A_SMALL_DISK)
    with (
        service.with_settings(own).serving(*command) as base_url,
        httpx2.Client(base_url=base_url, timeout=30, trust_env=False) as client,
    ):
        made = []
        for _ in range(MOST_ORDERS):
            answer = create(client)
            if answer.status_code != 201:
                break
            made.append(answer.json()["id"])
        refused = [answer, *(create(client) for _ in range(5))]
        found = {client.get(f"/v1/orders/{each}").status_code for each in made}
        health = client.get("/healthz").status_code
        room.touch()
        deadline = time.monotonic() + 30
        while (later := create(client)).status_code == 503:
            assert time.monotonic() < deadline, "it does not notice that there is room"
        kept = {client.get(f"/v1/orders/{each}").status_code for each in (*made, later.json()["id"])}
    events = [json.loads(line)["event"] for line in log_of(service.directory)]

    assert made
    assert {(503, "unavailable")} == {(each.status_code, each.json()["code"]) for each in refused}
    assert all(int(each.headers["retry-after"]) > 0 for each in refused)
    assert ({200}, 200, 201, {200}) == (found, health, later.status_code, kept)
    assert "crash" not in events


def create(client: httpx2.Client) -> httpx2.Response:
    """Return how the creation of a large order is answered."""
    return client.post("/v1/orders", json=an_order(note="x" * 500, items=[an_item() for _ in range(100)]))


def log_of(directory: Path) -> list[str]:
    """Return what the service has logged, and not what the commands before it have said."""
    return [line for line in (directory / "serve.log").read_text("utf-8").splitlines() if line.startswith("{")]
