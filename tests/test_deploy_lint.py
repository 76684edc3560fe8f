"""Linters by others find nothing in what services are deployed with, and find what is planted."""

import itertools
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from yamllint.config import YamlLintConfig
from yamllint.linter import run as yamllint

from tests.conftest import Render
from tests.containers import Engine
from tests.kubernetes import kustomized
from tests.leftovers import leftovers
from tests.node import installed
from tests.processes import completed
from tests.rendering import REPOSITORY, Answers, choices, combinations, own_texts, rendered_files, variant_id
from tests.test_render import parse, untidy

CHECKOV = "checkov==3.3.30"
# A release names its image by digest, and such an image is the same wherever it comes from.
SKIPPED = "CKV_K8S_15"
IMAGE = "registry.example/app@sha256:" + "0" * 64


def dclint(shared: Path, project: Path) -> "subprocess.CompletedProcess[str]":
    """Run dclint over the Compose file of a service."""
    home = installed("linters", shared)
    command = [str(home / "node_modules/.bin/dclint"), "--config", str(home / "dclint.yaml"), "--max-warnings", "0"]
    file = project / "deploy/compose/compose.yaml"
    return subprocess.run([*command, str(file)], capture_output=True, text=True, check=False)


def plant(file: Path, sound: str, planted: str) -> None:
    """Put a mistake into a file."""
    text = file.read_text("utf-8")
    assert sound in text
    file.write_text(text.replace(sound, planted), "utf-8")


@pytest.mark.parametrize("database", choices("database"))
def test_dclint_has_nothing_to_say(shared: Path, render: Render, database: str) -> None:
    linted = dclint(shared, render(database=database, deploy=["compose"]))
    assert (0, "") == (linted.returncode, linted.stdout.strip())


def test_dclint_finds_what_is_planted(shared: Path, render: Render) -> None:
    project = render(deploy=["compose"])
    plant(project / "deploy/compose/compose.yaml", '- "${HTTP_PORT:-80}:80"', "- ${HTTP_PORT:-80}:80")
    linted = dclint(shared, project)
    assert 1 == linted.returncode
    assert "require-quotes-in-ports" in linted.stdout


@pytest.mark.parametrize("database", ["postgresql", "mysql"])
def test_shellcheck_has_nothing_to_say(render: Render, database: str) -> None:
    files = rendered_files(render(database=database, deploy=["compose", "kubernetes"])).values()
    scripts = [str(path) for path in files if path.read_bytes().startswith(b"#!/bin/sh")]
    assert 5 == len(scripts)
    assert "" == completed(["shellcheck", *scripts]).stdout


def test_checkov_finds_nothing_but_what_is_planted(engine: Engine, render: Render, tmp_path: Path) -> None:
    project = render(deploy=["kubernetes"])
    text = kustomized(engine, project, "production").replace("app:unreleased", IMAGE)
    scanned = tmp_path / "scanned"
    scanned.mkdir()
    (scanned / "sound.yaml").write_text(text, "utf-8")
    (scanned / "planted.yaml").write_text(text, "utf-8")
    plant(scanned / "planted.yaml", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false")
    shutil.copy(project / "Dockerfile", scanned)
    command = ["uvx", "--quiet", CHECKOV, "--directory", str(scanned), "--skip-check", SKIPPED, "--skip-download"]
    printed = completed([*command, "--output", "json", "--soft-fail"]).stdout
    results = {result["check_type"]: result for result in json.loads(printed)}
    failed = [check for result in results.values() for check in result["results"]["failed_checks"]]

    assert {"kubernetes", "dockerfile"} == results.keys()
    assert results["kubernetes"]["summary"]["passed"] > 100
    assert {("/planted.yaml", "CKV_K8S_22")} == {(check["file_path"], check["check_id"]) for check in failed}


# Every database with every way to deploy it; the styles take turns, and kubernetes refuses a database in a file.
DEPLOYED = [
    pytest.param(answers := {**pair, "auth": auth}, id=variant_id(answers))
    for pair, auth in zip(combinations("database", "deploy"), itertools.cycle(choices("auth")))
    if not (pair["database"] == "sqlite" and "kubernetes" in pair["deploy"])
]


@pytest.mark.parametrize("answers", DEPLOYED)
def test_every_deployment_is_valid_and_leaves_nothing_of_others(render: Render, answers: Answers) -> None:
    project = render(framework="fastapi", example=True, **answers)
    texts = own_texts(project)
    rules = YamlLintConfig(file=str(REPOSITORY / ".yamllint.yml"))
    documents = {name: text for name, text in texts.items() if name.endswith((".yml", ".yaml"))}
    assert [] == [f"{name}: {problem}" for name, text in documents.items() for problem in yamllint(text, rules)]
    assert [] == [line for name, text in texts.items() for line in untidy(name, text)]
    assert [] == leftovers(texts, {"framework": "fastapi", "example": True, **answers})
    assert ("deploy/verify.py" in texts) == bool(answers["deploy"])
    for name, text in texts.items():
        parse(name, text)
