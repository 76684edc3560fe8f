"""Prometheus and its linter, the machine's or Debian's, unpacked for the test that asks."""

import shutil
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from tests.docker import unpack
from tests.processes import START_SECONDS, kill_group
from tests.servers import free_port, launch

AWAITED_SECONDS = 120


def program(name: str, home: Path) -> str:
    """Return the path of `prometheus` or `promtool`, unpacked below `home` where the machine has none.

    The test is skipped where neither is to be had.
    """
    if found := shutil.which(name):
        return found
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        pytest.skip(f"no {name}: install Prometheus")
    unpacked = home / "root/usr/bin" / name
    if not unpacked.exists():
        unpack(home, "prometheus")
    return str(unpacked)


@dataclass(frozen=True)
class Prometheus:
    """A running Prometheus."""

    url: str

    def get(self, path: str, **parameters: str) -> dict[str, Any]:
        """Return the data of an answer of its API; one that is an error fails with what it says."""
        answer = httpx2.get(f"{self.url}/api/v1/{path}", params=parameters, timeout=60).json()
        assert answer["status"] == "success", f"{parameters}: {answer}"
        return answer["data"]

    def query(self, expression: str) -> list[Any]:
        """Return the series that an expression has now."""
        return self.get("query", query=expression)["result"]

    def awaited(self, expression: str) -> list[Any]:
        """Return the series of an expression once there are any."""
        deadline = time.monotonic() + AWAITED_SECONDS
        while not (found := self.query(expression)):
            assert time.monotonic() < deadline, f"never seen: {expression}"
            time.sleep(0.5)
        return found


@contextmanager
def prometheus(home: Path, config: dict[str, Any]) -> Generator[Prometheus]:
    """Start a Prometheus with the data in `home`, yield it once it is ready, and end it."""
    file, port = home / "prometheus.yaml", free_port()
    file.write_text(yaml.safe_dump(config), "utf-8")
    options = [f"--config.file={file}", f"--storage.tsdb.path={home}/data", f"--web.listen-address=127.0.0.1:{port}"]
    process = launch([program("prometheus", home), *options], str(home), None)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(process, url, home / "log")
        yield Prometheus(url)
    finally:
        kill_group(process)


def _wait(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text("utf-8")[-20_000:]
        try:
            if httpx2.get(f"{url}/-/ready").status_code == httpx2.codes.OK:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(log.read_text("utf-8")[-20_000:])
