"""API keys, for admins."""

from http import HTTPStatus
from uuid import UUID

from app.api.deps import get_caller, get_database
from app.api.routing import Router
from app.auth import keys
from app.auth.policy import requires
from app.auth.principal import ADMIN
from app.http.openapi import errors
from app.http.retries import never_stored
from app.schemas.keys import KeyCreate, KeyCreated, KeyPage, KeyQuery

router = Router("keys", url_prefix="/v1/keys")


@router.post("", status=HTTPStatus.CREATED)
@requires(role=ADMIN)
@never_stored
def create_key(body: KeyCreate) -> KeyCreated:
    """Make a key. Its secret is shown in this answer and never again."""
    return KeyCreated.of(get_database().write(keys.create, body.to(keys.KeyGrant)))


@router.get("")
@requires(role=ADMIN)
def list_keys(query: KeyQuery) -> KeyPage:
    """List the keys that are not revoked, newest first."""
    return get_database().read(keys.list_keys, get_caller(), query)


@router.delete("/<key_id>", status=HTTPStatus.NO_CONTENT, responses=errors(404))
@requires(role=ADMIN)
def revoke_key(key_id: UUID) -> None:
    """Revoke a key: from now on it is refused."""
    get_database().write(keys.revoke, key_id)
