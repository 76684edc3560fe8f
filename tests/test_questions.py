"""Every answer renders files that show it as typed, or is refused with a sentence that says what to type."""

import json
import subprocess
import sys
import tomllib
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from markdown_it import MarkdownIt

from tests.conftest import Render
from tests.rendering import ANSWERS_FILE, TAG, choices, config, jinja, questions
from tests.terminal import Terminal

AWKWARD = {
    "unicode": "Zażółć gęślą jaźń · 日本語 · עברית · हिन्दी",
    "emoji": "🎉 Orders 👩🏽‍💻 🇪🇺",
    "quotes": """Bob's "best" `orders` ''' \"\"\" """.strip(),
    "backslashes": r"C:\new\table \" \\ \u0041 \N{BULLET} \1",
    "jinja": "{{ 7 * 7 }} {% raw %} {# gone? #} {{ project_slug }} {% if %}",
    "yaml": "- yes: no # comment, [a] {b} & *c !d | > % @e `f`",
    "colon": "key: value",
    "list": "- item",
    "number": "1. First",
    "null": "null",
    "true": "yes",
    "hash": "# Heading #",
    "html": "<script>alert(1)</script> &copy; &lt;",
    "markdown": "*a* _b_ **c** ~~d~~ [e](f) ![g](h) | i | <https://example.com> $x$ $y$",
    "shell": "$(touch x) `touch x` $HOME ${HOME} ; rm && exit !! ~",
    "format": "%s %(name)s {0} {name} $name",
    "rule": "---",
    "setext": "===",
    "spaces": "two  spaces",
    "longest": "é" * 100,
}
ONE_LINE = "Type one line of text, without line breaks, tabs or other invisible control characters."
REFUSED = {
    "empty": ("", "Type at least one visible character."),
    "blank": (" \u3000 ", "Type at least one visible character."),
    "newline": ("a\nb", ONE_LINE),
    "carriage return": ("a\rb", ONE_LINE),
    "tab": ("a\tb", ONE_LINE),
    "null": ("a\0b", ONE_LINE),
    "escape": ("a\x1b[31mb", ONE_LINE),
    "delete": ("a\x7fb", ONE_LINE),
    "next line": ("a\x85b", ONE_LINE),
    "line separator": ("a\u2028b", ONE_LINE),
    "bidirectional override": ("a\u202eb", ONE_LINE),
    "byte order mark": ("\ufeffa", ONE_LINE),
    "lone surrogate": ("a\ud800", ONE_LINE),
    "leading space": (" a", "Type it without spaces at the beginning or the end."),
    "trailing space": ("a ", "Type it without spaces at the beginning or the end."),
    "too long": ("x" * 501, "Type at most"),
}
NO_BRANCHES = (
    " main|main |ma in|-main|1.0|2026|é|refs/*|a..b|a//b|a/|/a|a.|a.lock|a.lock/b|a@{1}|@|HEAD|yes|On|null|a'b"
    '|a"b|$(touch x)|{{ 7 }}'
)
FREE_TEXT = ("project_name", "description", "owner")


def macro(library: str, name: str) -> Callable[[str], str]:
    """Return a macro of a file under extensions/."""
    return getattr(jinja().get_template(f"extensions/{library}.jinja").module, name)


def validate(question: str, answer: str) -> str:
    """Return what is wrong with an answer, nothing when it is good."""
    return jinja().from_string(config()[question]["validator"]).render({question: answer}).strip()


