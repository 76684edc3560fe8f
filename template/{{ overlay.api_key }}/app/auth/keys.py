"""API keys: made, listed, revoked, and told from forged ones.

A key is `key_PREFIX.SECRET`. The prefix finds the row, the secret has 256 random bits; so one round of SHA-256 is
enough to store it by (a slow hash protects secrets that people choose).
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.auth.principal import Principal
from app.core import clock
from app.core.errors import NotFound, Unauthenticated
from app.core.ids import new_id
from app.db.keyset import Keyset, SortKey
from app.db.models.api_keys import ApiKey
from app.observability.security_log import record_once_committed
from app.schemas.keys import KeyCreate, KeyCreated, KeyPage, KeyRead
from app.schemas.page import PageQuery

_FORM: Final = re.compile(r"key_(?P<prefix>[0-9a-f]{16})\.(?P<secret>[A-Za-z0-9_-]{43})", re.ASCII)
_NEWEST_FIRST: Final = Keyset(
    [SortKey(ApiKey.created_at, datetime, descending=True), SortKey(ApiKey.id, UUID, descending=True)]
)
_USE_IS_NOTED_EVERY: Final = timedelta(minutes=1)
_NO_KEY: Final = hashlib.sha256(secrets.token_bytes()).hexdigest()


def create(session: Session, data: KeyCreate) -> KeyCreated:
    """Return a new key, with its secret."""
    prefix, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    key = ApiKey(id=new_id(), prefix=prefix, secret_hash=_hash(secret), created_at=clock.now(), **data.model_dump())
    session.add(key)
    session.flush()
    about = {"owner": key.owner, "key_id": key.id, "scopes": key.scopes, "roles": key.roles}
    record_once_committed(session, "authn_token_created", **about)
    return KeyCreated(**_read(key).model_dump(), key=f"key_{prefix}.{secret}")


def list_keys(session: Session, caller: Principal, query: PageQuery) -> KeyPage:
    """Return the page of keys after the cursor, newest first; revoked ones are gone.

    Raises:
        InvalidCursor: the cursor is not one of this list.
    """
    scope: Sequence[str] = [caller.subject, "keys"]
    statement = select(*(getattr(ApiKey, name) for name in KeyRead.model_fields)).where(ApiKey.revoked_at.is_(None))
    rows = session.execute(_NEWEST_FIRST.page(statement, query.limit, query.cursor, scope)).all()
    page, has_more = rows[: query.limit], len(rows) > query.limit
    return KeyPage(
        data=[KeyRead(**row._mapping) for row in page],  # noqa: SLF001 - the public name, so spelt by SQLAlchemy
        next_cursor=_NEWEST_FIRST.cursor(page[-1], scope) if has_more else None,
        has_more=has_more,
    )


def revoke(session: Session, key_id: UUID) -> None:
    """Refuse the key from now on.

    Raises:
        NotFound: there is no such key, or it was revoked before.
    """
    key = session.scalar(select(ApiKey).where(ApiKey.id == key_id, ApiKey.revoked_at.is_(None)).with_for_update())
    if key is None:
        raise NotFound(f"Key {key_id} does not exist.")
    key.revoked_at = clock.now()
    record_once_committed(session, "authn_token_revoked", owner=key.owner, key_id=key.id)


def find(session: Session, key: str) -> ApiKey:
    """Return the record of `key`.

    Raises:
        Unauthenticated: it is unknown, wrong, expired or revoked; which of these is not said.
    """
    form = _FORM.fullmatch(key)
    record = session.scalar(select(ApiKey).where(ApiKey.prefix == form["prefix"])) if form else None
    # An unknown key is compared too, so that the answer takes as long.
    is_right = hmac.compare_digest(record.secret_hash if record else _NO_KEY, _hash(form["secret"] if form else key))
    if record is None or not is_right or record.revoked_at is not None or _is_past(record.expires_at):
        raise Unauthenticated
    return record


def is_use_worth_noting(record: ApiKey) -> bool:
    """Return whether `last_used_at` is older than a minute: one write a minute is enough."""
    return record.last_used_at is None or clock.now() - record.last_used_at > _USE_IS_NOTED_EVERY


def note_use(session: Session, key_id: UUID) -> None:
    """Remember that the key was used now."""
    session.execute(update(ApiKey).where(ApiKey.id == key_id).values(last_used_at=clock.now()))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _is_past(instant: datetime | None) -> bool:
    return instant is not None and instant <= clock.now()


def _read(key: ApiKey) -> KeyRead:
    return KeyRead(**{name: getattr(key, name) for name in KeyRead.model_fields})
