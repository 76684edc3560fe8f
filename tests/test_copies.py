"""Copies made with pytest-copie, as the authors of other templates would test this one."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from pytest_copie.plugin import Copie, Result

from tests.conftest import Render
from tests.rendering import TAG, choices, git, questions


class TestCopies:
    @pytest.mark.parametrize("version", questions()["python_version"]["choices"])
    def test_the_code_runs_on_3_11_whatever_production_runs(self, copie: Copie, template: Path, version: str) -> None:
        result = copie.copy(extra_answers={"python_version": version}, template_dir=template, vcs_ref=TAG)
        assert ">=3.11" == metadata(result)["requires-python"]

    @pytest.mark.parametrize(
        ("license_name", "title"),
        [("MIT", "MIT License"), ("Apache-2.0", "Apache License"), ("BSD-3-Clause", "BSD 3-Clause License")],
    )
    def test_the_chosen_license_is_there(self, copie: Copie, template: Path, license_name: str, title: str) -> None:
        result = copie.copy(extra_answers={"license": license_name}, template_dir=template, vcs_ref=TAG)
        assert license_name == metadata(result)["license"]
        assert title in (project_of(result) / "LICENSE").read_text("utf-8")

    def test_no_license_leaves_no_file(self, copie: Copie, template: Path) -> None:
        result = copie.copy(extra_answers={"license": "none"}, template_dir=template, vcs_ref=TAG)
        assert "license" not in metadata(result)
        assert not (project_of(result) / "LICENSE").exists()


def project_of(result: Result) -> Path:
    """Return where a copy is; pytest-copie keeps what went wrong to itself until it is asked."""
    assert result.exception is None
    assert result.exit_code == 0
    assert result.project_dir is not None
    return result.project_dir


def metadata(result: Result) -> dict[str, Any]:
    """Return the project table of a copy."""
    return tomllib.loads((project_of(result) / "pyproject.toml").read_text("utf-8"))["project"]


def test_scripts_stay_scripts_in_a_clone_on_windows(render: Render, tmp_path: Path) -> None:
    project = render(deploy=choices("deploy")[-1])
    git(project, "init", "--quiet")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "Start")

    git(tmp_path, "clone", "--quiet", "--config", "core.autocrlf=true", str(project), "windows")
    files = [tmp_path / "windows" / name for name in git(project, "ls-files").splitlines()]
    assert [] == [path for path in files if b"\r\n" in path.read_bytes()]
    assert "linguist-generated: set" in git(project, "check-attr", "linguist-generated", "openapi.json")
