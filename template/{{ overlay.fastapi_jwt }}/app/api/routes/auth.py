"""Signing in, staying signed in, signing out."""

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Body, Response, status

from app.api.deps import Db
from app.auth.policy import public
from app.http import attempts
from app.http.body import FORM, max_body
from app.http.bulkhead import bulkhead
from app.http.limited import limited
from app.http.openapi import errors
from app.schemas.auth import (
    NewPasswordRequest,
    ProofRequest,
    RefreshRequest,
    ResetRequest,
    TokenPair,
    TokenRequest,
)
from app.services import accounts

router = APIRouter(prefix="/v1/auth", tags=["auth"])


@router.post("/token", responses=errors(401))
@public
@max_body(attempts.MAX_BODY)
@bulkhead(attempts.hashing)
@limited("token", attempts.rate)
async def create_token(form: Annotated[TokenRequest, Body(media_type=FORM.media_type)], db: Db) -> TokenPair:
    """Sign in with an e-mail address and a password (RFC 6749, 4.3)."""
    return await db.run(attempts.exchange_password, form)


@router.post("/refresh", responses=errors(401))
@public
@max_body(attempts.MAX_BODY)
@limited("refresh", attempts.rate)
async def refresh_token(data: RefreshRequest, db: Db) -> TokenPair:
    """Exchange a refresh token for the next pair. A second use of it ends the session."""
    return await db.run(attempts.exchange_refresh_token, data)


@router.post("/logout", status_code=status.HTTP_204_NO_CONTENT, response_class=Response)
@public
@max_body(attempts.MAX_BODY)
async def logout(data: RefreshRequest, db: Db) -> None:
    """End the session of a refresh token, if there is one."""
    await db.run(accounts.sign_out, data.refresh_token)


@router.post("/reset", status_code=status.HTTP_202_ACCEPTED, response_class=Response, responses=errors(404))
@public
@max_body(attempts.MAX_BODY)
@limited("reset", attempts.rate)
async def request_reset(data: ResetRequest, db: Db, background: BackgroundTasks) -> None:
    """Ask for a token that sets a new password; it is sent to the address, if a user has it."""
    accounts.require_sender()
    background.add_task(db.run, accounts.send_reset, data.email)


@router.post("/password", status_code=status.HTTP_204_NO_CONTENT, response_class=Response)
@public
@max_body(attempts.MAX_BODY)
@bulkhead(attempts.hashing)
@limited("password", attempts.rate)
async def reset_password(data: NewPasswordRequest, db: Db) -> None:
    """Set a new password with a reset token. All sessions of the user end."""
    await db.run(accounts.reset_password, data.token, data.password)


@router.post("/proof", status_code=status.HTTP_204_NO_CONTENT, response_class=Response, responses=errors(403))
@public
@max_body(attempts.MAX_BODY)
@bulkhead(attempts.hashing)
@limited("proof", attempts.rate)
async def prove_email(data: ProofRequest, db: Db) -> None:
    """Prove an e-mail address with the token that was sent to it, and the password of the account."""
    await db.run(accounts.prove_email, data.token, data.password)
