"""What is done only once a change is committed."""

from collections.abc import Callable

from sqlalchemy import event
from sqlalchemy.orm import Session


def once_committed(session: Session, function: Callable[[], object]) -> None:
    """Call `function` when the transaction of `session` is committed, and not if it is rolled back."""
    is_called = False

    def committed(ended: Session) -> None:
        nonlocal is_called
        # A savepoint can still be taken back with all around it.
        if not is_called and not ended.in_nested_transaction():
            is_called = True
            function()

    event.listen(session, "after_commit", committed)
