"""Every combination of answers renders, without trust, a project that is valid, formatted and free of leftovers."""

import itertools
import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from yamllint.config import YamlLintConfig
from yamllint.linter import run as yamllint

from tests.conftest import Render, Rendered
from tests.leftovers import leftovers
from tests.pipelines import FILES
from tests.rendering import (
    ANSWERS_FILE,
    CASES,
    REPOSITORY,
    VARIANT,
    Answers,
    cases,
    choices,
    combinations,
    own_texts,
    questions,
    render,
    rendered_files,
    variant_id,
)

WINDOWS_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


def parse(name: str, text: str) -> None:
    """Parse a file by what its name says that it is."""
    if name.endswith((".yml", ".yaml")):
        list(yaml.safe_load_all(text))
    elif name.endswith(".toml"):
        tomllib.loads(text)
    elif name.endswith(".json"):
        json.loads(text)


PYTHON = re.compile(r"^```python\n.*?^```$", re.MULTILINE | re.DOTALL)
"""Code in a page, which the formatter keeps tidy."""


def untidy(name: str, text: str) -> list[str]:
    """Return what an editor or a linter would change, and Jinja that was not rendered."""
    asked = "|".join([*questions(), "overlay"])
    rules = {
        "does not end with one line break": bool(text) and not re.search(r"[^\n]\n\Z", text),
        "has trailing spaces": bool(re.search(r"[ \t]$", text, re.MULTILINE)),
        "has carriage returns": "\r" in text,
        "starts with an empty line": text.startswith("\n") and not name.startswith("LICENSE"),
        "has two empty lines in a row": not name.endswith((".py", ".py.mako")) and "\n\n\n" in PYTHON.sub("code", text),
        "has Jinja left": bool(re.search(rf"{{%|(?<!\$){{{{\s*({asked})\b|_copier", text)),
    }
    return [f"{name} {rule}" for rule, broken in rules.items() if broken]


@pytest.mark.parametrize("project", CASES, indirect=True)
class TestEveryVariant:
    @pytest.mark.parametrize("command", ["format --check", "check"])
    def test_ruff_has_nothing_to_say(self, project: Path, command: str) -> None:
        run = subprocess.run(
            ["ruff", *command.split(), "--no-cache", "."], cwd=project, capture_output=True, text=True, check=False
        )
        assert 0 == run.returncode, run.stdout + run.stderr

    def test_yamllint_has_nothing_to_say(self, project: Path) -> None:
        rules = YamlLintConfig(file=str(REPOSITORY / ".yamllint.yml"))
        texts = {name: text for name, text in own_texts(project).items() if name.endswith((".yml", ".yaml"))}
        assert [] == [f"{name}: {problem}" for name, text in texts.items() for problem in yamllint(text, rules)]

    def test_files_parse(self, project: Path) -> None:
        for name, text in own_texts(project).items():
            parse(name, text)

    def test_files_are_tidy(self, project: Path) -> None:
        assert [] == [line for name, text in own_texts(project).items() for line in untidy(name, text)]

    def test_names_are_legal_everywhere(self, project: Path) -> None:
        names = list(rendered_files(project))
        assert len(names) == len({name.lower() for name in names})
        assert [] == [name for name in names if re.search(r'[<>:"|?*\\{}]|[. ](/|$)', name)]
        assert [] == [name for name in names if any(map(WINDOWS_DEVICE.match, name.split("/")))]


class TestFrameworks:
    ALLOWED = re.compile(
        r"app/main\.py|app/api/.*|tests/client\.py|tests/unit/test_wsgi\w*\.py|docs/architecture\.md|pyproject\.toml"
        r"|\.copier-answers\.yml"
    )

    @pytest.mark.parametrize("answers", cases("database", "auth", "example"))
    def test_differ_in_http_alone(self, rendered: Rendered, answers: Answers) -> None:
        fastapi, flask = (own_texts(rendered({"framework": name, **answers})) for name in ("fastapi", "flask"))
        differ = {name for name in fastapi.keys() | flask.keys() if fastapi.get(name) != flask.get(name)}
        assert {"app/main.py", "pyproject.toml"} <= differ
        assert [] == sorted(name for name in differ if not self.ALLOWED.fullmatch(name))

    @pytest.mark.parametrize("answers", cases("database", "auth", "example"))
    def test_differ_in_dependencies_alone(self, rendered: Rendered, answers: Answers) -> None:
        metadata = []
        for name in ("fastapi", "flask"):
            path = rendered({"framework": name, **answers}) / "pyproject.toml"
            metadata.append(tomllib.loads(path.read_text("utf-8")))
            metadata[-1]["project"].pop("dependencies")
            metadata[-1].pop("dependency-groups")
            # Each keeps its own framework out of the lower layers.
            metadata[-1]["tool"]["importlinter"]["contracts"][1].pop("forbidden_modules")
        assert metadata[0] == metadata[1]


