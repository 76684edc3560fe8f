"""What a service's own documents tell people to type works as it stands there."""

import re
from itertools import cycle
from pathlib import Path

import pytest

from tests.conftest import Install
from tests.identity import AUDIENCE, NewProvider
from tests.rendering import choices
from tests.service import Service

ADDRESS = "http://localhost:8000"
# OpenID Connect has a test of its own: its callers need a provider.
STYLES = [auth for auth in choices("auth") if auth != "oidc"]


def code(page: Path, language: str, heading: str) -> str:
    """Return the code blocks in `language` under `heading`, one after the other."""
    _, _, after = page.read_text("utf-8").partition(f"## {heading}\n")
    section, _, _ = after.partition("\n## ")
    blocks = re.findall(rf"^```{language}\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    assert blocks, f"{page} has nothing to type under {heading!r}"
    return "\n".join(blocks)


def migrated(install: Install, tmp_path: Path, framework: str, auth: str) -> Service:
    """Return a service with the example and a database of its own, ready to serve."""
    # An answer that is an error is one for curl, too.
    (tmp_path / ".curlrc").write_text("silent\nshow-error\nfail\n", "utf-8")
    settings = {"DATABASE_URL": f"sqlite:///{tmp_path}/app.db", "CURL_HOME": str(tmp_path)}
    answers = {"framework": framework, "database": "sqlite", "auth": auth, "example": True}
    service = install(answers).with_settings(settings)
    service.run("uv", "run", "just", "migrate")
    return service


@pytest.mark.parametrize(("auth", "framework"), list(zip(STYLES, cycle(choices("framework")), strict=False)))
def test_the_readme_can_be_followed(install: Install, tmp_path: Path, auth: str, framework: str) -> None:
    service = migrated(install, tmp_path, framework, auth)
    script = code(service.directory / "README.md", "shell", "Call it")
    with service.serving() as base_url:
        printed = service.run("bash", "-euo", "pipefail", "-c", script.replace(ADDRESS, base_url))

    assert '"reference":"2026-0001"' in printed
    assert '"has_more":false' in printed


def test_the_readme_can_be_followed_with_a_provider(
    install: Install, new_provider: NewProvider, tmp_path: Path
) -> None:
    service = migrated(install, tmp_path, "fastapi", "oidc")
    shell = code(service.directory / "README.md", "shell", "Call it")
    python = code(service.directory / "docs" / "authentication.md", "python", "Get a token and call")
    client = 'client_id, client_secret = "alice", "alicealice"\n'
    with new_provider().running() as provider, service.with_settings(provider.settings).serving() as base_url:
        # What only the reader knows; all else is typed as it stands there.
        known = {"https://id.example.com": provider.issuer, "https://api.example.com": AUDIENCE, ADDRESS: base_url}
        known |= {"SCOPES": "orders:read", "/v1/…": "/v1/orders"}
        for shown, real in known.items():
            shell, python = shell.replace(shown, real), python.replace(shown, real)
        caller = service.with_settings({"CLIENT_ID": "alice", "CLIENT_SECRET": "alicealice"})
        printed = caller.run("bash", "-euo", "pipefail", "-c", shell)
        answered = service.run("uv", "run", "python", "-c", f"{client}{python}\nprint(answer.text)")

    assert '"reference":"2026-0001"' in printed
    assert '"has_more":false' in printed
    assert '"reference":"2026-0001"' in answered


@pytest.mark.parametrize("framework", choices("framework"))
def test_users_can_call_from_python(install: Install, tmp_path: Path, framework: str) -> None:
    service = migrated(install, tmp_path, framework, "jwt")
    user = '{"email": "ada@example.com", "password": "correct horse battery staple"}'
    script = code(service.directory / "docs" / "authentication.md", "python", "Call from Python")
    with service.serving() as base_url:
        service.run("curl", "--json", user, f"{base_url}/v1/users")
        printed = service.run("uv", "run", "python", "-c", script.replace(ADDRESS, base_url))

    assert "'email': 'ada@example.com'" in printed
