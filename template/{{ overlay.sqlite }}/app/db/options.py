"""What may stand behind the question mark of a URL: sqlite3's parameters, and with `uri=true` those of SQLite."""

from sqlalchemy import URL

_NUMBERS = {"timeout": float, "cached_statements": int}
_OF_FILES = {"mode", "cache", "vfs", "nolock", "immutable", "psow", "modeof"}
_MODES = {"ro", "rw", "rwc"}
REPEATABLE: frozenset[str] = frozenset()
# What is known elsewhere under another name, or has another place here.
MEANT = {
    "connection_limit": "DATABASE_POOL_SIZE sets how many connections there are",
    **dict.fromkeys(_OF_FILES, "it needs uri=true, and file: before the path"),
}


def known(url: URL) -> set[str]:
    """Return the options that `url` may have."""
    return {"uri", *_NUMBERS} | (_OF_FILES if url.query.get("uri") == "true" else set())


def check(url: URL) -> None:
    """Refuse values that the driver would refuse when it opens the file.

    Raises:
        ValueError: the message names the option.
    """
    for name, values in url.normalized_query.items():
        number = _NUMBERS.get(name)
        try:
            _ = number and number(values[-1])
        except ValueError:
            message = f"{name} must be a number"
            raise ValueError(message) from None
    if url.query.get("uri", "true") not in {"true", "false"}:
        message = "uri must be true or false"
        raise ValueError(message)
    if url.query.get("mode", "rw") not in _MODES:
        message = f"mode must be one of {', '.join(sorted(_MODES))}"
        raise ValueError(message)
    if (url.database or "").startswith("file::memory:"):
        message = "it must name a file: each connection would have a database in memory of its own"
        raise ValueError(message)


def has_pooler(url: URL) -> bool:  # noqa: ARG001 - as for databases that have one
    """Return whether a connection pooler stands before the database that cannot keep what a session has set."""
    return False
