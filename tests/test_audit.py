"""What a service is checked for besides its code: vulnerabilities, secrets, leftovers; each is planted, and found."""

import json
from pathlib import Path

import pytest

from tests.conftest import Render
from tests.osv import Vulnerabilities
from tests.rendering import git
from tests.service import Service


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
    def test_every_dependency_is_asked_about(self, service: Service, osv: Vulnerabilities) -> None:
        just(service, "audit", "--osv-url", osv.url)

        assert {"sqlalchemy", "fastapi", "pytest"} <= osv.asked

    def test_a_known_vulnerability_fails(self, service: Service, osv: Vulnerabilities) -> None:
        osv.vulnerable = "sqlalchemy"

        with pytest.raises(AssertionError, match="GHSA-test"):
            just(service, "audit", "--osv-url", osv.url)

    def test_no_answer_fails(self, service: Service) -> None:
        with pytest.raises(AssertionError, match="Connection refused"):
            just(service, "audit", "--osv-url", "http://127.0.0.1:9/v1/query")

    def test_a_dependency_that_cannot_be_looked_up_fails(
        self, service: Service, osv: Vulnerabilities, tmp_path: Path
    ) -> None:
        other = tmp_path / "other"
        other.mkdir()
        (other / "pyproject.toml").write_text('[project]\nname = "other"\nversion = "1"\n', "utf-8")
        service.run("uv", "add", "--quiet", "--no-editable", str(other))

        with pytest.raises(AssertionError, match="does not contain a hash"):
            just(service, "audit", "--osv-url", osv.url)

    def test_a_lock_that_is_not_current_fails(self, service: Service, osv: Vulnerabilities) -> None:
        pyproject = service.directory / "pyproject.toml"
        pyproject.write_text(pyproject.read_text("utf-8").replace('"click>=8.3,<9"', '"click>=8.2,<9"'), "utf-8")

        with pytest.raises(AssertionError, match=r"uv\.lock` needs to be updated"):
            service.run("uv", "run", "--frozen", "just", "audit", "--osv-url", osv.url)


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
