"""The order of the migrations that came with the template.

Which of them a service has depends on what was chosen when it was rendered, so each asks here for the one before
it. A service's own migrations name theirs, as Alembic writes them.
"""

from pathlib import Path


def previous(migration: str) -> str | None:
    """Return the revision before the template's migration in the file `migration`, None for the first.

    The template's files are called `NNNN_name.py`, and their revision is the name without the suffix.
    """
    path = Path(migration)
    earlier = [file.stem for file in path.parent.glob("[0-9][0-9][0-9][0-9]_*.py") if file.stem < path.stem]
    return max(earlier, default=None)
