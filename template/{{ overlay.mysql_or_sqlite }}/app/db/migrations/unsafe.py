"""What makes a statement unsafe: it blocks a table, fails on rows that are there, or breaks the release before it.

Rules have the names that they have in squawk, where that has them.
"""

import re
from collections.abc import Generator, Sequence

_TABLE = r'(?P<table>[`"]?[\w.]+[`"]?)'
# One of several changes in a statement may be it.
_ALTER = rf"ALTER (?:IGNORE )?TABLE (?:IF EXISTS )?{_TABLE} (?:.*,\s*)?"
_COLUMN = r"(?:COLUMN )?(?:IF (?:NOT )?EXISTS )?"
_NO_COLUMN = r"(?!(?:CONSTRAINT|UNIQUE|INDEX|KEY|FOREIGN|PRIMARY|CHECK|FULLTEXT|SPATIAL|PARTITION|DEFAULT|NOT)\b)"
_ADD_COLUMN = rf"{_ALTER}ADD {_COLUMN}{_NO_COLUMN}"
_ADD = rf"{_ALTER}ADD (?:CONSTRAINT \S+ )?"
# In an expression that has the table in another place already.
_OF = _TABLE.replace("<table>", "<of>")
_ADD_COLUMN_OF = _ADD_COLUMN.replace("<table>", "<of>")
# The rest of one of several changes.
_CHANGE = r"(?:[^,(]|\([^)]*\))*"
_DEFAULT = r"\b(?:DEFAULT|GENERATED|AS)\b"
_RULES = {
    rule: re.compile(form, re.IGNORECASE | re.DOTALL)
    for rule, form in {
        "adding-required-field": rf"{_ADD_COLUMN}(?!{_CHANGE}{_DEFAULT}){_CHANGE}NOT NULL",
        "adding-not-nullable-field": rf"{_ALTER}ALTER {_COLUMN}\S+ SET NOT NULL",
        "adding-stored-field": rf"{_ADD_COLUMN}.*\b(?:STORED|PERSISTENT)\b",
        "adding-check-constraint": rf"{_ADD}CHECK\b",
        "adding-foreign-key-constraint": rf"{_ADD}FOREIGN KEY\b|{_ADD_COLUMN_OF}.*\bREFERENCES\b",
        "adding-primary-key": rf"{_ADD}PRIMARY KEY\b|{_ADD_COLUMN_OF}.*\bPRIMARY KEY\b",
        "disallowed-unique-constraint": rf"{_ADD}UNIQUE\b|CREATE UNIQUE INDEX \S+ ON {_OF}",
        "adding-text-index": rf"{_ALTER}ADD (?:FULLTEXT|SPATIAL)\b|CREATE (?:FULLTEXT|SPATIAL) INDEX",
        "ban-drop-column": rf"{_ALTER}DROP {_COLUMN}{_NO_COLUMN}\S",
        "ban-drop-constraint": rf"{_ALTER}DROP (?:CONSTRAINT|FOREIGN KEY|PRIMARY KEY|CHECK)\b",
        "ban-drop-default": rf"{_ALTER}ALTER {_COLUMN}\S+ DROP DEFAULT",
        "ban-drop-table": r"DROP TABLE\b",
        "ban-drop-view": r"DROP VIEW\b",
        "changing-column-type": (
            rf"{_ALTER}(?:MODIFY\b|ALTER {_COLUMN}\S+ (?:SET DATA )?TYPE\b|CHANGE {_COLUMN}(?P<old>\S+) (?P=old)\s)"
        ),
        "renaming-column": (
            rf"{_ALTER}(?:RENAME {_COLUMN}(?!(?:TO|INDEX|KEY)\s)\S+ TO\b|CHANGE {_COLUMN}(?P<old>\S+) (?!(?P=old)\s))"
        ),
        "rewrite-table": rf"(?:VACUUM|OPTIMIZE|REPAIR)\b|{_ALTER}(?:ENGINE|ROW_FORMAT|CONVERT TO|ORDER BY)\b",
        "renaming-table": rf"RENAME TABLE\b|{_ALTER}RENAME (?:(?:TO|AS) )?\S+\s*(?:,|$)",
    }.items()
}
_CREATED = re.compile(rf"CREATE TABLE (?:IF NOT EXISTS )?{_TABLE}", re.IGNORECASE)


def found_in(statements: Sequence[str]) -> Generator[tuple[str, str]]:
    """Yield each rule that is broken, and the statement that breaks it."""
    new: set[str] = set()
    for statement in statements:
        if created := _CREATED.match(statement):
            new.add(_plain(created["table"]))
        for rule, form in _RULES.items():
            broken = form.match(statement)
            named = broken.groupdict() if broken else {}
            # Nobody uses a table yet that the same migration has created.
            if broken and _plain(named.get("table") or named.get("of") or "") not in new:
                yield rule, statement


def _plain(name: str) -> str:
    return name.strip('`"').lower()
