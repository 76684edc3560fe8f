"""Where a repository is, however git reaches it."""

import re
import subprocess
from urllib.parse import urlsplit


def located(url: str) -> str:
    """Return the host and the path of a repository: without a protocol, credentials and what only SSH needs."""
    over_ssh = re.fullmatch(r"(?:[^@/]+@)?(?P<host>[^:/]+):(?P<path>(?!//).+)", url)
    parts = urlsplit(url)
    host, path = (over_ssh["host"], over_ssh["path"]) if over_ssh else (parts.hostname or "", parts.path)
    path = path.strip("/").removesuffix(".git")
    if host == "ssh.dev.azure.com":
        host, path = "dev.azure.com", re.sub(r"^v3/(.*)/", r"\1/_git/", path)
    return f"{host}/{path}".strip("/")


def same(one: str, other: str) -> bool:
    """Tell whether two URLs lead to one repository."""
    return located(one).lower() == located(other).lower()


def origin() -> str:
    """Return where this clone comes from, as it was written down; nothing if it is no clone."""
    command = ["git", "config", "--get", "remote.origin.url"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603 - fixed
