"""Signing in: the password form of OAuth 2.0 (RFC 6749, 4.3), and the tokens that it is answered with."""

import re
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from app.core.scopes import SCOPES
from app.schemas.base import Schema
from app.schemas.fields import LINE, Email, Timestamp
from app.schemas.lists import ListQuery
from app.schemas.page import Page
from app.schemas.users import COMPOSED, NewPassword, SentPassword

_ANY_SCOPE = "|".join(re.escape(scope) for scope in SCOPES)
# No more of them than there are.
_SCOPE_LIST = f"^(({_ANY_SCOPE})( ({_ANY_SCOPE}))" + "{0," + str(len(SCOPES) - 1) + "})?$" if SCOPES else "^$"

LONGEST_TOKEN: Final = 1500
"""It may name an address, of up to four bytes a character."""

OneTimeToken = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LONGEST_TOKEN, pattern=LINE),
    Field(repr=False, description="Good for one use.", examples=["reset_SECRET"]),
]


class TokenRequest(Schema):
    """A form that signs a user in."""

    grant_type: Literal["password"] = "password"
    username: Annotated[str, StringConstraints(min_length=1, max_length=254, pattern=LINE), COMPOSED] = Field(
        description="The user's e-mail address, in any case.", examples=["ada@example.com"]
    )
    password: SentPassword
    scope: Annotated[str, StringConstraints(pattern=_SCOPE_LIST)] = Field(
        default="",
        description="The scopes that the tokens are for, separated by spaces; all that the user has if it is empty.",
        examples=[" ".join(SCOPES)],
    )


class RefreshRequest(Schema):
    """A refresh token."""

    refresh_token: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=LINE)] = Field(
        repr=False, description="The newest of the session.", examples=["refresh_SECRET"]
    )


class ResetRequest(Schema):
    """A request to reset the password of an account."""

    email: Annotated[Email, COMPOSED] = Field(examples=["ada@example.com"])


class NewPasswordRequest(Schema):
    """A new password, with the token that lets it be set."""

    token: OneTimeToken
    password: NewPassword


class ProofRequest(Schema):
    """The token that was sent to an address, and the password of the account: neither is enough alone."""

    token: OneTimeToken
    password: SentPassword


class SessionRead(Schema):
    """An active session of the caller."""

    id: UUID
    created_at: Timestamp
    last_used_at: Timestamp = Field(description="When it was started or last refreshed.")
    expires_at: Timestamp
    is_current: bool = Field(description="Whether it is the one that asks.")


class SessionPage(Page[SessionRead]):
    """Some sessions of the caller, newest first."""


class SessionQuery(ListQuery[SessionPage]):
    """How to list sessions: newest first."""

    page = SessionPage


class TokenPair(Schema):
    """Tokens of a session (RFC 6749, 5.1)."""

    access_token: str = Field(
        repr=False, description="Send it as `Authorization: Bearer …`.", examples=["HEADER.CLAIMS.SIGNATURE"]
    )
    refresh_token: str = Field(
        repr=False, description="Exchange it, once, for the next pair.", examples=["refresh_SECRET"]
    )
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - a scheme, not a secret
    expires_in: int = Field(description="For how many seconds the access token is valid.", examples=[900])
