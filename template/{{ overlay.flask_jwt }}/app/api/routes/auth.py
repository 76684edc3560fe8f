"""Signing in, staying signed in, signing out."""

from http import HTTPStatus
from typing import Annotated

from app.api.afterwards import run_after_answer
from app.api.deps import get_database
from app.api.routing import Router
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

router = Router("auth", url_prefix="/v1/auth")


@router.post("/token", responses=errors(401))
@public
@max_body(attempts.MAX_BODY)
@bulkhead(attempts.hashing)
@limited("token", attempts.rate)
def create_token(body: Annotated[TokenRequest, FORM]) -> TokenPair:
    """Sign in with an e-mail address and a password (RFC 6749, 4.3)."""
    return attempts.exchange_password(get_database(), body)


@router.post("/refresh", responses=errors(401))
@public
@max_body(attempts.MAX_BODY)
@limited("refresh", attempts.rate)
def refresh_token(body: RefreshRequest) -> TokenPair:
    """Exchange a refresh token for the next pair. A second use of it ends the session."""
    return attempts.exchange_refresh_token(get_database(), body)


@router.post("/logout", status=HTTPStatus.NO_CONTENT)
@public
@max_body(attempts.MAX_BODY)
def logout(body: RefreshRequest) -> None:
    """End the session of a refresh token, if there is one."""
    accounts.sign_out(get_database(), body.refresh_token)


@router.post("/reset", status=HTTPStatus.ACCEPTED, responses=errors(404))
@public
@max_body(attempts.MAX_BODY)
@limited("reset", attempts.rate)
def request_reset(body: ResetRequest) -> None:
    """Ask for a token that sets a new password; it is sent to the address, if a user has it."""
    accounts.require_sender()
    run_after_answer(accounts.send_reset, get_database(), body.email)


@router.post("/password", status=HTTPStatus.NO_CONTENT)
@public
@max_body(attempts.MAX_BODY)
@bulkhead(attempts.hashing)
@limited("password", attempts.rate)
def reset_password(body: NewPasswordRequest) -> None:
    """Set a new password with a reset token. All sessions of the user end."""
    accounts.reset_password(get_database(), body.token, body.password)


@router.post("/proof", status=HTTPStatus.NO_CONTENT, responses=errors(403))
@public
@max_body(attempts.MAX_BODY)
@bulkhead(attempts.hashing)
@limited("proof", attempts.rate)
def prove_email(body: ProofRequest) -> None:
    """Prove an e-mail address with the token that was sent to it, and the password of the account."""
    accounts.prove_email(get_database(), body.token, body.password)
