"""What is done only once a change is committed."""

from collections.abc import Callable

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction


def once_committed(session: Session, function: Callable[[], object]) -> None:
    """Call `function` when the transaction of `session` is committed, and not if it or its savepoint is rolled back."""
    is_done = False
    savepoint = session.get_nested_transaction()

    def committed(ended: Session) -> None:
        nonlocal is_done
        # A savepoint can still be taken back with all around it.
        if not is_done and not ended.in_nested_transaction():
            is_done = True
            function()

    def undone(_: Session, transaction: SessionTransaction) -> None:
        nonlocal is_done
        is_done = is_done or transaction is savepoint

    event.listen(session, "after_commit", committed)
    event.listen(session, "after_soft_rollback", undone)
