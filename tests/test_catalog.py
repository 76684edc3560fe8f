"""The description for Backstage's software catalog, validated by Backstage's own model of it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from yamllint.config import YamlLintConfig
from yamllint.linter import run as yamllint

from tests.conftest import Render
from tests.node import NODE, installed
from tests.rendering import REPOSITORY
from tests.test_render import untidy

NAME = "catalog-info.yaml"


def entities(project: Path) -> list[dict[str, Any]]:
    """Return what a service's description describes, with the files that it points to in it, as the catalog does."""
    text = (project / NAME).read_text("utf-8")
    assert [] == untidy(NAME, text)
    assert [] == [str(problem) for problem in yamllint(text, YamlLintConfig(file=str(REPOSITORY / ".yamllint.yml")))]
    described = list(yaml.safe_load_all(text))
    for entity in described:
        if "definition" in entity["spec"]:
            entity["spec"]["definition"] = (project / entity["spec"]["definition"]["$text"]).read_text("utf-8")
    return described


def validated(described: list[dict[str, Any]], shared: Path) -> "subprocess.CompletedProcess[str]":
    """Validate entities as Backstage does."""
    home = installed("catalog", shared)
    return subprocess.run(
        [NODE, "validate.cjs"], cwd=home, input=json.dumps(described), capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("owner", "group"),
    [("Platform Team", "platform-team"), ("3rd Shift's Équipe", "team-3rd-shifts-equipe"), ("平台", "team")],
)
def test_backstage_takes_it(render: Render, shared: Path, owner: str, group: str) -> None:
    texts = {"project_name": 'The "best" {{ x }}: # shop 🚀', "description": "- Sells \\ 'all'", "owner": owner}
    described = entities(project := render(**texts, project_slug="shop", catalog=True, deploy=["kubernetes"]))
    run = validated(described, shared)

    assert 0 == run.returncode, run.stderr
    component, api = described
    assert [texts["project_name"], texts["description"]] == [
        component["metadata"][key] for key in ("title", "description")
    ]
    assert [group, group] == [entity["spec"]["owner"] for entity in described]
    assert [api["metadata"]["name"]] == component["spec"]["providesApis"]
    assert "/healthz" in json.loads(api["spec"]["definition"])["paths"]
    kustomization = yaml.safe_load((project / "deploy/kubernetes/base/kustomization.yaml").read_text("utf-8"))
    selector = component["metadata"]["annotations"]["backstage.io/kubernetes-label-selector"]
    assert [dict([selector.split("=")])] == [labels["pairs"] for labels in kustomization["labels"]]


def test_a_name_that_it_refuses_is_found(render: Render, shared: Path) -> None:
    described = entities(render(catalog=True, deploy=[]))
    described[0]["metadata"]["name"] = "no name"
    run = validated(described, shared)
    assert 1 == run.returncode
    assert '"metadata.name" is not valid' in run.stderr