def markdown_texts(source: str) -> list[str]:
    """Return what a reader sees of each heading and paragraph, without Markdown's own signs."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(source)
    return ["".join(child.content for child in token.children or []) for token in tokens if token.type == "inline"]


@pytest.mark.quick
class TestDefaults:
    def test_every_question_has_one_and_hidden_answers_are_not_recorded(self, render: Render) -> None:
        answers = yaml.safe_load((render() / ANSWERS_FILE).read_text("utf-8"))
        assert questions().keys() == {name for name in answers if not name.startswith("_")}

    def test_unknown_answers_are_refused(self, render: Render) -> None:
        with pytest.raises(KeyError, match="no such question: databse"):
            render(databse="mysql")


@pytest.mark.quick
class TestChoices:
    @pytest.mark.parametrize(
        ("question", "answer"),
        [
            ("framework", "django"),
            ("database", "PostgreSQL"),
            ("auth", "basic"),
            ("python_version", "3.10"),
        ],
    )
    def test_what_is_not_offered_is_refused(self, render: Render, question: str, answer: str) -> None:
        with pytest.raises(ValueError, match=f"Invalid choice for '{question}': '{answer}' is not in"):
            render(**{question: answer})

    def test_kubernetes_is_refused_where_the_database_is_a_file(self, render: Render) -> None:
        with pytest.raises(ValueError, match="SQLite is one file on one machine, and Kubernetes runs several replicas"):
            render(database="sqlite", deploy=["kubernetes"])

    @pytest.mark.parametrize("deploy", choices("deploy"), ids=str)
    def test_any_number_of_ways_to_deploy_may_be_chosen(self, render: Render, deploy: list[str]) -> None:
        project = render(deploy=deploy)
        folders = {path.name for path in (project / "deploy").glob("*") if path.is_dir()}
        assert {*deploy, *(["monitoring"] if deploy else [])} == folders

    def test_a_python_version_may_be_a_number(self, render: Render) -> None:
        project = render(python_version=3.12)  # as YAML reads it from a --data-file
        assert "3.12" == yaml.safe_load((project / ANSWERS_FILE).read_text("utf-8"))["python_version"]


class TestFreeText:
    @pytest.mark.parametrize("text", AWKWARD.values(), ids=AWKWARD)
    def test_is_shown_as_typed(self, render: Render, text: str) -> None:
        project = render(project_name=text, description=text, owner=text, license="MIT")
        answers = yaml.safe_load((project / ANSWERS_FILE).read_text("utf-8"))
        about = json.loads((project / "app/about.json").read_text("utf-8"))
        document = json.loads((project / "openapi.json").read_text("utf-8"))["info"]
        metadata = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]
        readme = markdown_texts((project / "README.md").read_text("utf-8"))
        assert [text] * 3 == [answers[name] for name in FREE_TEXT]
        assert [text] * 2 == [about["name"], about["description"]]
        assert [text] * 2 == [document["title"], document["description"]]
        assert [text] * 2 == [metadata["description"], metadata["authors"][0]["name"]]
        assert [text] * 2 == readme[:2]
        assert f"Copyright (c) {text}" in (project / "LICENSE").read_text("utf-8").splitlines()

    @pytest.mark.quick
    @pytest.mark.parametrize(("text", "sentence"), REFUSED.values(), ids=REFUSED)
    @pytest.mark.parametrize("question", FREE_TEXT)
    def test_is_refused_with_what_to_type(self, question: str, text: str, sentence: str) -> None:
        assert sentence in validate(question, text)

    @pytest.mark.quick
    def test_a_description_may_have_500_characters(self, render: Render) -> None:
        project = render(description='"' * 500)
        assert '"' * 500 == json.loads((project / "app/about.json").read_text("utf-8"))["description"]

    @pytest.mark.quick
    def test_a_refused_answer_renders_nothing(self, render: Render, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=ONE_LINE):
            render(project_name="a\nb")
        assert not (tmp_path / "project").exists()


@pytest.mark.quick
@pytest.mark.parametrize("text", AWKWARD.values(), ids=AWKWARD)
class TestEscape:
    def test_quoted_is_json_toml_and_yaml_at_once(self, text: str) -> None:
        quoted = macro("escape", "quoted")(text)
        assert text == json.loads(quoted)
        assert text == tomllib.loads(f"a = {quoted}")["a"]
        assert text == yaml.safe_load(f"a: {quoted}")["a"]

    def test_markdown_is_text_in_a_heading_and_in_a_paragraph(self, text: str) -> None:
        escaped = macro("escape", "markdown")(text)
        assert [text, text] == markdown_texts(f"# {escaped}\n\n{escaped}\n")


@pytest.mark.quick
class TestSlug:
    @pytest.mark.parametrize(
        ("name", "slug"),
        [
            ("My Service", "my-service"),
            ("  --Ünïcode__Café! ", "unicode-cafe"),
            ("Bob's Orders", "bobs-orders"),
            ("Straße Ærø Łódź", "strasse-aero-lodz"),
            ("e\u0301te\u0301", "ete"),
            ("日本語", "service"),
            ("🎉", "service"),
            ("日本 Orders", "orders"),
            ("2024 billing", "service-2024-billing"),
            ("---", "service"),
            ("FastAPI", "fastapi-service"),
            ("typing extensions", "typing-extensions-service"),
            ("x" * 39 + " y", "x" * 39),
        ],
    )
    def test_default_is_made_from_the_name(self, name: str, slug: str) -> None:
        assert slug == macro("naming", "default_slug")(name)
        assert "" == validate("project_slug", slug)

    def test_every_latin_letter_keeps_its_ascii_form(self) -> None:
        slugify = macro("naming", "slugify")
        for letter in map(chr, range(0xC0, 0x180)):
            ascii_form = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode().lower()
            assert not ascii_form.isalpha() or ascii_form == slugify(letter)
            assert not letter.isalpha() or slugify(letter) != "service"

    @pytest.mark.parametrize("slug", ["", "A", "a_b", "a--b", "-a", "a-", "1a", "a.b", "a b", "é", "a\n", "x" * 51])
    def test_what_is_no_name_is_refused(self, slug: str) -> None:
        assert "Type " in validate("project_slug", slug)

    @pytest.mark.parametrize("slug", ["click", "pydantic-core", "sqlalchemy"])
    def test_a_dependency_is_refused(self, slug: str) -> None:
        sentence = f"Type another name: {slug} is a package that the service depends on; {slug}-service would do."
        assert sentence in validate("project_slug", slug)


@pytest.mark.quick
class TestBranch:
    @pytest.mark.parametrize("branch", ["main", "master", "trunk", "release/v1.2", "Team_A/next", "x" * 100])
    def test_what_git_takes_is_taken(self, branch: str) -> None:
        assert "" == validate("default_branch", branch)
        subprocess.run(["git", "check-ref-format", "--branch", branch], check=True, capture_output=True)

    @pytest.mark.parametrize("branch", [*NO_BRANCHES.split("|"), "", "main\n", "x" * 101])
    def test_what_could_mean_something_else_is_refused(self, branch: str) -> None:
        assert validate("default_branch", branch).startswith("Type ")


@pytest.mark.quick
class TestPrompts:
    def start(self, template: Path, destination: Path) -> Terminal:
        command = [sys.executable, "-m", "copier", "copy", "--vcs-ref", TAG, str(template), str(destination)]
        return Terminal(command)

    def test_lead_from_the_first_question_to_what_to_type_next(self, template: Path, tmp_path: Path) -> None:
        terminal = self.start(template, tmp_path / "my service")
        for question in questions().values():
            terminal.wait_for(question["help"].split("?")[0])
            terminal.type("\r")
        assert 0 == terminal.finish()
        for line in (f"cd '{tmp_path}/my service'", "docker run", "cp .env.example .env", "uv run just dev"):
            assert line in terminal.text()

    def test_say_what_is_wrong_and_ask_again(self, template: Path, tmp_path: Path) -> None:
        terminal = self.start(template, tmp_path / "project")
        terminal.wait_for("What is the service called?")
        terminal.clear()
        terminal.paste("two\nlines")
        terminal.type("\r")
        terminal.wait_for(ONE_LINE)
        terminal.clear()
        terminal.type("{{ 7 * 7 }} Orders\r")
        terminal.wait_for("What do machines call it?")
        terminal.wait_for("service-7-7-orders")
        terminal.clear()
        terminal.type("click\r")
        terminal.wait_for("Type another name: click is a package")


@pytest.mark.quick
class TestCommandLine:
    def test_a_refused_answer_exits_with_the_sentence(self, template: Path, tmp_path: Path) -> None:
        command = [sys.executable, "-m", "copier", "copy", "--defaults", "--data", "project_slug=Orders"]
        command += [str(template), str(tmp_path / "project")]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        assert 1 == run.returncode
        assert "Type lower-case letters, digits and single hyphens" in run.stderr

    def test_answers_are_taken_as_typed(self, template: Path, tmp_path: Path) -> None:
        text = AWKWARD["yaml"]
        command = [sys.executable, "-m", "copier", "copy", "--defaults", "--data", f"project_name={text}"]
        subprocess.run([*command, str(template), str(tmp_path / "project")], check=True, capture_output=True)
        assert text == json.loads((tmp_path / "project/app/about.json").read_text("utf-8"))["name"]
