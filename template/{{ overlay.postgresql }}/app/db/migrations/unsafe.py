"""What makes a statement unsafe on PostgreSQL: squawk judges it, by the rules that are not about style."""

import json
import re
import subprocess
import sys
from bisect import bisect_right
from collections.abc import Generator, Sequence
from itertools import accumulate
from pathlib import Path

_SQUAWK = Path(sys.executable).with_name("squawk")
_RULES = {
    "adding-field-with-default",
    "adding-foreign-key-constraint",
    "adding-not-nullable-field",
    "adding-required-field",
    "adding-serial-primary-key-field",
    "ban-alter-domain-with-add-constraint",
    "ban-concurrent-index-creation-in-transaction",
    "ban-create-domain-with-constraint",
    "ban-drop-column",
    "ban-drop-constraint",
    "ban-drop-database",
    "ban-drop-default",
    "ban-drop-schema",
    "ban-drop-table",
    "ban-drop-type",
    "changing-column-type",
    "constraint-missing-not-valid",
    "disallowed-unique-constraint",
    "renaming-column",
    "renaming-object",
    "renaming-table",
    "require-concurrent-index-creation",
    "require-concurrent-index-deletion",
    "require-concurrent-partition-attach",
    "require-concurrent-partition-detach",
    "require-concurrent-reindex",
    "syntax-error",
}
_REWRITES = re.compile(
    r"(?:VACUUM|CLUSTER)\b|REFRESH MATERIALIZED VIEW (?!CONCURRENTLY)"
    r"|ALTER TABLE .*\bSET (?:LOGGED|UNLOGGED|TABLESPACE|ACCESS METHOD)\b",
    re.IGNORECASE | re.DOTALL,
)


def found_in(statements: Sequence[str]) -> Generator[tuple[str, str]]:
    """Yield each rule that is broken, and the statement that breaks it.

    Raises:
        RuntimeError: squawk did not say what it found; the message is its own.
    """
    yield from (("rewrite-table", each) for each in statements if _REWRITES.match(each))
    yield from (("mixed-with-autocommit", each) for each in _mixed(statements))
    yield from _found_by_squawk(statements)


def _mixed(statements: Sequence[str]) -> list[str]:
    """Return what is committed at once, if there are other statements: these may be run again, and those with them."""
    alone: list[str] = []
    together: list[str] = []
    current = alone
    for statement in statements:
        if statement in {"BEGIN", "COMMIT"}:
            current = together if statement == "BEGIN" else alone
        else:
            current.append(statement)
    return alone if together else []


def _found_by_squawk(statements: Sequence[str]) -> Generator[tuple[str, str]]:
    sql = "".join(f"{each};\n" for each in statements)
    told = ["--reporter", "json", "--no-error-on-unmatched-pattern"]
    result = subprocess.run(  # noqa: S603 - our own command
        [_SQUAWK, *told], input=sql, capture_output=True, text=True, encoding="utf-8", check=False
    )
    # It ends with 1 when it has found something.
    if result.returncode not in {0, 1} or (statements and not result.stdout.strip()):
        raise RuntimeError(f"squawk failed with {result.returncode}: {result.stderr.strip()}")
    ends = list(accumulate(each.count("\n") + 1 for each in statements))
    for finding in json.loads(result.stdout or "[]"):
        if finding["rule_name"] in _RULES:
            yield finding["rule_name"], statements[bisect_right(ends, finding["line"])]
