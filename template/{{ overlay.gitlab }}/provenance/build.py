"""What GitLab CI/CD says of a job."""

from collections.abc import Mapping

from provenance.statements import Build

SECRET = "SIGNING_KEY, a masked and protected variable with the scope of the environment `registry`"  # noqa: S105


def read(environ: Mapping[str, str]) -> Build:
    """Return it.

    Raises:
        KeyError: this is no job.
    """
    return Build(
        repository=environ["CI_PROJECT_URL"],
        commit=environ["CI_COMMIT_SHA"],
        ref=f"refs/heads/{environ['CI_COMMIT_BRANCH']}",
        builder=environ["CI_SERVER_URL"],
        run=environ["CI_JOB_URL"],
    )
