"""Users: registration, own account, own sessions."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response, status

from app.api.deps import Caller, Db
from app.auth import sessions, users
from app.auth.policy import public, requires
from app.http.attempts import MAX_BODY, hashing, rate
from app.http.body import max_body
from app.http.bulkhead import bulkhead
from app.http.limited import limited
from app.http.openapi import errors
from app.schemas.auth import SessionPage, SessionQuery
from app.schemas.users import UserCreate, UserRead, UserUpdate
from app.services import accounts

router = APIRouter(prefix="/v1/users", tags=["users"])


@router.post("", status_code=status.HTTP_201_CREATED, responses=errors(409))
@public
@max_body(MAX_BODY)
@bulkhead(hashing)
@limited("registration", rate)
async def register_user(data: UserCreate, db: Db) -> UserRead:
    """Register a user with an e-mail address and a password."""
    user = await db.run(accounts.register, data.email, data.password)
    return UserRead.of(user)


@router.get("/me")
@requires()
async def get_me(caller: Caller, db: Db) -> UserRead:
    """Get the user who calls."""
    return UserRead.of(await db.read_latest(users.me, caller))


@router.patch("/me", responses=errors(409))
@requires()
@max_body(MAX_BODY)
@bulkhead(hashing)
@limited("account-change", rate)
async def update_me(data: UserUpdate, caller: Caller, db: Db) -> UserRead:
    """Change the e-mail address or the password; with a new password, all other sessions end."""
    changes = data.to(accounts.UserChanges)
    return UserRead.of(await db.run(accounts.update_me, caller, changes))


@router.get("/me/sessions")
@requires()
async def list_sessions(query: Annotated[SessionQuery, Query()], caller: Caller, db: Db) -> SessionPage:
    """List where the user who calls is signed in, newest first."""
    return await db.read_latest(sessions.list_own, db.settings, caller, query)


@router.delete(
    "/me/sessions/{session_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    response_class=Response,
    responses=errors(404),
)
@requires()
async def end_session(session_id: UUID, caller: Caller, db: Db) -> None:
    """End a session of the user who calls: its tokens are refused from now on."""
    await db.write(sessions.end_own, caller, session_id)
