"""Signing in, staying signed in, signing out."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Body, Response, status

from app.api.deps import Work
from app.api.routing import ContractRoute
from app.auth.policy import public
from app.http import sign_in
from app.http.body import FORM, max_body
from app.http.bulkhead import bulkhead
from app.http.limited import limited
from app.http.openapi import errors
from app.http.rate_limits import per_caller
from app.schemas.sign_in import (
    NewPasswordRequest,
    ProofRequest,
    RefreshRequest,
    ResetRequest,
    TokenPair,
    TokenRequest,
)
from app.services import accounts

router = APIRouter(prefix="/v1/auth", tags=["auth"], route_class=ContractRoute)


@router.post("/token", responses=errors(401, 429))
@public
@max_body(sign_in.MAX_BODY)
@bulkhead(sign_in.hashing)
@limited(per_caller("token"))
async def create_token(form: Annotated[TokenRequest, Body(media_type=FORM.media_type)], work: Work) -> TokenPair:
    """Sign in with an e-mail address and a password (RFC 6749, 4.3)."""
    return await work.call(partial(sign_in.sign_in, work.database, form))


@router.post("/refresh", responses=errors(401, 429))
@public
@max_body(sign_in.MAX_BODY)
@limited(per_caller("refresh"))
async def refresh_token(data: RefreshRequest, work: Work) -> TokenPair:
    """Exchange a refresh token for the next pair. A second use of it ends the session."""
    return await work.call(partial(sign_in.refresh, work.database, data))


@router.post("/logout", status_code=status.HTTP_204_NO_CONTENT, response_class=Response)
@public
@max_body(sign_in.MAX_BODY)
async def logout(data: RefreshRequest, work: Work) -> None:
    """End the session of a refresh token, if there is one."""
    await work.call(partial(accounts.sign_out, work.database, data))


@router.post("/reset", status_code=status.HTTP_202_ACCEPTED, response_class=Response, responses=errors(404, 429))
@public
@max_body(sign_in.MAX_BODY)
@limited(per_caller("reset"))
async def request_reset(data: ResetRequest, work: Work) -> None:
    """Ask for a token that sets a new password; it is sent to the address, if a user has it."""
    await work.call(partial(accounts.request_reset, work.database, data))


@router.post("/password", status_code=status.HTTP_204_NO_CONTENT, response_class=Response, responses=errors(429))
@public
@max_body(sign_in.MAX_BODY)
@bulkhead(sign_in.hashing)
@limited(per_caller("password"))
async def reset_password(data: NewPasswordRequest, work: Work) -> None:
    """Set a new password with a token for it; all sessions of the user end."""
    await work.call(partial(accounts.reset_password, work.database, data))


@router.post("/proof", status_code=status.HTTP_204_NO_CONTENT, response_class=Response, responses=errors(429))
@public
@max_body(sign_in.MAX_BODY)
@limited(per_caller("proof"))
async def prove_email(data: ProofRequest, work: Work) -> None:
    """Prove an e-mail address with the token that was sent to it."""
    await work.call(partial(accounts.prove_email, work.database, data))
