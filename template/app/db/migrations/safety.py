"""Whether new migrations let the release before them go on, and requests with them; `just lint` asks.

Each finding has a rule of docs/migrations.md, which shows the safe way. A line `# allow RULE: reason` in a migration
lets one pass. `judged_after` in the table `tool.migrations` of pyproject.toml names the last migration that is not
judged.
"""

import io
import re
import sys
import tomllib
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import NamedTuple

import click
from alembic import command
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError

from app.db import dialect
from app.db.migrate import alembic_config
from app.db.migrations.unsafe import found_in

_ALLOWED = re.compile(r"^\s*# allow (?P<rule>[a-z-]+)(?:: *(?P<reason>\S.*))?$", re.MULTILINE)
# Those that came with the template were judged there.
_OF_THE_TEMPLATE = re.compile(r"\d{4}_")
_SHOWN = 100
# What blocks a table or changes all of it at once, in the SQL of all databases.
_STATEMENTS = {
    "whole-table": re.compile(r"(?:UPDATE|DELETE)\b(?!.*\bWHERE\b)", re.IGNORECASE | re.DOTALL),
    "truncate": re.compile(r"TRUNCATE\b", re.IGNORECASE),
    "lock-table": re.compile(r"LOCK\s+TABLE", re.IGNORECASE),
}


class Finding(NamedTuple):
    """A rule that a statement breaks."""

    rule: str
    statement: str


def main() -> None:
    """Print what is unsafe about new migrations, and fail if anything is."""
    try:
        problems = [problem for script in judged() for problem in problems_of(script)]
    except CommandError as error:
        sys.exit(f"Error: judged_after in pyproject.toml: {error}")
    for problem in problems:
        click.echo(problem)
    if problems:
        sys.exit("docs/migrations.md shows the safe way. `# allow RULE: reason` in the migration lets one pass.")


def judged() -> list[Script]:
    """Return the migrations of this service that are judged, the oldest first.

    Raises:
        CommandError: there is no migration like `judged_after`.
    """
    scripts = ScriptDirectory.from_config(alembic_config())
    file = Path("pyproject.toml")
    options = tomllib.loads(file.read_text("utf-8")).get("tool", {}).get("migrations", {}) if file.exists() else {}
    last = options.get("judged_after")
    if last:
        scripts.get_revision(last)
    earlier = {each.revision for each in scripts.iterate_revisions(last, "base")} if last else set()
    new = [each for each in scripts.walk_revisions() if each.revision not in earlier]
    return [each for each in reversed(new) if not _OF_THE_TEMPLATE.match(Path(each.path).name)]


def problems_of(script: Script) -> list[str]:
    """Return a line for each rule that is broken without a reason, and for each reason that is not needed."""
    path = Path(script.path)
    name = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    allowed = {match["rule"]: match["reason"] for match in _ALLOWED.finditer(path.read_text("utf-8"))}
    findings = list(_findings(script))
    broken = [f"{each.rule}: {_shortened(each.statement)}" for each in findings if each.rule not in allowed]
    vague = [f"`# allow {rule}` does not say why: end it with `: reason`" for rule in allowed if not allowed[rule]]
    known = {each.rule for each in findings}
    idle = [f"nothing here breaks {rule}: remove `# allow {rule}`" for rule in allowed if rule not in known]
    return [f"{name}: {problem}" for problem in (*broken, *vague, *idle)]


def _findings(script: Script) -> Generator[Finding]:
    try:
        statements = list(statements_of(script))
    except Exception as error:  # noqa: BLE001 - a migration may do anything
        # Such as one that reads what it changes.
        yield Finding("not-as-sql", f"it cannot be written as SQL: {type(error).__name__}: {error}")
        return
    for statement in statements:
        yield from (Finding(rule, statement) for rule, form in _STATEMENTS.items() if form.match(statement))
    yield from (Finding(rule, statement) for rule, statement in found_in(statements))


def statements_of(script: Script) -> Generator[str]:
    """Yield the SQL of the migration, statement by statement."""
    written = io.StringIO()
    config = alembic_config()
    config.output_buffer = written
    config.attributes["dialect_name"] = dialect.JUDGED_AS
    # A merge has several, and none of its own statements depends on which.
    before = next(iter(_before(script)), "base")
    command.upgrade(config, f"{before}:{script.revision}", sql=True)
    for statement in written.getvalue().split(";\n\n"):
        plain = re.sub(r"^\s*--.*$", "", statement, flags=re.MULTILINE).strip()
        if plain and "alembic_version" not in plain:
            yield plain


def _before(script: Script) -> Iterable[str]:
    down = script.down_revision
    return [down] if isinstance(down, str) else down or ()


def _shortened(statement: str) -> str:
    text = " ".join(statement.split())
    return f"{text[:_SHOWN]}…" if len(text) > _SHOWN else text


if __name__ == "__main__":
    main()
