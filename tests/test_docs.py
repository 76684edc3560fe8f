"""What the documentation says is so: the reference is current, links lead somewhere, commands are the real ones."""

import re
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt

from docs.generate import FILES_PAGE, PAGE, files_page, page
from tests.rendering import REPOSITORY, questions
from tests.test_template import tracked

pytestmark = pytest.mark.quick

PAGES = [name for name in tracked("*.md") if not name.startswith("template/")]


def links(path: Path) -> list[str]:
    """Return where the links of a page lead, those to other sites left out."""
    tokens = MarkdownIt("commonmark").enable("table").parse(path.read_text("utf-8"))
    children = [child for token in tokens for child in token.children or []]
    targets = [str(child.attrGet("href")) for child in children if child.type == "link_open"]
    return [target for target in targets if not re.match(r"https?:", target)]


def anchors(path: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.*)", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def shell_blocks(name: str) -> str:
    """Return the commands that a page shows."""
    return "\n".join(re.findall(r"```sh\n(.*?)```", (REPOSITORY / name).read_text("utf-8"), re.DOTALL))


class TestReference:
    def test_is_current(self) -> None:
        assert page() == PAGE.read_text("utf-8")
        assert files_page() == FILES_PAGE.read_text("utf-8")

    def test_has_every_question(self) -> None:
        assert list(questions()) == re.findall(r"^## `(\w+)`", page(), re.MULTILINE)


class TestLinks:
    @pytest.mark.parametrize("name", PAGES)
    def test_lead_to_a_file_and_a_heading(self, name: str) -> None:
        for link in links(REPOSITORY / name):
            file, _, anchor = unquote(link).partition("#")
            target = (REPOSITORY / name).parent / file if file else REPOSITORY / name
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link

    def test_every_page_is_reached_from_the_index(self) -> None:
        index = REPOSITORY / "docs/index.md"
        reached = {(index.parent / link.partition("#")[0]).resolve() for link in links(index)} | {index}
        assert [] == [name for name in tracked("docs/*.md") if REPOSITORY / name not in reached]


class TestCommands:
    def test_ci_runs_the_test_command_of_the_readme(self) -> None:
        command = "uv run pytest -n 4"
        assert command in shell_blocks("README.md").splitlines()
        assert f"{command} </dev/null" in (REPOSITORY / ".ci/run").read_text("utf-8").splitlines()

    def test_ci_is_a_valid_script(self) -> None:
        subprocess.run(["bash", "-n", ".ci/run"], cwd=REPOSITORY, check=True)

    def test_the_readme_asks_questions_that_exist(self) -> None:
        asked = re.findall(r"--data (\w+)=", shell_blocks("README.md") + shell_blocks("docs/tutorial.md"))
        assert asked
        assert set(asked) <= questions().keys()