@pytest.mark.quick
class TestRendering:
    def test_is_the_same_every_time(self, render: Render) -> None:
        assert own_texts(render("one")) == own_texts(render("two"))

    def test_merges_folders_that_render_to_a_dot_and_leaves_out_those_that_render_to_nothing(
        self, tmp_path: Path
    ) -> None:
        files = {
            "copier.yml": "_subdirectory: template\n"
            "overlay: {type: yaml, when: false, default: \"{chosen: ., other: ''}\"}\n",
            "template/app/base.txt": "base",
            "template/{{ overlay.chosen }}/app/chosen.txt": "chosen",
            "template/{{ overlay.other }}/app/other.txt": "other",
        }
        for name, text in files.items():
            (tmp_path / "template" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "template" / name).write_text(text, "utf-8")
        render(tmp_path / "template", tmp_path / "project")
        assert ["app/base.txt", "app/chosen.txt"] == list(rendered_files(tmp_path / "project"))


# Licenses and Pythons take turns: every pair meets every framework, every style and most databases.
LICENSED = [
    pytest.param({**answers, **more}, id=variant_id({**answers, **more}))
    for answers, more in zip(combinations(*VARIANT), itertools.cycle(combinations("license", "python_version")))
]
# A pipeline differs by the database that it starts; the framework and the style change nothing in it.
PIPELINES = [
    pytest.param({"framework": framework, "auth": auth, "example": example, **answers}, id=variant_id(answers))
    for answers, (framework, auth, example) in zip(
        combinations("ci", "database"),
        itertools.cycle(itertools.product(*map(choices, ("framework", "auth", "example")))),
        strict=False,
    )
]


# What has to do with signatures, which there are where a pipeline publishes.
SIGNING = (
    r"provenance/\w+\.py|tests/unit/test_provenance\w*\.py|justfile|pyproject\.toml|docs/deploy-compose\.md"
    r"|deploy/compose/(compose\.just|release-over-ssh)"
)


class TestPipelines:
    @pytest.mark.parametrize("answers", PIPELINES)
    def test_change_little(self, rendered: Rendered, render: Render, answers: Answers) -> None:
        base = own_texts(rendered({name: answers[name] for name in VARIANT}))
        texts = own_texts(render(**answers))
        default, chosen = FILES.get(questions()["ci"]["default"], ""), FILES.get(answers["ci"], "")
        changed = {name for name in texts.keys() | base.keys() if base.get(name) != texts.get(name)}
        pages = {"README.md", "docs/pipeline.md", "docs/security.md"}
        allowed = {default, chosen, *pages, ".ci/uv.txt", "renovate.json", "provenance/build.py", ANSWERS_FILE}
        if answers["ci"] == "none":
            allowed |= {name for name in changed if re.fullmatch(SIGNING, name)}
        assert set() == changed - allowed
        assert (answers["ci"] != "none") == ("renovate.json" in texts) == (chosen in texts)
        assert [] == [line for name, text in texts.items() for line in untidy(name, text)]
        assert [] == leftovers(texts, answers)
        rules = YamlLintConfig(file=str(REPOSITORY / ".yamllint.yml"))
        for name in changed & texts.keys():
            parse(name, texts[name])
            if name.endswith((".yml", ".yaml")):
                assert [] == [str(problem) for problem in yamllint(texts[name], rules)]


class TestDefaultBranch:
    @pytest.mark.parametrize("provider", choices("ci"))
    def test_is_called_as_it_was_answered(self, render: Render, provider: str) -> None:
        usual = own_texts(render("usual", ci=provider, deploy=["compose", "kubernetes"]))
        other = own_texts(render("other", ci=provider, deploy=["compose", "kubernetes"], default_branch="trunk"))
        changed = {name: text for name, text in other.items() if usual[name] != text}
        named = {FILES[provider]} if provider in FILES else set()
        # No page and no pipeline has another use for the word.
        left = {name for name, text in changed.items() if re.search(r"(?<![.&*])\bmain\b(?!:)", text)}

        assert usual == {name: text.replace("trunk", "main") for name, text in other.items()}
        assert {"justfile", "docs/migrations.md", *(named - {".gitlab-ci.yml"})} <= changed.keys()
        assert set() == left


class TestLicensesAndPythons:
    """The license and the Python touch few files, so that not all need to be read again."""

    @pytest.mark.parametrize("answers", LICENSED)
    def test_change_little(self, rendered: Rendered, render: Render, answers: Answers) -> None:
        base = own_texts(rendered({name: answers[name] for name in VARIANT}))
        project = render(**answers)
        texts = own_texts(project)
        changed = {name: text for name, text in texts.items() if base.get(name) != text}
        allowed = {"Dockerfile", "LICENSE", "README.md", "pyproject.toml", ANSWERS_FILE, *FILES.values()}
        assert changed.keys() <= allowed
        assert changed.keys() | base.keys() == texts.keys()
        assert [] == [line for name, text in changed.items() for line in untidy(name, text)]
        assert [] == leftovers(texts, answers)
        for name, text in changed.items():
            parse(name, text)
