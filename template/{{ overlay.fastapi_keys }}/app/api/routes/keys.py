"""API keys, for admins."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response, status

from app.api.deps import Caller, Work
from app.api.routing import ContractRoute
from app.auth import keys
from app.auth.policy import requires
from app.auth.principal import ADMIN
from app.http.openapi import errors
from app.schemas.keys import KeyCreate, KeyCreated, KeyPage
from app.schemas.page import PageQuery

router = APIRouter(prefix="/v1/keys", tags=["keys"], route_class=ContractRoute)


@router.post("", status_code=status.HTTP_201_CREATED)
@requires(role=ADMIN)
async def create_key(data: KeyCreate, work: Work) -> KeyCreated:
    """Make a key. Its secret is shown in this answer and never again."""
    return await work.write(keys.create, data)


@router.get("")
@requires(role=ADMIN)
async def list_keys(query: Annotated[PageQuery, Query()], caller: Caller, work: Work) -> KeyPage:
    """List the keys that are not revoked, newest first."""
    return await work.read(keys.list_keys, caller, query)


@router.delete("/{key_id}", status_code=status.HTTP_204_NO_CONTENT, response_class=Response, responses=errors(404))
@requires(role=ADMIN)
async def revoke_key(key_id: UUID, work: Work) -> None:
    """Revoke a key: from now on it is refused."""
    await work.write(keys.revoke, key_id)
