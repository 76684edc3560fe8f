"""Users, who register and look after themselves."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response, status

from app.api.deps import Caller, Work
from app.api.routing import ContractRoute
from app.auth import sessions, users
from app.auth.policy import public, requires
from app.http.body import max_body
from app.http.bulkhead import bulkhead
from app.http.limited import limited
from app.http.openapi import errors
from app.http.rate_limits import per_caller
from app.http.sign_in import MAX_BODY, hashing
from app.schemas.page import PageQuery
from app.schemas.sign_in import SessionPage
from app.schemas.users import UserCreate, UserRead, UserUpdate
from app.services import accounts

router = APIRouter(prefix="/v1/users", tags=["users"], route_class=ContractRoute)


@router.post("", status_code=status.HTTP_201_CREATED, responses=errors(409, 429))
@public
@max_body(MAX_BODY)
@bulkhead(hashing)
@limited(per_caller("registration"))
async def register_user(data: UserCreate, work: Work) -> UserRead:
    """Register: whoever signs in with the password is this user."""
    return await work.call(partial(accounts.register, work.database, data))


@router.get("/me")
@requires()
async def get_me(caller: Caller, work: Work) -> UserRead:
    """Get the user who calls."""
    return await work.read_latest(users.me, caller)


@router.patch("/me", responses=errors(409, 429))
@requires()
@max_body(MAX_BODY)
@bulkhead(hashing)
@limited(per_caller("account-change"))
async def update_me(data: UserUpdate, caller: Caller, work: Work) -> UserRead:
    """Change the e-mail address or the password; with a new password, all other sessions end."""
    return await work.call(partial(accounts.update_me, work.database, caller, data))


@router.get("/me/sessions")
@requires()
async def list_sessions(query: Annotated[PageQuery, Query()], caller: Caller, work: Work) -> SessionPage:
    """List where the user who calls is signed in, newest first."""
    return await work.read_latest(sessions.list_own, work.database.settings, caller, query)


@router.delete(
    "/me/sessions/{session_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    response_class=Response,
    responses=errors(404),
)
@requires()
async def end_session(session_id: UUID, caller: Caller, work: Work) -> None:
    """End a session of the user who calls: its tokens are refused from now on."""
    await work.write(sessions.end_own, caller, session_id)
