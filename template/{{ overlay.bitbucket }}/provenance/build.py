"""What Bitbucket Pipelines says of a step."""

from collections.abc import Mapping

from provenance.statements import Build

SECRET = "SIGNING_KEY, a secured variable of the deployment environment `registry`"  # noqa: S105 - what it is called


def read(environ: Mapping[str, str]) -> Build:
    """Return it.

    Raises:
        KeyError: this is no step.
    """
    repository = f"https://bitbucket.org/{environ['BITBUCKET_REPO_FULL_NAME']}"
    return Build(
        repository=repository,
        commit=environ["BITBUCKET_COMMIT"],
        ref=f"refs/heads/{environ['BITBUCKET_BRANCH']}",
        builder="https://bitbucket.org",
        run=f"{repository}/pipelines/results/{environ['BITBUCKET_BUILD_NUMBER']}",
    )
