"""Sections 7 and 12: users, who register, sign in and change themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from .concurrency import THREADS, at_once, expect_one_winner
from .registry import check
from .samples import UNKNOWN_ID, an_email
from .shapes import TIMESTAMP, is_uuid7

if TYPE_CHECKING:
    from .answers import Answer
    from .service import Service, Who

USERS = "/v1/users"
ME = "/v1/users/me"
TOKEN = "/v1/auth/token"
REFRESH = "/v1/auth/refresh"
LOGOUT = "/v1/auth/logout"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
PASSWORD = "correct horse battery staple"
NEW_PASSWORD = "another good passphrase"


def register(service: Service, email: str, password: str = PASSWORD) -> Answer:
    """Return the answer to a registration."""
    return service.post(USERS, who={}, json={"email": email, "password": password})


def sign_in(service: Service, email: str, password: str = PASSWORD, **more: str) -> Answer:
    """Return the answer to the form that signs in."""
    return post_form(service, username=email, password=password, **more)


def post_form(service: Service, **fields: str) -> Answer:
    """Return the answer to a form at the token endpoint."""
    return service.post(TOKEN, who={}, content=urlencode(fields).encode(), headers=FORM)


def refresh(service: Service, token: object) -> Answer:
    """Return the answer to a refresh token."""
    return service.post(REFRESH, who={}, json={"refresh_token": token})


@dataclass(frozen=True)
class SignedIn:
    """A user of their own for one check, and the tokens of one session."""

    email: str
    tokens: dict[str, Any]

    @property
    def who(self) -> Who:
        """Return the fields of a request with the access token."""
        return bearer(self.tokens)


def bearer(tokens: dict[str, Any]) -> Who:
    """Return the fields of a request with the access token among these."""
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def a_user(service: Service) -> SignedIn:
    """Return a new user, signed in; the check ends here when that fails."""
    email = an_email()
    service.needed(register(service, email), 201)
    return SignedIn(email, service.needed(sign_in(service, email), 200))


@check(orders=False, auth="jwt")
def a_registration_answers_the_user(service: Service) -> None:
    email = an_email()
    answer = register(service, email)
    user = service.needed(answer, 201)
    service.claim("it has the four members", user.keys() == {"id", "email", "roles", "created_at"}, answer)
    service.claim("id is a UUIDv7", is_uuid7(user.get("id")), answer)
    service.claim("email is as sent, roles are none", (user["email"], user["roles"]) == (email, []), answer)
    service.claim("created_at has a Z", TIMESTAMP.match(str(user["created_at"])), answer)
    service.claim("the password is not repeated", PASSWORD.encode() not in answer.body, answer)
    tokens = service.needed(sign_in(service, email), 200)
    shown = service.get(ME, who=bearer(tokens))
    service.claim("the user sees the same", shown.status == 200 and shown.json() == user, shown)


@check(auth="jwt")
def a_new_user_may_read_and_write_orders(service: Service) -> None:
    user = a_user(service)
    order = service.create(who=user.who)
    me = service.needed(service.get(ME, who=user.who), 200)
    service.claim("the owner is the user's id", order["owner"] == me["id"])
    service.expect_error(service.get(f"/v1/orders/{order['id']}"), 404, "someone else's")


@check(orders=False, auth="jwt")
def an_address_is_taken_in_any_case(service: Service) -> None:
    email = an_email()
    service.needed(register(service, email), 201)
    for again in (email, email.upper(), email.title()):
        service.expect_error(register(service, again, NEW_PASSWORD), 409, again)
        service.expect(sign_in(service, again), 200, f"sign in as {again}")
    service.expect_error(sign_in(service, email, NEW_PASSWORD), 401, "the later password")


@check(orders=False, auth="jwt")
def one_of_many_equal_registrations_wins(service: Service) -> None:
    email = an_email()
    expect_one_winner(service, at_once(lambda _: register(service, email)), 201, 409, "register")


@check(orders=False, auth="jwt")
def a_bad_registration_is_422(service: Service) -> None:
    good = {"email": an_email(), "password": PASSWORD}
    for about, body, field in (
        ("no password", {"email": good["email"]}, "password"),
        ("no address", {"password": PASSWORD}, "email"),
        ("7 characters", {**good, "password": "a" * 7}, "password"),
        ("129 characters", {**good, "password": "a" * 129}, "password"),
        ("a NUL", {**good, "password": "12345678\0"}, "password"),
        ("lone surrogate", {**good, "password": "12345678\ud83c"}, None),
        ("a number", {**good, "password": 12345678}, "password"),
        ("null", {**good, "password": None}, "password"),
        ("no @", {**good, "email": "ann"}, "email"),
        ("no domain", {**good, "email": "ann@"}, "email"),
        ("an endless address", {**good, "email": f"{'a' * 300}@example.com"}, "email"),
        ("a role of one's own", {**good, "roles": ["admin"]}, "roles"),
        ("an id of one's own", {**good, "id": UNKNOWN_ID}, "id"),
    ):
        answer = service.post(USERS, who={}, json=body)
        service.expect_error(answer, 422, about, field=field)
        service.claim(f"{about}: the password is not repeated", PASSWORD.encode() not in answer.body, answer)
    for password in ("a" * 8, "a" * 128, "\N{HOT BEVERAGE}" * 128):
        email = an_email()
        service.expect(register(service, email, password), 201, f"{len(password)} characters")
        service.expect(sign_in(service, email, password), 200, f"{len(password)} characters")


@check(orders=False, auth="jwt")
def a_change_of_the_password_ends_other_sessions(service: Service) -> None:
    user = a_user(service)
    other = service.needed(sign_in(service, user.email), 200)
    change = {"password": NEW_PASSWORD, "current_password": PASSWORD}
    service.expect(service.patch(ME, who=user.who, json=change), 200, "PATCH")
    service.expect(service.get(ME, who=user.who), 200, "the session that changed it")
    service.expect_error(service.get(ME, who=bearer(other)), 401, "another session")
    service.expect_error(refresh(service, other["refresh_token"]), 401, "another session's refresh token")
    service.expect_error(sign_in(service, user.email), 401, "the old password")
    service.expect(sign_in(service, user.email, NEW_PASSWORD), 200, "the new password")


@check(orders=False, auth="jwt")
def a_change_needs_the_current_password(service: Service) -> None:
    user = a_user(service)
    for change in ({"password": NEW_PASSWORD}, {"email": an_email()}):
        answer = service.patch(ME, who=user.who, json=change)
        service.expect_error(answer, 422, f"{change} alone", field="current_password")
        answer = service.patch(ME, who=user.who, json={**change, "current_password": "wrong"})
        service.expect_error(answer, 403, f"{change} with a wrong one")
    service.expect(sign_in(service, user.email), 200, "nothing has changed")
    service.expect(service.patch(ME, who=user.who, json={}), 200, "an empty PATCH")


@check(orders=False, auth="jwt")
def an_address_can_change_to_one_that_is_free(service: Service) -> None:
    user, other, email = a_user(service), a_user(service), an_email()
    taken = {"email": other.email.upper(), "current_password": PASSWORD}
    service.expect_error(service.patch(ME, who=user.who, json=taken), 409, "taken")
    changed = service.patch(ME, who=user.who, json={"email": email, "current_password": PASSWORD})
    service.expect(changed, 200)
    service.claim("the answer has it", changed.member("email") == email, changed)
    service.expect_error(sign_in(service, user.email), 401, "the old address")
    service.expect(sign_in(service, email), 200, "the new address")
    service.expect(register(service, user.email), 201, "the old address is free")


@check(orders=False, auth="jwt")
def a_bad_change_is_refused_in_order(service: Service) -> None:
    user = a_user(service)
    for about, body in {"a role": {"roles": ["admin"]}, "null": {"email": None}, "a list": []}.items():
        service.expect_error(service.patch(ME, who=user.who, json=body), 422, about)
    service.expect_error(service.patch(ME, who=user.who, content=b"{", headers=JSON), 400, "malformed")
    service.expect_error(service.patch(ME, who={}, content=b"{", headers=JSON), 401, "malformed, nobody")
    service.expect_error(service.patch(ME, who={}, content=b"{", headers=FORM), 415, "a form, nobody")
    service.expect_error(service.delete(ME, who=user.who), 405, "DELETE")
    for target in (USERS, TOKEN, REFRESH, LOGOUT):
        service.expect_error(service.get(target, who={}), 405, f"GET {target}")
        service.expect_error(service.post(f"{target}/", who={}, json={}), 404, f"{target} with a slash")


@check(orders=False, auth="jwt")
def many_sign_in_at_once(service: Service) -> None:
    user = a_user(service)
    answers = at_once(lambda _: sign_in(service, user.email))
    seen = {service.needed(answer, 200)["refresh_token"] for answer in answers}
    service.claim("each has a session of its own", len(seen) == THREADS)
