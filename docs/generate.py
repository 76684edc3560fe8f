"""Write the pages of reference/ that come from the template itself: `uv run python docs/generate.py`."""

import json
import re
import subprocess
from collections import defaultdict
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

DOCS = Path(__file__).parent
PAGE = DOCS / "reference" / "questions.md"
FILES_PAGE = DOCS / "reference" / "files.md"
TEMPLATE = DOCS.parent / "template"
ANCHOR = re.compile(r"(?:#|//) --- ([a-z ]+) of this service go below this line ---")

HEAD = """\
# Questions

Made from `copier.yml` by `uv run python docs/generate.py`.

Copier asks these questions in this order. Answer one on the command line with `--data NAME=VALUE`, all of them with
`--data-file FILE`, and take every default with `--defaults`. The answers are kept in the service's
`.copier-answers.yml`; `copier update` asks them again.
"""

FILES_HEAD = """\
# Owned, seeded, yours

Made from the template by `uv run python docs/generate.py`. A service has the files of the answers that it gave.

## Seeded

Written once, then the team's: an update leaves them as they are, and writes them again only where they are missing.

"""
ANCHORS_HEAD = """
## Owned, with a place for your lines

An update merges these like the rest. Below the line that ends in *go below this line* it changes nothing.

| file | what goes below |
| --- | --- |
"""
OWNED_HEAD = """
## Owned

An update brings these up to date, and merges what the team has changed in them. One that the team has deleted stays
deleted.

| folder | files |
| --- | --- |
"""
YOURS = """
## Yours

Everything else: every file that is not listed here. An update never touches them. Modules in `app/api/routes/` and
`app/db/models/` are found by themselves, and so are migrations and tests.
"""


def answers(question: dict[str, Any]) -> list[str]:
    """Return a table row for each choice of a question, none when it takes free text."""
    if question["type"] == "bool":
        return ["| `true` | Yes |", "| `false` | No |"]
    choices = question.get("choices", [])
    labels = choices.items() if isinstance(choices, dict) else ((choice, choice) for choice in choices)
    rows = ((label, choice["value"] if isinstance(choice, dict) else choice) for label, choice in labels)
    return [f"| `{value}` | {label} |" for label, value in rows]


def default(question: dict[str, Any]) -> str:
    """Return the default as the command line takes it; a computed one is described."""
    value = question["default"]
    if isinstance(value, list):
        return f"`{json.dumps(value)}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if "{{" in value:
        return "made from the answers before it"
    return f"`{value}`"


def section(name: str, question: dict[str, Any]) -> str:
    """Return the part of the page about one question."""
    lines = [f"## `{name}`", "", question["help"], "", f"Default: {default(question)}."]
    if rows := answers(question):
        lines += ["", "| answer | meaning |", "| --- | --- |", *rows]
    return "\n".join(lines) + "\n"


def settings() -> dict[str, Any]:
    """Return copier.yml."""
    return yaml.safe_load((DOCS.parent / "copier.yml").read_text("utf-8"))


def page() -> str:
    """Return the whole page about the questions."""
    asked = {
        name: question for name, question in settings().items() if name[0] != "_" and question.get("when") is not False
    }
    return "\n".join([HEAD, *(section(name, question) for name, question in asked.items())])


def rendered() -> dict[str, Path]:
    """Return the paths that renderings have, each with a file of the template that it comes from."""
    # Those of git, since tools leave caches beside them.
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=TEMPLATE, capture_output=True, check=True, text=True).stdout
    paths = {}
    for source in filter(None, listed.split("\0")):
        name = source.removesuffix(".jinja").replace("{{_copier_conf.answers_file}}", settings()["_answers_file"])
        paths[re.sub(r"^{{ overlay\.\w+ }}/", "", name)] = TEMPLATE / source
    return dict(sorted(paths.items()))


def files_page() -> str:
    """Return the whole page about what updates change."""
    seeded = settings()["_skip_if_exists"]
    folders, anchors = defaultdict(list), []
    for name, path in rendered().items():
        below = list(dict.fromkeys(ANCHOR.findall(path.read_text("utf-8"))))
        if below:
            anchors.append(f"| `{name}` | {', '.join(below)} |")
        elif name not in seeded:
            folders[f"{PurePosixPath(name).parent}/".removeprefix("./")].append(f"`{PurePosixPath(name).name}`")
    rows = [f"| {f'`{folder}`' if folder else 'the root'} | {', '.join(names)} |" for folder, names in folders.items()]
    listed = [f"- `{name}`" for name in seeded]
    parts = [FILES_HEAD, *listed, "", ANCHORS_HEAD.strip(), *anchors, "", OWNED_HEAD.strip(), *rows]
    return "\n".join(parts).replace(f"{FILES_HEAD}\n", FILES_HEAD) + f"\n{YOURS}"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    FILES_PAGE.write_text(files_page(), "utf-8")
