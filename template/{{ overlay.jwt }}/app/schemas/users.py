"""Users: what they send to register and to change themselves, and what they see."""

from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from app.core.composed import composed
from app.schemas.base import Schema
from app.schemas.fields import LINE, Email, Timestamp, optional

# Long enough to be worth a slow hash, short enough that one is no work for an attacker to ask for.
_BOUNDS = StringConstraints(min_length=8, max_length=128, pattern=LINE)
_SECRECY = Field(repr=False, json_schema_extra={"format": "password"}, examples=["correct horse battery staple"])

# Besides what no address has: what nobody sees, what turns the text around, and other blanks (Unicode TR 36, 2.10).
_PART = (
    r"[^\u0000-\u0020\u007F-\u00A0\u00AD\u034F\u061C\u115F\u1160\u1680\u17B4\u17B5\u180B-\u180F\u2000-\u200F\u2028-\u202F"
    r"\u205F-\u206F\u3000\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFFB@"
)
_VISIBLE = rf"^{_PART}]+@{_PART}.]+(\.{_PART}.]+)+$"


def _composed(value: object) -> object:
    return composed(value) if isinstance(value, str) else value


def _measured(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:  # noqa: ANN401 - whatever was sent
    validate(_composed(value))
    return value


COMPOSED: Final = BeforeValidator(_composed)
"""Composes a text (NFC) before its length counts, which can grow by that."""

Address = Annotated[Email, StringConstraints(pattern=_VISIBLE), COMPOSED]
"""The e-mail address of an account: two that look the same are the same."""

_ADDRESS = TypeAdapter(Address)


def if_address(text: str) -> str | None:
    """Return `text` if it has the form of an address, for a log: in that field some type their password."""
    try:
        return _ADDRESS.validate_python(text)
    except ValidationError:
        return None


NewPassword = Annotated[str, _BOUNDS, COMPOSED, _SECRECY]
SentPassword = Annotated[
    str, StringConstraints(min_length=1, max_length=128, pattern=LINE), WrapValidator(_measured), _SECRECY
]
"""A password that may be wrong: it is not told apart by its length. Old hashes are of what was typed, so it stays."""


class UserCreate(Schema):
    """A new user."""

    email: Address = Field(description="No two users have one, whatever the case.", examples=["ada@example.com"])
    password: NewPassword


class UserUpdate(Schema):
    """Changes to oneself; what is not sent stays as it is."""

    model_config = ConfigDict(
        json_schema_extra={"dependentRequired": {"email": ["current_password"], "password": ["current_password"]}}
    )

    email: Address = optional("The new address; where addresses are proved, it counts from then on.", "ada@example.com")
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
