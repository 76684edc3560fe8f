"""What GitHub Actions says of a run."""

from collections.abc import Mapping

from provenance.statements import Build

SECRET = "SIGNING_KEY, a secret of the environment `registry`"  # noqa: S105 - what it is called


def read(environ: Mapping[str, str]) -> Build:
    """Return it.

    Raises:
        KeyError: this is no run.
    """
    repository = f"{environ['GITHUB_SERVER_URL']}/{environ['GITHUB_REPOSITORY']}"
    return Build(
        repository=repository,
        commit=environ["GITHUB_SHA"],
        ref=environ["GITHUB_REF"],
        builder=f"{environ['GITHUB_SERVER_URL']}/actions",
        run=f"{repository}/actions/runs/{environ['GITHUB_RUN_ID']}/attempts/{environ['GITHUB_RUN_ATTEMPT']}",
    )
