"""Render the template as a user would: from a tagged clone, without trust and without this machine's settings."""

import itertools
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache, wraps
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

import pytest
import yaml
from _pytest.mark import ParameterSet
from copier import Settings, run_copy
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from tests.releases import releases, tag_releases

REPOSITORY = Path(__file__).parent.parent
TAG = "v999.0.0"
ANSWERS_FILE = ".copier-answers.yml"
MEMORY = Path("/dev/shm")  # noqa: S108 - Copier makes folders of its own in it
GIGABYTE = 2**30

# A file of another project, kept as it came.
VENDORED = re.compile(r"/static/|/assets/")

Answers = dict[str, Any]


def compile_once() -> None:
    """Let Jinja compile each text once for all renderings of this process, with the result that it would have anyway.

    Copier compiles every part of 740 paths anew for each rendering, which takes a third of the time.
    """
    compile_anew = cast("Callable[..., object]", Environment.compile)
    made: dict[object, object] = {}

    @wraps(compile_anew)
    def compiled(environment: Environment, *arguments: object, **options: object) -> object:
        key = (type(environment), arguments, *options.items())
        if key not in made:
            made[key] = compile_anew(environment, *arguments, **options)
        return made[key]

    Environment.compile = compiled  # ty: ignore[invalid-assignment]


compile_once()


@cache
def config() -> dict[str, Any]:
    """Return copier.yml: settings start with an underscore, everything else is a question."""
    return yaml.safe_load((REPOSITORY / "copier.yml").read_text("utf-8"))


def questions() -> dict[str, dict[str, Any]]:
    """Return the questions that are asked: all but the hidden one that chooses the overlay folders."""
    return {name: question for name, question in config().items() if not name.startswith("_") and name != "overlay"}


def overlays(answers: Answers) -> dict[str, str]:
    """Return what the folder of each overlay renders to with `answers`, to all questions that overlays ask for."""
    return yaml.safe_load(jinja().from_string(config()["overlay"]["default"]).render(answers))


@cache
def jinja() -> SandboxedEnvironment:
    """Return Jinja as Copier sets it up for this template: its settings, and Ansible's filters."""
    options = {**config()["_envops"], "undefined": StrictUndefined}
    filters = ["jinja2_ansible_filters.AnsibleCoreFiltersExtension"]
    return SandboxedEnvironment(loader=FileSystemLoader(REPOSITORY), extensions=filters, **options)


def choices(name: str) -> list[Any]:
    """Return every answer that the question `name` offers; where any number may be chosen, every choice of some."""
    question = questions()[name]
    if question["type"] == "bool":
        return [True, False]
    offered = question["choices"]
    values = list(offered.values()) if isinstance(offered, dict) else offered
    if not question.get("multiselect"):
        return values
    values = [value["value"] if isinstance(value, dict) else value for value in values]
    return [list(some) for count in range(len(values) + 1) for some in itertools.combinations(values, count)]


def combinations(*names: str) -> list[Answers]:
    """Return every combination of the choices of the questions `names`."""
    return [dict(zip(names, values, strict=True)) for values in itertools.product(*map(choices, names))]


def variant_id(answers: Answers) -> str:
    """Return a readable test id, for example `flask-mysql-none-example`."""
    words = {"example": {True: "example", False: "plain"}}
    return "-".join(
        "+".join(["deploy", *value]) if isinstance(value, list) else words.get(name, {}).get(value, str(value))
        for name, value in answers.items()
    )


def variant_cases() -> list[ParameterSet]:
    """Return a test case for each variant: every framework with every database and every authentication style.

    Without the example a service is tested with every framework and every style; the databases take turns, since
    what is left does little with them.
    """
    whole = [{**answers, "example": True} for answers in combinations("framework", "database", "auth")]
    databases = itertools.cycle(choices("database"))
    plain = [
        {"framework": answers["framework"], "database": next(databases), "auth": answers["auth"], "example": False}
        for answers in combinations("framework", "auth")
    ]
    return [pytest.param(answers, id=variant_id(answers)) for answers in [*whole, *plain]]


def git(directory: Path, *arguments: str) -> str:
    """Run git in `directory` and return what it prints."""
    command = ["git", "-C", str(directory), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def clone_template(destination: Path) -> Path:
    """Clone this repository with its uncommitted changes, commit those and tag the result `TAG`, and all releases."""
    git(REPOSITORY, "clone", "--quiet", ".", str(destination))
    tag_releases(destination, releases())
    git(destination, "rm", "-r", "--quiet", ".")
    listed = git(REPOSITORY, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        source, target = REPOSITORY / name, destination / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    git(destination, "add", "--all")
    git(destination, "commit", "--quiet", "--allow-empty", "--no-verify", "--message", "The working tree under test")
    git(destination, "tag", TAG)
    return destination


@contextmanager
def hurried() -> Generator[None]:
    """Let Copier do in less time what it would do anyway.

    Its copies of the template, thousands of small files, are in memory where there is room, and it does not ask git of
    each of 200 files whether its mode matters: on the machines of the tests it does.
    """
    room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > GIGABYTE
    with (
        patch("tempfile.tempdir", str(MEMORY) if room else tempfile.tempdir),
        patch("copier._main.is_git_available", return_value=False),
    ):
        yield


def render(template: Path, destination: Path, **answers: object) -> Path:
    """Render `template` into `destination` with defaults for what `answers` leaves out, and return `destination`."""
    if unknown := answers.keys() - questions().keys():
        message = f"no such question: {', '.join(sorted(unknown))}"
        raise KeyError(message)
    return render_release(template, destination, TAG, answers)


def render_release(template: Path, destination: Path, tag: str, answers: Answers) -> Path:
    """Render the version `tag` of `template` into `destination`, and return `destination`."""
    with hurried():
        run_copy(
            str(template),
            destination,
            data=answers,
            vcs_ref=tag,
            defaults=True,
            unsafe=False,
            quiet=True,
            settings=Settings(),
        )
    return destination


def rendered_files(project: Path) -> dict[str, Path]:
    """Return the files of a rendering by their path relative to `project`, with forward slashes."""
    return {path.relative_to(project).as_posix(): path for path in sorted(project.rglob("*")) if path.is_file()}


def own_texts(project: Path) -> dict[str, str]:
    """Return the rendered files' texts by path, without those of other projects."""
    files = rendered_files(project)
    return {name: path.read_bytes().decode() for name, path in files.items() if not VENDORED.search(name)}


def cases(*names: str) -> list[ParameterSet]:
    """Return every combination of the answers `names` as a test case; in the quick ones, the databases take turns."""
    databases, turns = choices("database"), combinations("auth", "example")

    def marks(answers: Answers) -> list[pytest.MarkDecorator]:
        turn = turns.index({"auth": answers["auth"], "example": answers["example"]})
        return [pytest.mark.quick] if answers["database"] == databases[turn % len(databases)] else []

    return [pytest.param(answers, id=variant_id(answers), marks=marks(answers)) for answers in combinations(*names)]


VARIANT = ("framework", "database", "auth", "example")
CASES = cases(*VARIANT)
