"""The template's own rules: overlays, no trust, no Jinja in Python, sizes to read at one sitting."""

import ast
import itertools
import re
import subprocess
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from tests.rendering import REPOSITORY, choices, combinations, config, git, overlays, questions

ROOT = "template/"
OVERLAY = re.compile(r"\{\{ overlay\.(\w+) \}\}")
EVERYWHERE = {"deploy": choices("deploy")[-1], "catalog": True}
FILE_LINES = 300
FUNCTION_LINES = 40


def tracked(*patterns: str) -> list[str]:
    """Return the repository's files, new ones included, that match one of `patterns`."""
    listed = git(REPOSITORY, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns)
    return sorted(name for name in set(listed.split("\0")) if name and (REPOSITORY / name).is_file())


def template_paths() -> list[PurePosixPath]:
    """Return the paths of the template's files, relative to template/."""
    return [PurePosixPath(name).relative_to(ROOT) for name in tracked(ROOT)]


def overlay_of(path: PurePosixPath) -> str | None:
    """Return the overlay that a file of the template belongs to, None for a file that every rendering has."""
    match = OVERLAY.fullmatch(path.parts[0])
    return match[1] if match and len(path.parts) > 1 else None


@pytest.mark.quick
class TestOverlays:
    def test_every_overlay_has_a_folder_and_the_reverse(self) -> None:
        answers = {**combinations("framework", "database", "auth", "example", "ci", "license")[0], **EVERYWHERE}
        assert overlays(answers).keys() == {overlay_of(path) for path in template_paths()} - {None}

    def test_no_overlay_is_inside_another(self) -> None:
        nested = [str(path) for path in template_paths() if "{" in "".join(path.parts[1:])]
        assert [] == nested

    def test_only_overlays_and_the_answers_file_have_a_computed_name(self) -> None:
        computed = {path.parts[0] for path in template_paths() if "{" in path.parts[0]}
        others = {name for name in computed if not OVERLAY.fullmatch(name)}
        assert {"{{_copier_conf.answers_file}}.jinja"} == others

    def test_no_two_of_a_rendering_claim_one_path(self) -> None:
        owned: dict[str | None, list[str]] = {}
        for path in template_paths():
            overlay = overlay_of(path)
            inner = PurePosixPath(*path.parts[1:]) if overlay else path
            owned.setdefault(overlay, []).append(str(inner).removesuffix(".jinja"))
        licenses = itertools.cycle(choices("license"))
        for answers in combinations("framework", "database", "auth", "example", "ci"):
            targets = overlays({**answers, "license": next(licenses), **EVERYWHERE})
            assert {".", ""} == set(targets.values())
            chosen = [name for name, target in targets.items() if target]
            claimed = Counter(itertools.chain(owned[None], *(owned.get(overlay, []) for overlay in chosen)))
            assert [] == [path for path, times in claimed.items() if times > 1], answers


@pytest.mark.quick
class TestTrust:
    @pytest.mark.parametrize("feature", ["_tasks", "_migrations", "_jinja_extensions", "_external_data"])
    def test_no_feature_asks_for_it(self, feature: str) -> None:
        assert feature not in config()

    def test_extensions_are_jinja_only(self) -> None:
        assert {".jinja"} == {Path(name).suffix for name in tracked("extensions/")}

    def test_every_macro_is_used(self) -> None:
        used = "\n".join((REPOSITORY / name).read_text("utf-8") for name in tracked("copier.yml", "extensions/", ROOT))
        macros = re.findall(r"{% macro (\w+)", used)
        assert [] == [macro for macro in macros if len(re.findall(rf"\b{macro}\(", used)) == 1]


@pytest.mark.quick
class TestQuestions:
    @pytest.mark.parametrize("name", questions())
    def test_has_a_type_help_and_a_default(self, name: str) -> None:
        assert {"type", "help", "default"} <= questions()[name].keys()

    @pytest.mark.parametrize("name", questions())
    def test_is_a_choice_or_has_a_validator(self, name: str) -> None:
        question = questions()[name]
        assert question["type"] == "bool" or "validator" in question or question["default"] in choices(name)


