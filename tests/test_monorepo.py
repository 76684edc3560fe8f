"""Two services side by side in one repository, by the words of docs/how-to/monorepo.md."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from filelock import FileLock

from tests.bytecode import compile_bytecode
from tests.containers import Engine
from tests.edits import newest_migration
from tests.machine import environment
from tests.osv import Vulnerabilities
from tests.pipelines import Pipeline
from tests.provider_variables import ORIGIN
from tests.registry import Registry
from tests.rendering import REPOSITORY, Answers, git, render
from tests.service import Service
from tests.signing import signing_key
from tests.test_ci import few_tests
from tests.test_compatible import migrate
from tests.updates import NEWER, commit, conflicts, next_release

PAGE = (REPOSITORY / "docs/how-to/monorepo.md").read_text("utf-8")
PLAIN: Answers = {"database": "sqlite", "example": False, "ci": "github"}
SHOP: Answers = {**PLAIN, "project_name": "Shop", "framework": "fastapi", "auth": "none"}
BILLING: Answers = {**PLAIN, "project_name": "Billing", "framework": "flask", "auth": "api_key"}
# Made for this test.
SECRET = (
    'aws_access_key_id = AKIAZ7VRSQWERT3GMNXK\naws_secret_access_key = "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"\n'
)
STALE = "openapi.json is not what the code produces"
OPENAPI = ("uv", "run", "--quiet", "app", "openapi", "--check")


@dataclass(frozen=True)
class Repository:
    """A repository with the services `shop` and `billing`."""

    root: Path

    @property
    def shop(self) -> Service:
        """Return the first service."""
        return Service(self.root / "services/shop")

    @property
    def billing(self) -> Service:
        """Return the second service."""
        return Service(self.root / "services/billing")

    def changed(self) -> list[str]:
        """Return the paths of what differs from the newest commit."""
        return [line[3:] for line in git(self.root, "status", "--porcelain", "--untracked-files=all").splitlines()]


@pytest.fixture
def repository(shared: Path, template: Path) -> Iterator[Repository]:
    """Return a repository with two services, as it was committed first with their locks, to this test alone."""
    repository = Repository(shared / "company")
    root = repository.root
    with FileLock(f"{root}.lock"):
        if not root.exists():
            for service, answers in ((repository.shop, SHOP), (repository.billing, BILLING)):
                render(template, service.directory, **answers)
                service.run("uv", "sync", "--quiet")
                compile_bytecode(service.directory / ".venv", shared / "bytecode")
            git(root, "init", "--quiet", "--initial-branch", "main")
            commit(root, "Start")
            git(root, "tag", "start")
        git(root, "reset", "--quiet", "--hard", "start")
        git(root, "clean", "--quiet", "-d", "--force")
        yield repository


def document(service: Service) -> str:
    """Return the OpenAPI document that a service has committed."""
    return (service.directory / "openapi.json").read_text("utf-8")


def block(language: str, holds: str) -> str:
    """Return the block of the page that holds these words."""
    return next(text for text in re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL) if holds in text)


class TestEnvironments:
    def test_each_service_answers_its_own_command(self, repository: Repository) -> None:
        for service in (repository.shop, repository.billing, repository.shop):
            service.run(*OPENAPI)
        assert document(repository.shop) != document(repository.billing)

    def test_members_of_a_workspace_do_not(self, repository: Repository, tmp_path: Path) -> None:
        git(repository.root, "clone", "--quiet", ".", str(tmp_path / "workspace"))
        workspace = Repository(tmp_path / "workspace")
        (workspace.root / "pyproject.toml").write_text('[tool.uv.workspace]\nmembers = ["services/*"]\n', "utf-8")

        workspace.billing.run(*OPENAPI)
        assert STALE in workspace.shop.fails(*OPENAPI)
        workspace.shop.run("uv", "run", "--quiet", "app", "openapi")
        assert document(workspace.billing) == document(workspace.shop)

    def test_a_workspace_of_others_is_no_matter(self, repository: Repository) -> None:
        (repository.root / "pyproject.toml").write_text('[tool.uv.workspace]\nmembers = ["packages/*"]\n', "utf-8")
        for service in (repository.shop, repository.billing):
            service.run(*OPENAPI)
        assert ["pyproject.toml"] == repository.changed()


class TestUpdate:
    def test_changes_one_folder(self, repository: Repository, template: Path, tmp_path: Path) -> None:
        newer = next_release(template, tmp_path / "newer")
        answers = repository.shop.directory / ".copier-answers.yml"
        answers.write_text(
            re.sub("^_src_path: .*", f"_src_path: {newer}", answers.read_text("utf-8"), flags=re.MULTILINE), "utf-8"
        )
        commit(repository.root, "Follow the newer one")

        repository.shop.run("uv", "run", "--quiet", "just", "template-update", "--defaults", "--vcs-ref", NEWER)
        changed = repository.changed()
        assert "services/shop/app/db/models/audits.py" in changed
        assert "services/shop/justfile" in changed
        assert "services/shop/.github/workflows/ci.yml" in changed
        assert [] == [name for name in changed if not name.startswith("services/shop/")]
        assert set() == conflicts(repository.root)
        assert "" == repository.shop.run("uv", "run", "--quiet", "just", "template-diff")


class TestTasks:
    def test_conflicts_are_those_of_the_folder(self, repository: Repository) -> None:
        (repository.shop.directory / "notes.md").write_text("<<<<<<< before updating\n", "utf-8")
        assert "notes.md:1:<<<<<<<" in repository.shop.fails("uv", "run", "just", "lint")
        repository.billing.run("uv", "run", "just", "conflicts")

    def test_the_hooks_of_the_page_find_them(
        self, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "hooks"))
        (repository.root / ".pre-commit-config.yaml").write_text(block("yaml", "repo: local"), "utf-8")
        (repository.shop.directory / "notes.md").write_text("<<<<<<< before updating\n", "utf-8")
        git(repository.root, "add", "--all")
        root = Service(repository.root)
        assert "notes.md:1" in root.fails("uvx", "--quiet", "pre-commit", "run", "shop")
        assert "no files to check" in root.run("uvx", "--quiet", "pre-commit", "run", "billing")

    def test_a_secret_in_the_history_of_the_folder_is_found(self, repository: Repository) -> None:
        path = repository.shop.directory / "settings.cfg"
        path.write_text(SECRET, "utf-8")
        commit(repository.root, "Add settings")
        path.unlink()
        commit(repository.root, "Delete settings")
        assert "services/shop/settings.cfg" in repository.shop.fails("uv", "run", "just", "secrets", status=200)
        repository.billing.run("uv", "run", "just", "secrets")
        # Nothing is committed of this one.
        (repository.billing.directory / "new.cfg").write_text(SECRET, "utf-8")
        assert "new.cfg" in repository.billing.fails("uv", "run", "just", "secrets", status=200)

    def test_the_tests_of_the_release_before_run_on_the_new_tables(self, repository: Repository) -> None:
        newest = newest_migration(repository.billing.directory)
        migrate(repository.billing, "added", newest, 'add_column("api_keys", sa.Column("a", sa.String(LENGTH)))')
        commit(repository.root, "Add a column")
        check = ("uv", "run", "just", "check-compatible", "HEAD~1", "tests/integration/test_keys.py")
        printed = repository.billing.run(*check)
        assert "changed: added.py" in printed
        assert " passed" in printed
        assert "No migration was added" in repository.shop.run("uv", "run", "just", "check-compatible")


class TestWorkflows:
    def test_github_gets_one_for_each_service(self, repository: Repository) -> None:
        made = workflows(repository.root)
        assert {"shop", "billing"} == made.keys()
        subprocess.run(["actionlint", *(repository.root / ".github/workflows").iterdir()], check=True)
        for name, workflow in made.items():
            assert {"run": {"working-directory": f"services/{name}"}} == workflow["defaults"]
            assert f"services/{name}/**" in workflow[True]["push"]["paths"]
            assert workflow["concurrency"]["group"].startswith(f"{name}-")
            assert f"{name}-registry" == workflow["jobs"]["publish"]["environment"]
        assert made["shop"]["jobs"].keys() - made["billing"]["jobs"].keys() == {"updates"}

    def test_that_of_a_service_passes_and_publishes(
        self, template: Path, shared: Path, tmp_path: Path, engine: Engine, registry: Registry, osv: Vulnerabilities
    ) -> None:
        root, key = tmp_path / "company", signing_key(shared)
        folder = render(template, root / "services/shop", **SHOP)
        key.trusted_by(folder)
        Service(folder).run("uv", "lock", "--quiet")
        workflows(root)
        git(root, "init", "--quiet", "--initial-branch", "main")
        git(root, "remote", "add", "origin", ORIGIN)
        commit(root, "Start")
        git(root, "update-ref", "refs/remotes/origin/main", "HEAD")

        pipeline = Moved("github", root, environment(engine, shared, registry, osv, tmp_path), signing_key=key.private)
        with few_tests(pipeline, folder):
            outcome = pipeline.run()
        assert outcome.passed, outcome.log[-20_000:]
        (digest,) = [path.read_text("utf-8") for path in tmp_path.glob("pushed-*")]
        assert registry.labels("acme/my-service/shop", digest)["org.opencontainers.image.revision"]


@dataclass(frozen=True)
class Moved(Pipeline):
    """The pipeline of a service that is a folder, where GitHub reads it."""

    @property
    def file(self) -> Path:
        """Return the file that describes it."""
        return self.directory / ".github/workflows/shop.yml"


def workflows(root: Path) -> dict[str, dict[Any, Any]]:
    """Return the workflows that the script of the page makes, by name."""
    (root / ".github").mkdir()
    (root / ".github/workflows.sh").write_text(block("sh", "#!/bin/sh"), "utf-8")
    subprocess.run(["sh", ".github/workflows.sh"], cwd=root, check=True)
    paths = (root / ".github/workflows").iterdir()
    return {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in paths}
