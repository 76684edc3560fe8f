"""What CircleCI says of a job."""

from collections.abc import Mapping

from provenance.repositories import origin
from provenance.statements import Build

SECRET = "SIGNING_KEY in the context `registry`"  # noqa: S105 - what it is called


def read(environ: Mapping[str, str]) -> Build:
    """Return it; projects of some kinds do not know their repository, so that the clone tells.

    Raises:
        KeyError: this is no job.
    """
    return Build(
        repository=environ.get("CIRCLE_REPOSITORY_URL") or origin(),
        commit=environ["CIRCLE_SHA1"],
        ref=f"refs/heads/{environ['CIRCLE_BRANCH']}",
        builder="https://circleci.com",
        run=environ["CIRCLE_BUILD_URL"],
    )
