"""Signing in, staying signed in, signing out."""

from http import HTTPStatus
from typing import Annotated

from app.api.deps import get_database
from app.api.routing import Router
from app.auth.policy import public
from app.http import sign_in
from app.http.body import FORM, max_body
from app.http.bulkhead import bulkhead
from app.http.limited import limited
from app.http.openapi import errors
from app.http.rate_limits import per_caller
from app.schemas.sign_in import RefreshRequest, TokenPair, TokenRequest
from app.services import accounts

router = Router("auth", url_prefix="/v1/auth")


@router.post("/token", responses=errors(401, 429))
@public
@max_body(sign_in.MAX_BODY)
@bulkhead(sign_in.hashing)
@limited(per_caller("token"))
def create_token(body: Annotated[TokenRequest, FORM]) -> TokenPair:
    """Sign in with an e-mail address and a password (RFC 6749, 4.3)."""
    return sign_in.sign_in(get_database(), body)


@router.post("/refresh", responses=errors(401, 429))
@public
@max_body(sign_in.MAX_BODY)
@limited(per_caller("refresh"))
def refresh_token(body: RefreshRequest) -> TokenPair:
    """Exchange a refresh token for the next pair. A second use of it ends the session."""
    return sign_in.refresh(get_database(), body)


@router.post("/logout", status=HTTPStatus.NO_CONTENT)
@public
@max_body(sign_in.MAX_BODY)
def logout(body: RefreshRequest) -> None:
    """End the session of a refresh token, if there is one."""
    accounts.sign_out(get_database(), body)
