"""What a service is checked for besides its code: vulnerabilities, secrets, leftovers; each is planted, and found."""

import json
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest

from tests.conftest import Render
from tests.rendering import git
from tests.service import Service


class Vulnerabilities(BaseHTTPRequestHandler):
    """Stands in for osv.dev: it has a report of every version of the package `vulnerable`, and of no other."""

    vulnerable: ClassVar[str] = ""
    asked: ClassVar[set[str]] = set()

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["package"]["name"]
        self.asked.add(asked)
        found = {"vulns": [{"id": "GHSA-test", "aliases": [], "summary": "planted", "affected": []}]}
        body = json.dumps(found if asked == self.vulnerable else {}).encode()
        self.send_response_only(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def osv(monkeypatch: pytest.MonkeyPatch) -> Generator[str]:
    monkeypatch.setattr(Vulnerabilities, "asked", set())
    with HTTPServer(("127.0.0.1", 0), Vulnerabilities) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()
        thread.join()


@pytest.fixture
def service(render: Render) -> Service:
    """Return a service that is committed, as it came."""
    service = Service(render(database="sqlite", auth="none", example=False))
    git(service.directory, "init", "--quiet")
    service.run("uv", "lock", "--quiet")
    commit(service)
    return service


def commit(service: Service) -> None:
    git(service.directory, "add", "--all")
    git(service.directory, "commit", "--quiet", "--message", "A change")


def just(service: Service, *arguments: str) -> str:
    return service.run("uv", "run", "just", *arguments)


class TestAudit:
    def test_every_dependency_is_asked_about(self, service: Service, osv: str) -> None:
        just(service, "audit", "--osv-url", osv)

        assert {"sqlalchemy", "fastapi", "pytest"} <= Vulnerabilities.asked

    def test_a_known_vulnerability_fails(self, service: Service, osv: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Vulnerabilities, "vulnerable", "sqlalchemy")

        with pytest.raises(AssertionError, match="GHSA-test"):
            just(service, "audit", "--osv-url", osv)

    def test_no_answer_fails(self, service: Service) -> None:
        with pytest.raises(AssertionError, match="Connection refused"):
            just(service, "audit", "--osv-url", "http://127.0.0.1:9/v1/query")

    def test_a_dependency_that_cannot_be_looked_up_fails(self, service: Service, osv: str, tmp_path: Path) -> None:
        other = tmp_path / "other"
        other.mkdir()
        (other / "pyproject.toml").write_text('[project]\nname = "other"\nversion = "1"\n', "utf-8")
        service.run("uv", "add", "--quiet", "--no-editable", str(other))

        with pytest.raises(AssertionError, match="does not contain a hash"):
            just(service, "audit", "--osv-url", osv)

    def test_a_lock_that_is_not_current_fails(self, service: Service, osv: str) -> None:
        pyproject = service.directory / "pyproject.toml"
        pyproject.write_text(pyproject.read_text("utf-8").replace('"click>=8.3,<9"', '"click>=8.2,<9"'), "utf-8")

        with pytest.raises(AssertionError, match=r"uv\.lock` needs to be updated"):
            service.run("uv", "run", "--frozen", "just", "audit", "--osv-url", osv)


class TestSecrets:
    def test_a_new_service_holds_none(self, service: Service) -> None:
        just(service, "secrets")

    def test_one_in_the_history_is_found_and_not_shown(self, service: Service) -> None:
        key = "AKIAZ7VRSQWERT3GMNXK"  # made for this test
        secret = "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"  # the same
        path = service.directory / "settings.cfg"
        path.write_text(f'aws_access_key_id = {key}\naws_secret_access_key = "{secret}"\n', "utf-8")
        commit(service)
        path.unlink()
        commit(service)

        with pytest.raises(AssertionError, match=r"settings\.cfg") as found:
            just(service, "secrets")
        assert secret not in str(found.value)


class TestConflicts:
    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("README.md", "<<<<<<< before updating\nours\n=======\ntheirs\n>>>>>>> after updating\n"),
            ("app/new.py", "a = 1\n>>>>>>> after updating\n"),
            ("app/main.py.rej", "-a\n+b\n"),
        ],
    )
    def test_what_an_update_leaves_is_found(self, service: Service, name: str, text: str) -> None:
        (service.directory / name).write_text(text, "utf-8")

        with pytest.raises(AssertionError, match=name):
            just(service, "conflicts")

    def test_a_new_service_has_none_with_or_without_git(self, render: Render) -> None:
        service = Service(render(database="sqlite", auth="none", example=False))
        just(service, "conflicts")
        git(service.directory, "init", "--quiet")
        just(service, "conflicts")


def test_the_bill_of_materials_lists_what_production_installs(service: Service) -> None:
    just(service, "sbom")
    document = json.loads((service.directory / "sbom.json").read_text("utf-8"))
    names = {component["name"] for component in document["components"]}

    assert "CycloneDX" == document["bomFormat"]
    assert {"sqlalchemy", "fastapi"} <= names
    assert set() == {"pytest", "ruff", "pip-audit"} & names
