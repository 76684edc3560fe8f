"""Users: registration, own account, own sessions."""

from http import HTTPStatus
from uuid import UUID

from app.api.deps import get_caller, get_database, get_settings
from app.api.routing import Router
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

router = Router("users", url_prefix="/v1/users")


@router.post("", status=HTTPStatus.CREATED, responses=errors(409))
@public
@max_body(MAX_BODY)
@bulkhead(hashing)
@limited("registration", rate)
def register_user(body: UserCreate) -> UserRead:
    """Register a user with an e-mail address and a password."""
    return UserRead.of(accounts.register(get_database(), body.email, body.password))


@router.get("/me")
@requires()
def get_me() -> UserRead:
    """Get the user who calls."""
    return UserRead.of(get_database().read_latest(users.me, get_caller()))


@router.patch("/me", responses=errors(409))
@requires()
@max_body(MAX_BODY)
@bulkhead(hashing)
@limited("account-change", rate)
def update_me(body: UserUpdate) -> UserRead:
    """Change the e-mail address or the password; with a new password, all other sessions end."""
    return UserRead.of(accounts.update_me(get_database(), get_caller(), body.to(accounts.UserChanges)))


@router.get("/me/sessions")
@requires()
def list_sessions(query: SessionQuery) -> SessionPage:
    """List where the user who calls is signed in, newest first."""
    return get_database().read_latest(sessions.list_own, get_settings(), get_caller(), query)


@router.delete("/me/sessions/<session_id>", status=HTTPStatus.NO_CONTENT, responses=errors(404))
@requires()
def end_session(session_id: UUID) -> None:
    """End a session of the user who calls: its tokens are refused from now on."""
    get_database().write(sessions.end_own, get_caller(), session_id)
