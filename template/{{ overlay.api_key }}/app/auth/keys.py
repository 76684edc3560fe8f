"""API keys: made, listed, revoked, and told from forged ones.

A key is `key_PREFIX.SECRET`. The prefix finds the row, the secret has 256 random bits; so one round of SHA-256 is
enough to store it by (a slow hash protects secrets that people choose).
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.auth.principal import Principal
from app.core import clock
from app.core.errors import NotFound, Unauthenticated
from app.core.ids import new_id
from app.db.lists import ListQuery, PageT, paginate
from app.db.models.api_keys import ApiKey
from app.observability.security_log import record_once_committed

_FORM: Final = re.compile(r"key_(?P<prefix>[0-9a-f]{16})\.(?P<secret>[A-Za-z0-9_-]{43})", re.ASCII)
# Without the hash of the secret.
_SHOWN: Final = select(
    ApiKey.id,
    ApiKey.prefix,
    ApiKey.owner,
    ApiKey.scopes,
    ApiKey.roles,
    ApiKey.created_at,
    ApiKey.expires_at,
    ApiKey.last_used_at,
).where(ApiKey.revoked_at.is_(None))
_USE_IS_NOTED_EVERY: Final = timedelta(minutes=1)
_NO_KEY: Final = hashlib.sha256(secrets.token_bytes()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyGrant:
    """Who calls with a key, what they may do, and until when."""

    owner: str
    scopes: Sequence[str] = ()
    roles: Sequence[str] = ()
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey(KeyGrant):
    """A key that was just made, with its secret in `key`."""

    id: UUID
    prefix: str
    created_at: datetime
    last_used_at: datetime | None
    key: str = field(repr=False)


def create(session: Session, grant: KeyGrant) -> NewKey:
    """Return a new key, with its secret."""
    prefix, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    key = ApiKey(
        id=new_id(),
        prefix=prefix,
        secret_hash=_hash(secret),
        owner=grant.owner,
        scopes=list(grant.scopes),
        roles=list(grant.roles),
        created_at=clock.now(),
        expires_at=grant.expires_at,
    )
    session.add(key)
    session.flush()
    about = {"owner": key.owner, "key_id": key.id, "scopes": key.scopes, "roles": key.roles}
    record_once_committed(session, "authn_token_created", **about)
    return NewKey(
        id=key.id,
        prefix=key.prefix,
        owner=key.owner,
        scopes=key.scopes,
        roles=key.roles,
        created_at=key.created_at,
        expires_at=key.expires_at,
        last_used_at=None,
        key=f"key_{prefix}.{secret}",
    )


def list_keys(session: Session, caller: Principal, query: ListQuery[PageT]) -> PageT:
    """Return the page of keys that `query` asks for; revoked ones are gone.

    Raises:
        InvalidCursor: the cursor is not one of this list.
    """
    return paginate(session, _SHOWN, ApiKey, query, [caller.subject, "keys"])


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
