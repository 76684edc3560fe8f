"""Idempotency keys in the database (draft-ietf-httpapi-idempotency-key-header).

A key is held first, in a transaction of its own, so that a second request is told at once that the first is under way.
What the request does and its answer are then committed together: after a crash there are both, or neither.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple, cast
from uuid import UUID

from sqlalchemy import CursorResult, bindparam, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from app.core import clock
from app.core.errors import AppError, Detail, Unavailable
from app.core.failures.idempotency import AnswerNotKept, KeyInProgress, KeyReused
from app.core.ids import new_id
from app.db.models.idempotency_keys import IdempotencyKey

Headers = Sequence[tuple[str, str]]


class Wanted(NamedTuple):
    """A request: whose it is, its key, and a hash of all that it says."""

    caller: str
    key: str
    fingerprint: str


class Held(NamedTuple):
    """A key that this request alone holds."""

    id: UUID
    holder: UUID


class Stored(AppError):
    """There is an answer already. It ends the request, and is sent in place of this error."""

    def __init__(self, status: int, headers: Headers, body: bytes) -> None:
        super().__init__()
        self.status = 409
        self.answer = status, headers, body


def hold(session: Session, wanted: Wanted, hold_seconds: float, keep_seconds: int) -> Held:
    """Return a new key, held for this request.

    Raises:
        IntegrityError: there is one already.
    """
    held = Held(new_id(), new_id())
    values = {"id": held.id, "caller": wanted.caller, "key": wanted.key}
    # Every request with a key does this: without what the ORM adds to one row.
    session.connection().execute(_INSERT, {**values, **_fresh(wanted, held, hold_seconds, keep_seconds)})
    return held


def take_over(session: Session, wanted: Wanted, hold_seconds: float, keep_seconds: int) -> Held:
    """Return a key that nobody holds any more, held for this request.

    Raises:
        Stored: the request was answered.
        KeyReused: the key was used for another request.
        KeyInProgress: a request with the key is under way, or has ended at this moment.
        AnswerNotKept: the request was answered, and the answer was too large.
    """
    now = clock.now()
    of_key = (IdempotencyKey.caller == wanted.caller, IdempotencyKey.key == wanted.key)
    found = session.scalar(select(IdempotencyKey).where(*of_key))
    if found is None:
        raise KeyInProgress(headers=_SOON)
    if found.expires_at > now:
        _refuse(found, wanted)
    held = Held(found.id, new_id())
    # It has expired, or whoever held it is gone: one of those who see that takes it over.
    is_free = or_(IdempotencyKey.status.is_(None), IdempotencyKey.expires_at <= now)
    taken = session.execute(
        update(IdempotencyKey)
        .where(IdempotencyKey.id == found.id, IdempotencyKey.holder == found.holder, is_free)
        .values(_fresh(wanted, held, hold_seconds, keep_seconds))
        .execution_options(synchronize_session=False)
    )
    if not _is_one(taken):
        raise KeyInProgress(headers=_SOON)
    return held


def _fresh(wanted: Wanted, held: Held, hold_seconds: float, keep_seconds: int) -> dict[str, Any]:
    now = clock.now()
    return {
        "fingerprint": wanted.fingerprint,
        "holder": held.holder,
        "held_until": now + timedelta(seconds=hold_seconds),
        "expires_at": now + timedelta(seconds=keep_seconds),
        "status": None,
        "headers": None,
        "body": None,
    }


_SOON = {"Retry-After": "1"}
_TABLE: Any = IdempotencyKey.__table__
_INSERT = insert(_TABLE)
_STORE = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("held"), _TABLE.c.holder == bindparam("by"))
    .values(status=bindparam("status"), headers=bindparam("headers"), body=bindparam("body"))
)


def _refuse(found: IdempotencyKey, wanted: Wanted) -> None:
    if found.fingerprint != wanted.fingerprint:
        raise KeyReused(details=[Detail("Idempotency-Key", "reused", KeyReused.default)])
    if found.status is None:
        if found.held_until > clock.now():
            raise KeyInProgress(headers=_SOON)
        return
    if found.body is None:
        raise AnswerNotKept
    raise Stored(found.status, [(name, value) for name, value in found.headers or ()], found.body)


def store(session: Session, held: Held, status: int, headers: Headers, body: bytes | None) -> None:
    """Store the answer with what the request did; `body` is None if it is too large.

    Raises:
        Unavailable: the key was held for too long, and somebody else has it: nothing may be committed.
    """
    answer = {"status": status, "headers": list(headers), "body": body}
    stored = session.connection().execute(_STORE, {"held": held.id, "by": held.holder, **answer})
    if not _is_one(stored):
        raise Unavailable


def let_go(session: Session, held: Held) -> None:
    """Forget the key: the request did nothing."""
    session.execute(
        delete(IdempotencyKey).where(
            IdempotencyKey.id == held.id, IdempotencyKey.holder == held.holder, IdempotencyKey.status.is_(None)
        )
    )


def purge(session: Session, most: int) -> int:
    """Delete at most so many keys that have expired; return how many there were."""
    has_expired = IdempotencyKey.expires_at <= clock.now()
    ids = session.scalars(select(IdempotencyKey.id).where(has_expired).limit(most)).all()
    # A request may have taken one over in the meantime.
    deleted = session.execute(delete(IdempotencyKey).where(IdempotencyKey.id.in_(ids), has_expired))
    return cast("CursorResult[Any]", deleted).rowcount


def _is_one(result: object) -> bool:
    return isinstance(result, CursorResult) and result.rowcount == 1
