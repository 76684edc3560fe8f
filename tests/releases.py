"""The released versions of the template, as releases.toml lists them."""

import subprocess
import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

RELEASES = Path(__file__).parent.parent / "releases.toml"


@dataclass(frozen=True)
class Release:
    """A released version and the commit that it is for ever."""

    version: str
    commit: str
    date: date

    @property
    def tag(self) -> str:
        """Return the name of the release in git."""
        return f"v{self.version}"


def releases(path: Path = RELEASES) -> list[Release]:
    """Return the releases, oldest first."""
    return [Release(**entry) for entry in tomllib.loads(path.read_text("utf-8"))["release"]]


def tag_releases(clone: Path, listed: list[Release]) -> None:
    """Tag each release in a clone of this repository; tags that are there already are made anew.

    Raises:
        LookupError: the clone does not have the commit of a release; the message names both.
    """
    for release in listed:
        command = ["git", "-C", str(clone), "tag", "--force", release.tag, f"{release.commit}^{{commit}}"]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            message = f"release {release.version} is commit {release.commit}, which this clone does not have"
            raise LookupError(message)
