"""What Jenkins says of a build."""

from collections.abc import Mapping

from provenance.statements import Build

SECRET = "credentials named `signing-key`, a secret text"  # noqa: S105 - what it is called


def read(environ: Mapping[str, str]) -> Build:
    """Return it.

    Raises:
        KeyError: this is no build.
    """
    return Build(
        repository=environ["GIT_URL"],
        commit=environ["GIT_COMMIT"],
        ref=f"refs/heads/{environ['BRANCH_NAME']}",
        builder=environ["JENKINS_URL"],
        run=environ["BUILD_URL"],
    )
