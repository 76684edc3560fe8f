"""Sections 7 and 12: signing in, staying signed in, signing out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .authentication import essence
from .concurrency import at_once
from .registry import check
from .samples import an_email, an_order
from .users import (
    FORM,
    JSON,
    LOGOUT,
    ME,
    PASSWORD,
    REFRESH,
    TOKEN,
    a_user,
    bearer,
    post_form,
    refresh,
    sign_in,
)

if TYPE_CHECKING:
    from .service import Service

ORDERS = "/v1/orders"
MEMBERS = {"access_token", "refresh_token", "token_type", "expires_in"}


@check(orders=False, auth="jwt")
def tokens_have_the_four_members(service: Service) -> None:
    user = a_user(service)
    for about, answer in (
        ("token", sign_in(service, user.email)),
        ("refresh", refresh(service, user.tokens["refresh_token"])),
    ):
        tokens = service.needed(answer, 200)
        service.claim(f"{about}: it has {sorted(MEMBERS)}", tokens.keys() == MEMBERS, answer)
        service.claim(f"{about}: token_type is Bearer", str(tokens["token_type"]).lower() == "bearer", answer)
        service.claim(f"{about}: expires_in is a number", type(tokens["expires_in"]) is int, answer)
        service.claim(f"{about}: no-store", "no-store" in (answer.header("cache-control") or ""), answer)
        service.expect(service.get(ME, who=bearer(tokens)), 200, f"{about}: the access token works")


@check(orders=False, auth="jwt")
def an_unknown_user_looks_like_a_wrong_password(service: Service) -> None:
    user = a_user(service)
    wrong = sign_in(service, user.email, "wrong")
    service.expect_error(wrong, 401, "a wrong password")
    service.claim("401 has WWW-Authenticate", wrong.header("www-authenticate"), wrong)
    for about, answer in (
        ("an unknown user", sign_in(service, an_email())),
        ("no address", sign_in(service, "nobody")),
        ("another case of the password", sign_in(service, user.email, PASSWORD.upper())),
        ("SQL", sign_in(service, "' OR 1=1 --", "' OR 1=1 --")),
    ):
        service.expect_error(answer, 401, about)
        service.claim(f"{about}: 401 says the same", essence(answer) == essence(wrong), answer, wrong)


@check(orders=False, auth="jwt")
def a_form_is_read_strictly(service: Service) -> None:
    user = a_user(service)
    good = {"username": user.email, "password": PASSWORD}
    service.expect(post_form(service, **good, grant_type="password", scope=""), 200, "what Swagger UI sends")
    for about, fields, name in (
        ("another grant type", {**good, "grant_type": "client_credentials"}, "grant_type"),
        ("an unknown field", {**good, "nope": "1"}, "nope"),
        ("no password", {"username": user.email}, "password"),
        ("an empty username", {**good, "username": ""}, "username"),
        ("a NUL", {**good, "username": "a\0"}, "username"),
        ("an unknown scope", {**good, "scope": "orders:fly"}, "scope"),
        ("an endless password", {**good, "password": "a" * 5000}, "password"),
    ):
        service.expect_error(post_form(service, **fields), 422, about, field=name)
    for about, content, status in (
        ("nothing", b"", 422),
        ("a field twice", b"username=a&username=b&password=c", 422),
        ("not UTF-8", b"username=%FF&password=c", 400),
        ("raw bytes", b"username=\xff&password=c", 400),
        ("half an escape", b"username=%4&password=c", 400),
        ("JSON", b'{"username": "a", "password": "b"}', 422),
        ("a thousand fields", b"a=&" * 1000, 422),
        ("a million fields", b"a=&" * 300_000, 413),
    ):
        service.expect_error(service.post(TOKEN, who={}, content=content, headers=FORM), status, about)


@check(orders=False, auth="jwt")
def the_media_type_is_checked(service: Service) -> None:
    for target, kinds in (
        (TOKEN, ("application/json", "multipart/form-data; boundary=x", "text/plain")),
        (REFRESH, (FORM["Content-Type"], "text/plain")),
        (LOGOUT, (FORM["Content-Type"], "text/plain")),
    ):
        for kind in kinds:
            answer = service.post(target, who={}, content=b"{}", headers={"Content-Type": kind})
            service.expect_error(answer, 415, f"{target} as {kind}")
        service.expect_error(service.raw("POST", target, body=b"x"), 415, f"{target} without Content-Type")


@check(auth="jwt")
def a_scope_narrows_the_tokens(service: Service) -> None:
    user = a_user(service)
    for scope, reads, writes in (("orders:read", 200, 403), ("orders:write", 403, 201), ("", 200, 201)):
        tokens = service.needed(sign_in(service, user.email, scope=scope), 200)
        for each in (tokens, service.needed(refresh(service, tokens["refresh_token"]), 200)):
            service.expect(service.get(ORDERS, who=bearer(each)), reads, f"read with {scope!r}")
            service.expect(service.post(ORDERS, who=bearer(each), json=an_order()), writes, f"write with {scope!r}")


@check(orders=False, auth="jwt")
def a_refresh_token_is_good_for_one_use(service: Service) -> None:
    user = a_user(service)
    other = service.needed(sign_in(service, user.email), 200)
    newest = service.needed(refresh(service, user.tokens["refresh_token"]), 200)
    service.claim("it is another", newest["refresh_token"] != user.tokens["refresh_token"])
    service.expect(service.get(ME, who=user.who), 200, "the access token before")
    again = service.needed(refresh(service, user.tokens["refresh_token"]), 200)
    service.claim("a second use at once gets the same", newest["refresh_token"] == again["refresh_token"])
    last = service.needed(refresh(service, newest["refresh_token"]), 200)
    late = service.needed(refresh(service, user.tokens["refresh_token"]), 200)
    service.claim("also when that was used", newest["refresh_token"] == late["refresh_token"])
    service.expect(refresh(service, last["refresh_token"]), 200, "the newest, after that")
    service.expect(service.get(ME, who=bearer(other)), 200, "another session")
    service.expect(refresh(service, other["refresh_token"]), 200, "another session's refresh token")


@check(orders=False, auth="jwt")
def many_refreshes_at_once_get_one_token(service: Service) -> None:
    for _ in range(3):
        user = a_user(service)
        answers = at_once(lambda _, user=user: refresh(service, user.tokens["refresh_token"]))
        tokens = {service.needed(answer, 200)["refresh_token"] for answer in answers}
        service.claim(f"all get the same: {len(tokens)} tokens", len(tokens) == 1, *answers)


@check(orders=False, auth="jwt")
def what_is_no_refresh_token_is_401(service: Service) -> None:
    user = a_user(service)
    token = user.tokens["refresh_token"]
    for about, sent in {
        "garbage": "garbage",
        "cut": token[:-1],
        "longer": f"{token}a",
        "in upper case": token.upper(),
        "SQL": "' OR 1=1 --",
        "not ASCII": "\N{HOT BEVERAGE}",
    }.items():
        service.expect_error(refresh(service, sent), 401, about)
    service.expect_error(refresh(service, user.tokens["access_token"]), {401, 422}, "an access token")
    for about, sent in {"empty": "", "null": None, "a number": 1, "a list": [token]}.items():
        service.expect_error(refresh(service, sent), 422, about)
    service.expect_error(service.post(REFRESH, who={}, content=b"{", headers=JSON), 400, "malformed")
    service.expect(refresh(service, token), 200, "the right one, after all that")


@check(orders=False, auth="jwt")
def a_logout_ends_the_session(service: Service) -> None:
    user = a_user(service)
    other = service.needed(sign_in(service, user.email), 200)
    sent = {"refresh_token": user.tokens["refresh_token"]}
    answer = service.post(LOGOUT, who={}, json=sent)
    service.expect(answer, 204)
    service.claim("204 is empty", answer.body == b"", answer)
    service.expect_error(refresh(service, user.tokens["refresh_token"]), 401, "its refresh token")
    service.expect_error(service.get(ME, who=user.who), 401, "its access token")
    service.expect(service.get(ME, who=bearer(other)), 200, "another session")
    # Whether a second logout finds the session is left open.
    service.expect(service.post(LOGOUT, who={}, json=sent), {204, 401}, "a second time")
    service.expect_error(service.post(LOGOUT, who={}, json={}), 422, "nothing")
