"""What Azure Pipelines says of a run."""

from collections.abc import Mapping

from provenance.statements import Build

SECRET = "SIGNING_KEY, a secret in the variable group `registry`"  # noqa: S105 - what it is called


def read(environ: Mapping[str, str]) -> Build:
    """Return it.

    Raises:
        KeyError: this is no run.
    """
    collection = environ["SYSTEM_COLLECTIONURI"].rstrip("/")
    return Build(
        repository=environ["BUILD_REPOSITORY_URI"],
        commit=environ["BUILD_SOURCEVERSION"],
        ref=environ["BUILD_SOURCEBRANCH"],
        builder=collection,
        run=f"{collection}/{environ['SYSTEM_TEAMPROJECT']}/_build/results?buildId={environ['BUILD_BUILDID']}",
    )
