"""The README's first commands do what they promise, in a fresh clone."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.rendering import REPOSITORY, git
from tests.servers import free_port

START_SECONDS = 120


def commands() -> list[str]:
    """Return the lines of the README's shell blocks, in order."""
    blocks = re.findall(r"```sh\n(.*?)```", (REPOSITORY / "README.md").read_text("utf-8"), re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def wait_until_it_serves(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx2.get(f"{url}/readyz").status_code == httpx2.codes.OK:
                return
        except httpx2.TransportError:
            time.sleep(0.2)
    pytest.fail(f"it does not serve:\n{log.read_text('utf-8')[-4000:]}")


def test_one_line_starts_a_service_and_two_more_create_and_list_an_order(template: Path, tmp_path: Path) -> None:
    install, _, start = commands()[0].partition(" && ")
    assert install == "python3 -m pip install uv"  # the tests run under uv: it is here
    git(tmp_path, "clone", "--quiet", str(template), "slipway")
    port, log = free_port(), tmp_path / "log"
    environment = {**os.environ, "PORT": str(port), "UV_PYTHON_DOWNLOADS": "never"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["bash", "-c", start],
            cwd=tmp_path / "slipway",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_until_it_serves(f"http://127.0.0.1:{port}", process, log)
        created, listed = (curl(line.replace(":8000", f":{port}")) for line in commands()[1:3])
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(START_SECONDS)
    assert "A-1" == created["reference"]
    assert [created["id"]] == [order["id"] for order in listed["data"]]


def curl(line: str) -> dict[str, Any]:
    """Run a line of curl and return the JSON that it prints."""
    assert line.startswith("curl ")
    return json.loads(subprocess.run(["bash", "-c", line], check=True, capture_output=True).stdout)
