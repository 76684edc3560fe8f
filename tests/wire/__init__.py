"""Black-box checks of the HTTP contract, against a running service.

They know nothing of the framework, the database or the code: only the contract, a base URL and credentials.
The service should run with `RATE_LIMIT_ENABLED=false`, as the checks write far more than a caller should. With the
secret that signs its tokens, they forge more of them.
Without the example no scopes exist: alice (without any) and the admin are enough.
"""

from __future__ import annotations

from . import (  # noqa: F401 - importing a section registers its checks
    ambiguity,
    authentication,
    authorization,
    bearer,
    bodies,
    concurrency,
    connections,
    cursors,
    documents,
    etags,
    fields,
    filters,
    framing,
    headers,
    heads,
    keys,
    lists,
    negotiation,
    nonsense,
    paths,
    precedence,
    references,
    retries,
    sessions,
    states,
    tokens,
    truncation,
    users,
    writes,
)
from .registry import run
from .service import Credentials

SHOWN = 4  # of one check's failures, with request and response
NAMED = 16  # with those of which only the first line is shown
NEWLINE = "\n"

__all__ = ["Credentials", "check_service"]


def check_service(
    base_url: str, *, auth: str, credentials: Credentials, example: bool = True, secret: str = ""
) -> None:
    """Run all checks that apply; raise one AssertionError that lists every failed one, request and response."""
    results = [
        (check.name, failures)
        for check, failures, _ in run(base_url, auth=auth, credentials=credentials, example=example, secret=secret)
    ]
    failed = {name: failures for name, failures in results if failures}
    if failed:
        raise AssertionError(report(failed, len(results), base_url))


def report(failed: dict[str, list[str]], number: int, base_url: str) -> str:
    """Return the failed checks in a readable form."""
    lines = [f"{len(failed)} of {number} checks failed against {base_url}"]
    for name, failures in failed.items():
        lines += ["", f"== {name}", *(f"-- {failure}" for failure in failures[:SHOWN])]
        lines += [f"-- {failure.partition(NEWLINE)[0]}" for failure in failures[SHOWN:NAMED]]
        lines += [f"-- and {len(failures) - NAMED} more" for _ in failures[NAMED : NAMED + 1]]
    return printable("\n".join(lines))


def printable(text: str) -> str:
    """Return the text with all that is not meant to be seen escaped, newlines aside."""
    shown = (each if each.isprintable() or each == "\n" else each.encode("unicode_escape").decode() for each in text)
    return "".join(shown)
