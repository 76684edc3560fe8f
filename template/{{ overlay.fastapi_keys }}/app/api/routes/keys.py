"""API keys, for admins."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response, status

from app.api.deps import Caller, Db
from app.auth import keys
from app.auth.policy import requires
from app.auth.principal import ADMIN
from app.http.openapi import errors
from app.http.retries import never_stored
from app.schemas.keys import KeyCreate, KeyCreated, KeyPage, KeyQuery

router = APIRouter(prefix="/v1/keys", tags=["keys"])


@router.post("", status_code=status.HTTP_201_CREATED)
@requires(role=ADMIN)
@never_stored
async def create_key(data: KeyCreate, db: Db) -> KeyCreated:
    """Make a key. Its secret is shown in this answer and never again."""
    return KeyCreated.of(await db.write(keys.create, data.to(keys.KeyGrant)))


@router.get("")
@requires(role=ADMIN)
async def list_keys(query: Annotated[KeyQuery, Query()], caller: Caller, db: Db) -> KeyPage:
    """List the keys that are not revoked, newest first."""
    return await db.read(keys.list_keys, caller, query)


@router.delete("/{key_id}", status_code=status.HTTP_204_NO_CONTENT, response_class=Response, responses=errors(404))
@requires(role=ADMIN)
async def revoke_key(key_id: UUID, db: Db) -> None:
    """Revoke a key: from now on it is refused."""
    await db.write(keys.revoke, key_id)
