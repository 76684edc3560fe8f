"""The bot that proposes updates, run by the service's own task on a newer version of the template."""

import json
from pathlib import Path

import pytest

from tests.rendering import git, render
from tests.service import Service

NEWER = "v999.1.0"
# As on a person's machine: nothing is pushed, and no platform is asked.
LOCAL = ("--platform=local", "--dry-run=full", "--onboarding=false", "--require-config=optional")


@pytest.fixture
def service(template: Path, tmp_path: Path) -> Service:
    """Return a service whose template has a newer version."""
    source = tmp_path / "template"
    git(tmp_path, "clone", "--quiet", str(template), str(source))
    project = render(source, tmp_path / "project", database="sqlite")
    git(source, "commit", "--quiet", "--allow-empty", "--message", "Something new")
    git(source, "tag", NEWER)
    answers = project / ".copier-answers.yml"
    # The bot reads no bare path.
    answers.write_text(answers.read_text("utf-8").replace(f"_src_path: {source}", f"_src_path: git+file://{source}"))
    settings = json.loads((project / "renovate.json").read_text("utf-8"))
    # For updates of the dependencies it asks github.com which versions of Python there are.
    settings["enabledManagers"].remove("pep621")
    (project / "renovate.json").write_text(json.dumps(settings), "utf-8")
    git(project, "init", "--quiet")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "Start")
    return Service(project, {"LOG_LEVEL": "debug"})


def test_a_newer_template_is_proposed_at_once(service: Service) -> None:
    # Half a gigabyte, where nobody has fetched it before.
    printed = service.run("uv", "run", "just", "renovate", *LOCAL, seconds=900)
    assert f'"newVersion": "{NEWER}"' in printed
    assert "updateType" in printed
    assert '"pendingChecks": true' not in printed
