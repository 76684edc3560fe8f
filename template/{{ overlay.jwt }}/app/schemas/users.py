"""Users: what they send to register and to change themselves, and what they see."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from app.schemas.base import Schema
from app.schemas.fields import LINE, Email, Timestamp, optional

# Long enough to be worth a slow hash, short enough that one is no work for an attacker to ask for.
_BOUNDS = StringConstraints(min_length=8, max_length=128, pattern=LINE)
_SECRECY = Field(repr=False, json_schema_extra={"format": "password"}, examples=["correct horse battery staple"])

NewPassword = Annotated[str, _BOUNDS, _SECRECY]
SentPassword = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=LINE), _SECRECY]
"""A password that may be wrong: it is not told apart by its length."""


class UserCreate(Schema):
    """A new user."""

    email: Email = Field(description="No two users have one, whatever the case.", examples=["ada@example.com"])
    password: NewPassword


class UserUpdate(Schema):
    """Changes to oneself; what is not sent stays as it is."""

    model_config = ConfigDict(
        json_schema_extra={"dependentRequired": {"email": ["current_password"], "password": ["current_password"]}}
    )

    email: Email = optional("The new address.", "ada@example.com")
    password: NewPassword = optional("The new password; all other sessions end.", "correct horse battery staple")
    current_password: SentPassword = optional(
        "Needed to change the address or the password.", "correct horse battery staple"
    )


class UserRead(Schema):
    """A user."""

    id: UUID
    email: str = Field(examples=["ada@example.com"])
    roles: list[str]
    created_at: Timestamp
