"""What a broken constraint means to a client: the service says so by the constraint's name, and nothing else counts."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.core.errors import AppError, Conflict, Detail, Invalid
from app.db import dialect

Explanations = Mapping[str, Callable[[], AppError]]

_KNOWN: Final = "errors by the name of the constraint"


@contextmanager
def explaining(session: Session, errors: Explanations) -> Generator[None]:
    """Raise what `errors` has under the name of the constraint that a change breaks.

    That holds inside the block and until the unit of work has committed, since some constraints are checked only
    then. The last block that names a constraint decides what it means. All other failures stay what they are: a
    constraint that nobody named is a defect, which is logged with its cause and answered with 500.
    """
    known: dict[str, Callable[[], AppError]] = session.info.setdefault(_KNOWN, {})
    known.update(errors)
    try:
        yield
    except DBAPIError as error:
        explain = known.get(dialect.violated(error) or "")
        if explain is None:
            raise
        raise explain() from error


class UnknownReference(Invalid):
    """A field names something that does not exist, or that the caller may not see."""

    def __init__(self, field: str) -> None:
        super().__init__(details=[Detail(field, "unknown_reference", "Input should refer to something that exists")])


class StillReferredTo(Conflict):
    """What should be deleted is kept by a foreign key."""

    default = "Other things still refer to this one. Delete or change them first."
