"""API keys, as admins see them."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from app.core.scopes import SCOPES
from app.schemas.base import Schema
from app.schemas.fields import Instant, ShortText, Timestamp
from app.schemas.lists import ListQuery
from app.schemas.page import Page


def _is_scope(value: str) -> str:
    if value not in SCOPES:
        error, message = "scope", "Input should be one of the scopes of this service: {scopes}"
        raise PydanticCustomError(error, message, {"scopes": ", ".join(SCOPES) or "it has none yet"})
    return value


# A service without scopes has no valid one: `not {}`.
_SCOPE_SCHEMA = {"type": "string", "enum": list(SCOPES)} if SCOPES else {"type": "string", "not": {}}

Scope = Annotated[str, AfterValidator(_is_scope), WithJsonSchema(_SCOPE_SCHEMA)]
Role = Literal["admin"]


class KeyCreate(Schema):
    """A new key."""

    owner: ShortText = Field(
        description="The subject that calls with this key; it owns what it makes.", examples=["billing"]
    )
    scopes: list[Scope] = Field(default=[], max_length=100)
    roles: list[Role] = Field(default=[], max_length=10)
    expires_at: Instant | None = Field(default=None, description="From when the key is refused; null for never.")


class KeyRead(Schema):
    """A key, without its secret."""

    id: UUID
    prefix: str = Field(
        description="The part of the key that may be shown: it names the key and opens nothing.",
        examples=["9f86d081884c7d65"],
    )
    owner: str = Field(examples=["billing"])
    scopes: list[str]
    roles: list[str]
    created_at: Timestamp
    expires_at: Timestamp | None
    last_used_at: Timestamp | None


class KeyCreated(KeyRead):
    """A key, with its secret: the only time that it is shown."""

    key: str = Field(
        description="Send it as `X-API-Key`. It cannot be shown again.", examples=["key_9f86d081884c7d65.SECRET"]
    )


class KeyPage(Page[KeyRead]):
    """Some keys, and where to go on."""


class KeyQuery(ListQuery[KeyPage]):
    """How to list keys: newest first."""

    page = KeyPage
