"""Write reference/questions.md from copier.yml: `uv run python docs/generate.py`."""

import json
from pathlib import Path
from typing import Any

import yaml

DOCS = Path(__file__).parent
PAGE = DOCS / "reference" / "questions.md"

HEAD = """\
# Questions

Made from `copier.yml` by `uv run python docs/generate.py`.

Copier asks these questions in this order. Answer one on the command line with `--data NAME=VALUE`, all of them with
`--data-file FILE`, and take every default with `--defaults`. The answers are kept in the service's
`.copier-answers.yml`; `copier update` asks them again.
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


def page() -> str:
    """Return the whole page."""
    config = yaml.safe_load((DOCS.parent / "copier.yml").read_text("utf-8"))
    asked = {
        name: question for name, question in config.items() if name[0] != "_" and question.get("when") is not False
    }
    return "\n".join([HEAD, *(section(name, question) for name, question in asked.items())])


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
