"""Writes the OpenAPI documents that renderings start with: one for each authentication style, with and without orders.

Run it after a change to the contract: `uv run python openapi/generate.py`. A rendering's own `just check` fails when
its document is not what its code produces, so a document that is out of date here cannot pass the tests.
"""

import subprocess
import tempfile
import warnings
from itertools import product
from pathlib import Path

import yaml
from copier import run_copy
from copier.errors import DirtyLocalWarning

ROOT = Path(__file__).parent.parent
_NAME, _DESCRIPTION = "The name as typed", "The description as typed"
_IMPORT = "{% from 'extensions/escape.jinja' import quoted %}\n"


def document(auth: str, *, example: bool) -> str:
    """Return the document of a service with these answers, as a Jinja template for name and description."""
    answers = {"project_name": _NAME, "description": _DESCRIPTION, "auth": auth, "example": example}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", DirtyLocalWarning)
        run_copy(str(ROOT), folder, {**answers, "database": "sqlite"}, defaults=True, quiet=True, vcs_ref="HEAD")
        subprocess.run(["uv", "run", "--quiet", "--no-dev", "app", "openapi"], cwd=folder, check=True)  # noqa: S607 - uv of this environment
        text = (Path(folder) / "openapi.json").read_text("utf-8")
    text = text.replace(f'"{_NAME}"', "{{ quoted(project_name) }}")
    return _IMPORT + text.replace(f'"{_DESCRIPTION}"', "{{ quoted(description) }}")


def main() -> None:
    questions = yaml.safe_load((ROOT / "copier.yml").read_text("utf-8"))
    for auth, example in product(questions["auth"]["choices"].values(), (True, False)):
        name = f"{auth}{'-orders' if example else ''}.json.jinja"
        (ROOT / "openapi" / name).write_text(document(auth, example=example), "utf-8")


if __name__ == "__main__":
    main()
