"""`verify.py URL REVISION SECONDS` ends with 0 once the service at URL is ready and answers with REVISION only."""

# ruff: noqa: INP001 - a script of its own

import sys
import time
from http.client import HTTPException
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.request import urlopen

# A proxy may still send some requests to what ran before.
ANSWERS_IN_A_ROW = 5


class Answer(NamedTuple):
    """What the service says of itself."""

    status: int
    revision: str | None


def ask(url: str) -> Answer:
    """Return how the service answers.

    Raises:
        OSError: nobody answers, or not whom the certificate names.
        HTTPException: what answers does not speak HTTP.
    """
    try:
        with urlopen(f"{url}/readyz", timeout=5):  # noqa: S310 - the operator's own address
            pass
        with urlopen(f"{url}/healthz", timeout=5) as answer:  # noqa: S310 - the same
            return Answer(answer.status, answer.headers["X-Revision"])
    except HTTPError as error:
        error.close()
        return Answer(error.code, None)


def verify(url: str, revision: str, patience: float, *, pause: float = 0.5) -> str:
    """Return what is wrong after `patience` seconds; nothing, as soon as `revision` has answered several times."""
    deadline = time.monotonic() + patience
    good, problem = 0, "it was not asked"
    while good < ANSWERS_IN_A_ROW and time.monotonic() < deadline:
        try:
            answer = ask(url)
            problem = f"status {answer.status}, revision {answer.revision}"
        except (OSError, HTTPException) as error:
            answer, problem = None, str(error)
        good = good + 1 if answer == Answer(200, revision) else 0
        if good == 0:
            time.sleep(max(0, min(pause, deadline - time.monotonic())))
    return "" if good == ANSWERS_IN_A_ROW else problem


def main() -> None:
    """End with 0, or with one sentence on standard error."""
    url, revision = sys.argv[1].rstrip("/"), sys.argv[2]
    if problem := verify(url, revision, float(sys.argv[3])):
        sys.exit(f"Error: {url} should answer with revision {revision}: {problem}.")
    print(f"{url} answers with revision {revision}.")  # noqa: T201 - a command


if __name__ == "__main__":
    main()
