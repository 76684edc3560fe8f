"""Release the template: `just release VERSION`. Checks first, then one commit and one tag, which never moves."""

import re
import subprocess
import sys
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path

from packaging.version import InvalidVersion, Version

UNRELEASED = "## [Unreleased]\n"


class ReleaseError(Exception):
    """Something keeps this version from being released; the message says what."""


def git(*arguments: str) -> str:
    """Run git here and return what it prints."""
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout.strip()


def check_version(text: str, listed: list[str]) -> Version:
    """Return the version if it is one that Copier can compare, and newer than those released."""
    try:
        version = Version(text)
    except InvalidVersion:
        message = f"{text} is no version of PEP 440: Copier would never offer it"
        raise ReleaseError(message) from None
    if str(version) != text:
        message = f"write {text} as {version}"
        raise ReleaseError(message)
    if newer := [released for released in listed if Version(released) >= version]:
        message = f"{text} is not newer than {newer[-1]}"
        raise ReleaseError(message)
    return version


def check_repository(version: Version) -> None:
    """Check that everything is committed and that the tag does not exist."""
    if git("status", "--porcelain"):
        message = "there are changes that are not committed"
        raise ReleaseError(message)
    if git("tag", "--list", f"v{version}"):
        message = f"the tag v{version} exists, and tags never move"
        raise ReleaseError(message)


def changelog_of(text: str, version: Version, today: date) -> str:
    """Return the changelog with what was unreleased as the section of `version`."""
    before, _, after = text.partition(UNRELEASED)
    section = after.partition("\n## ")[0]
    for heading in ("(Added|Changed|Fixed|Removed)", "Upgrade notes"):
        if not re.search(rf"^### {heading}\n\n- ", section, re.MULTILINE):
            message = f"CHANGELOG.md has no {heading.strip('()').replace('|', ', ')} under Unreleased"
            raise ReleaseError(message)
    return f"{before}{UNRELEASED}\n## [{version}] - {today}\n{after}"


def release(text: str, today: date) -> str:
    """Release the version `text` and return its tag."""
    changelog, releases = Path("CHANGELOG.md"), Path("releases.toml")
    listed = [entry["version"] for entry in tomllib.loads(releases.read_text("utf-8"))["release"]]
    version = check_version(text, listed)
    check_repository(version)
    changelog.write_text(changelog_of(changelog.read_text("utf-8"), version, today), "utf-8")
    git("commit", "--quiet", "--message", f"Release {version}", "--", str(changelog))
    git("tag", "--annotate", f"v{version}", "--message", f"Version {version}")
    # A commit cannot name itself: the next one lists it.
    entry = f'\n[[release]]\nversion = "{version}"\ncommit = "{git("rev-parse", "HEAD")}"\ndate = {today}\n'
    releases.write_text(releases.read_text("utf-8") + entry, "utf-8")
    git("commit", "--quiet", "--message", f"List release {version}", "--", str(releases))
    return f"v{version}"


if __name__ == "__main__":
    try:
        print(f"Now push it: git push origin HEAD {release(sys.argv[1], datetime.now(UTC).date())}")
    except ReleaseError as error:
        sys.exit(f"Not released: {error}.")
