"""What the service is called: the only values that differ between two renderings of one variant."""

import json
from importlib.metadata import version
from pathlib import Path

_ABOUT: dict[str, str] = json.loads((Path(__file__).parent.parent / "about.json").read_text("utf-8"))

NAME = _ABOUT["name"]
SLUG = _ABOUT["slug"]
DESCRIPTION = _ABOUT["description"]
VERSION = version(SLUG)
