"""Run an older release's tests on the database of this one: `python -m tests.compatibility BRANCH [REF [ARGUMENT…]]`.

While a release is rolled out, the one before it goes on serving, on tables that have been migrated already. This is
also a plugin of pytest, for the tests of the older release: it migrates their databases by this release.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

VERSIONS = "app/db/migrations/versions"
_PLUGIN = "migrated_by_the_next_release"
_NEXT = "NEXT_RELEASE"
# Of migrations, an older release has its own.
_IGNORED = ("tests/integration/test_migrations.py", "tests/integration/test_lock_waits.py")


def main() -> None:
    """Check with the commit `REF`, or else that of `BRANCH` before this; further arguments go to pytest."""
    branch, *given = sys.argv[1:]
    reference, arguments = (given[0], given[1:]) if given else (_before(branch), [])
    if not reference:
        click.echo("There is no commit before this one, so there is nothing to be compatible with.")
        return
    if _git("rev-parse", "--quiet", "--verify", reference + "^{commit}") is None:
        sys.exit(f"Error: {reference} is no commit of this repository. In a shallow clone, run: git fetch --unshallow")
    older = {Path(name).name for name in (_git("ls-tree", "--name-only", reference, f"{VERSIONS}/") or "").split()}
    added = sorted(path.name for path in Path(VERSIONS).glob("*.py") if path.name not in older)
    if not added:
        click.echo(f"No migration was added since {reference}, so its code fits.")
        return
    if _git("cat-file", "-e", f"{reference}:./tests/{Path(__file__).name}") is None:
        click.echo(f"{reference} is unready on any database that a newer release has migrated, so nothing is checked.")
        return
    click.echo(f"The tests of {reference} run on tables that these have changed: {', '.join(added)}")
    with TemporaryDirectory() as folder:
        sys.exit(_tested(reference, Path(folder), *arguments))


def pytest_sessionstart() -> None:
    """Let this release migrate the databases of the tests (a hook of pytest)."""
    # The fixtures of the older release, as pytest has loaded them.
    fixtures = vars(sys.modules["tests.conftest"])
    assert "upgrade" in fixtures
    fixtures["upgrade"] = _upgrade


def _upgrade(settings: Any, *_arguments: object, **_more: object) -> None:
    url = settings.database_url.get_secret_value()
    python, directory = os.environ[_NEXT].split(os.pathsep)
    environment = {**os.environ, "ENVIRONMENT": "test", "DATABASE_URL": url, "DATABASE_MIGRATION_URL": url}
    subprocess.run([python, "-m", "app", "migrate"], cwd=directory, env=environment, check=True)  # noqa: S603


def _tested(reference: str, folder: Path, *arguments: str) -> int:
    """Return the exit status of the tests of `reference`, which are put into `folder`."""
    archive = subprocess.run(["git", "archive", reference], capture_output=True, check=True).stdout  # noqa: S603, S607
    subprocess.run(["tar", "--extract", "--directory", str(folder)], input=archive, check=True)  # noqa: S603, S607
    shutil.copy(__file__, folder / f"{_PLUGIN}.py")
    if Path(".env").exists():
        shutil.copy(".env", folder)
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    environment[_NEXT] = os.pathsep.join((sys.executable, str(Path.cwd())))
    command = ["uv", "run", "--quiet", "python", "-m", "pytest", "-p", _PLUGIN, "-n", "auto", "--dist", "worksteal"]
    command += [*(f"--ignore={name}" for name in _IGNORED), *arguments]
    return subprocess.run(command, cwd=folder, env=environment, check=False).returncode  # noqa: S603


def _before(branch: str) -> str | None:
    """Return the commit of the branch that this one builds on, None for the first."""
    if _git("rev-parse", "--quiet", "--verify", f"origin/{branch}") is None and _git("remote", "get-url", "origin"):
        # Some pipelines have no other branch than that of the change.
        found = f"+refs/heads/{branch}:refs/remotes/origin/{branch}"
        if _git("fetch", "--quiet", "origin", found) is None:
            click.echo(f"origin/{branch} cannot be read from here: this compares with the commit before.", err=True)
    here, base = _git("rev-parse", "HEAD"), _git("merge-base", "HEAD", f"origin/{branch}")
    return base if base and base != here else _git("rev-parse", "--quiet", "--verify", "HEAD^1")


def _git(*arguments: str) -> str | None:
    """Return what git prints, None if it fails."""
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)  # noqa: S603, S607
    return done.stdout.strip() if done.returncode == 0 else None


if __name__ == "__main__":
    main()
