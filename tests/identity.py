"""A real identity provider for the tests: npm's oidc-provider in a process of its own, set up in tests/provider/."""

import json
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2
import pytest

from tests.node import NODE, installed
from tests.servers import free_port
from tests.wire.service import Credentials, Who

AUDIENCE = "https://api.example"
START_SECONDS = 30
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
                [NODE, "server.mjs", json.dumps({**options, "clients": CLIENTS})],
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


def new_provider(shared: Path) -> Provider:
    """Return a provider at an address of its own, not yet running."""
    return Provider(installed("provider", shared), free_port())


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