@pytest.mark.quick
class TestPython:
    @pytest.mark.parametrize("name", tracked(f"{ROOT}*.py"))
    def test_is_plain_python(self, name: str) -> None:
        source = (REPOSITORY / name).read_text("utf-8")
        assert not re.search(r"{{|{%|{#", source)
        ast.parse(source, feature_version=(3, 11))

    def test_is_never_a_jinja_file(self) -> None:
        assert [] == tracked(f"{ROOT}*.py.jinja")


@pytest.mark.quick
def test_what_fastapi_calls_for_an_endpoint_is_a_coroutine() -> None:
    # It sends a plain function through a thread, at each request: only units of work are worth that.
    trees = [ast.parse((REPOSITORY / name).read_text("utf-8")) for name in tracked(f"{ROOT}*fastapi*/app/*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    depends = [node for node in nodes if isinstance(node, ast.Call) and ast.unparse(node.func) == "Depends"]
    called = {ast.unparse(argument) for node in depends for argument in node.args}
    plain = [node for node in nodes if isinstance(node, ast.FunctionDef)]
    assert called
    assert [] == [node.name for node in plain if node.name in called or "router." in _decorators(node)]


def _decorators(function: ast.FunctionDef) -> str:
    return " ".join(ast.unparse(decorator) for decorator in function.decorator_list)


@pytest.mark.quick
class TestNames:
    def test_are_legal_on_windows(self) -> None:
        assert [] == [name for name in tracked() if re.search(r'[<>:"|?*\\]|[. ](/|$)', name)]

    def test_differ_in_more_than_case(self) -> None:
        assert len(tracked()) == len({name.lower() for name in tracked()})


@pytest.mark.quick
class TestSizes:
    @pytest.mark.parametrize("name", tracked("*.py", "*.jinja", "*.yml", "*.toml", ":!*.json.jinja"))
    def test_a_file_is_read_at_one_sitting(self, name: str) -> None:
        assert len((REPOSITORY / name).read_text("utf-8").splitlines()) <= FILE_LINES

    def test_a_function_fits_on_a_screen(self) -> None:
        assert [] == [where for where, lines in functions() if lines > FUNCTION_LINES]


def functions() -> Iterator[tuple[str, int]]:
    """Yield where each function of the repository is and how many lines it has."""
    for name in tracked("*.py"):
        for node in ast.walk(ast.parse((REPOSITORY / name).read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{name}:{node.lineno} {node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.quick
class TestTools:
    @pytest.mark.parametrize("tool", ["ruff", "ty"])
    def test_are_the_ones_that_the_rendered_services_use(self, tool: str) -> None:
        ours = (REPOSITORY / "pyproject.toml").read_text("utf-8")
        theirs = (REPOSITORY / "template/pyproject.toml.jinja").read_text("utf-8")
        pins = [re.findall(rf'"({tool}[^"]*)"', text) for text in (ours, theirs)]
        assert re.fullmatch(rf"{tool}==[\d.]+", pins[0][0])
        assert pins[0] == pins[1]

    def test_ruff_has_one_set_of_rules(self) -> None:
        ours = tomllib.loads((REPOSITORY / "ruff.toml").read_text("utf-8"))
        assert "template/ruff.toml" == ours["extend"]
        assert ["extend-per-file-ignores"] == list(ours["lint"])


def test_the_hooks_have_nothing_to_say(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(tmp_path, "clone", "--quiet", str(template), "clone")
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "hooks"))
    command = ["pre-commit", "run", "--all-files", "--show-diff-on-failure"]
    run = subprocess.run(command, cwd=tmp_path / "clone", capture_output=True, text=True, check=False)
    assert 0 == run.returncode, run.stdout
