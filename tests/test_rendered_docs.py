"""What a service's own documents tell people to type works as it stands there."""

import re
from itertools import cycle
from pathlib import Path

import pytest

from tests.conftest import Install
from tests.rendering import choices
from tests.service import Service

ADDRESS = "http://localhost:8000"
# OpenID Connect is left out: its documents call providers that only their readers have.
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


@pytest.mark.parametrize("framework", choices("framework"))
def test_users_can_call_from_python(install: Install, tmp_path: Path, framework: str) -> None:
    service = migrated(install, tmp_path, framework, "jwt")
    user = '{"email": "ada@example.com", "password": "correct horse battery staple"}'
    script = code(service.directory / "docs" / "authentication.md", "python", "Call from Python")
    with service.serving() as base_url:
        service.run("curl", "--json", user, f"{base_url}/v1/users")
        printed = service.run("uv", "run", "python", "-c", script.replace(ADDRESS, base_url))

    assert "'email': 'ada@example.com'" in printed
