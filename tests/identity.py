"""A real identity provider for the tests: npm's oidc-provider in a process of its own, set up in tests/provider/."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2
import pytest
from filelock import FileLock

from tests.rendering import REPOSITORY
from tests.servers import free_port
from tests.wire.service import Credentials, Who

AUDIENCE = "https://api.example"
START_SECONDS = 30
NODE = 20
BOTH = "orders:read orders:write"
CLIENTS = {
    "alice": {"scope": BOTH, "roles": []},
    "bob": {"scope": BOTH, "roles": []},
    "reader": {"scope": "orders:read", "roles": []},
    "nobody": {"scope": "", "roles": []},
    "admin": {"scope": BOTH, "roles": ["admin"]},
}


@dataclass(frozen=True)
class Provider:
    """A provider that can be started and stopped, always at the same address; `keys` are names, the first one signs."""

    home: Path
    port: int
    keys: tuple[str, ...] = ("first",)
    lifetime: int = 3600

    @property
    def issuer(self) -> str:
        """Return what tokens have in `iss`."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> dict[str, str]:
        """Return the settings that let a service believe this provider."""
        return {"AUTH_OIDC_ISSUER": self.issuer, "AUTH_OIDC_AUDIENCE": AUDIENCE}

    def with_keys(self, *names: str) -> "Provider":
        """Return the same provider with other keys."""
        return replace(self, keys=names)

    def with_lifetime(self, seconds: int) -> "Provider":
        """Return the same provider, its tokens valid for so long."""
        return replace(self, lifetime=seconds)

    @contextmanager
    def running(self) -> Generator["Provider"]:
        """Run the provider until the end of the block."""
        options = {"port": self.port, "audience": AUDIENCE, "keys": self.keys, "lifetime": self.lifetime}
        log = self.home / "provider.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                ["node", "server.mjs", json.dumps({**options, "clients": CLIENTS})],
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            _wait_until_it_answers(self.issuer, process, log)
            yield self
        finally:
            process.terminate()
            process.wait(START_SECONDS)

    def bearer(self, client: str, *, audience: str = AUDIENCE, scope: str | None = None) -> Who:
        """Return the header with which a client calls, its token fresh from the provider."""
        wanted = CLIENTS[client]["scope"] if scope is None else scope
        form = {"grant_type": "client_credentials", "resource": audience, **({"scope": wanted} if wanted else {})}
        answer = httpx2.post(f"{self.issuer}/token", data=form, auth=(client, client * 2), trust_env=False)
        assert httpx2.codes.OK == answer.status_code, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def credentials(self, *, scopes: bool) -> Credentials:
        """Return what each caller shows; without `scopes`, the service has none to grant."""
        return Credentials(**{name: self.bearer(name, scope=None if scopes else "") for name in CLIENTS})


NewProvider = Callable[[], Provider]


def install_from_npm(shared: Path, name: str) -> Path:
    """Install what a folder of tests/ asks of npm once for this test run, and return where; skip without Node."""
    if not _has_node():
        pytest.skip(
            f"no Node.js {NODE} or later with npm: install it (apt-get install nodejs npm, on Debian 13 or later)"
        )
    home = shared / name
    with FileLock(f"{home}.lock"):
        if not (home / "node_modules").exists():
            shutil.copytree(REPOSITORY / "tests" / name, home, dirs_exist_ok=True)
            _npm_install(home)
    return home


def new_provider(shared: Path) -> Provider:
    """Return a provider at an address of its own, not yet running."""
    return Provider(install_from_npm(shared, "provider"), free_port())


def _has_node() -> bool:
    if shutil.which("node") is None or shutil.which("npm") is None:
        return False
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    return int(version.strip().removeprefix("v").partition(".")[0]) >= NODE


def _npm_install(home: Path) -> None:
    # No lock file: it would hold the address of a registry. Versions are exact.
    command = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--omit=dev"]
    run = subprocess.run(command, cwd=home, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        shutil.rmtree(home / "node_modules", ignore_errors=True)
        pytest.skip(f"npm cannot install it: {run.stderr.strip()[-500:]}")


def _wait_until_it_answers(issuer: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text("utf-8")[-4000:]
        try:
            httpx2.get(f"{issuer}/jwks", trust_env=False).raise_for_status()
        except httpx2.HTTPError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"{issuer} does not answer\n{log.read_text('utf-8')[-4000:]}")
