"""Sections 7 and 12: API keys, made and revoked by an admin over HTTP.

The contract names the calls, not the fields of their bodies; those are taken from the service's own OpenAPI document.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from .authentication import essence
from .concurrency import at_once
from .registry import check
from .samples import UNKNOWN_ID, an_order, unique
from .service import UnmetError
from .shapes import TIMESTAMP, envelope_problems

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .answers import Answer
    from .service import Service, Who

KEYS = "/v1/keys"
ORDERS = "/v1/orders"
JSON = {"Content-Type": "application/json"}
BOTH = ["orders:read", "orders:write"]
KNOWN = 403  # what a key that works gets for a list of keys, as it is no admin's


@dataclass(frozen=True)
class Made:
    """A new key: its id, its secret, and the answer that held them."""

    id: str
    secret: str
    answer: Answer

    @property
    def who(self) -> Who:
        """Return the fields of a request with this key."""
        return {"X-API-Key": self.secret}

    @property
    def path(self) -> str:
        """Return the key's path."""
        return f"{KEYS}/{self.id}"


def names(service: Service) -> set[str]:
    """Return the members of the body that makes a key, as the service documents them."""
    document = service.get("/openapi.json").json()
    schema = document["paths"][KEYS]["post"]["requestBody"]["content"]["application/json"]["schema"]
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return set(schema["properties"])


def body_for(
    service: Service, *, owner: str = "x", scopes: Sequence[str] = (), expires: str | None = None
) -> dict[str, Any]:
    """Return a body that makes a key."""
    documented = names(service)
    body: dict[str, Any] = {"owner": owner, "scopes": list(scopes)}
    if expires is not None:
        body |= {name: expires for name in documented if name.startswith("expire")}
    if missing := body.keys() - documented:
        raise UnmetError(f"POST {KEYS} documents {sorted(documented)}, without {sorted(missing)}")
    return body


def make(service: Service, *, owner: str = "", scopes: Sequence[str] = (), expires: str | None = None) -> Made:
    """Return a new key, made by the admin; the check ends here when it is not made."""
    body = body_for(service, owner=owner or unique("owner"), scopes=scopes, expires=expires)
    answer = service.post(KEYS, who=service.credentials.admin, json=body)
    made = service.needed(answer, 201)
    texts = [value for value in made.values() if isinstance(value, str) and value != made.get("id")]
    works = (text for text in texts if text.isascii() and service.get(KEYS, who={"X-API-Key": text}).status == KNOWN)
    secret = next(works, None)
    if secret is None or "id" not in made:
        raise UnmetError(f"the answer holds an id and a key that works\n{answer.describe()}")
    return Made(made["id"], secret, answer)


@check(auth="api_key")
def a_new_key_works_with_its_scopes_alone(service: Service) -> None:
    writer, reader, nobody = (make(service, scopes=scopes) for scopes in (BOTH, BOTH[:1], []))
    service.expect_order(service.post(ORDERS, who=writer.who, json=an_order()), 201, "both scopes")
    service.expect(service.get(ORDERS, who=reader.who), 200, "orders:read")
    service.expect_error(service.post(ORDERS, who=reader.who, json=an_order()), 403, "orders:read alone")
    service.expect_error(service.get(ORDERS, who=nobody.who), 403, "no scope")
    service.claim(
        "a new key is 201 with no-store", "no-store" in (writer.answer.header("cache-control") or ""), writer.answer
    )


@check(auth="api_key")
def two_keys_of_one_owner_share_its_orders(service: Service) -> None:
    owner = unique("owner")
    one, other, stranger = (make(service, owner=name, scopes=BOTH) for name in (owner, owner, unique("owner")))
    order = service.create(who=one.who)
    service.claim(f"the owner is {owner}", order["owner"] == owner)
    service.expect_order(service.get(f"{ORDERS}/{order['id']}", who=other.who), 200, "the same owner")
    service.expect_error(service.get(f"{ORDERS}/{order['id']}", who=stranger.who), 404, "another owner")


@check(orders=False, auth="api_key")
def the_secret_is_shown_once(service: Service) -> None:
    made = make(service)
    secret_part = made.secret[-16:].encode()
    service.claim("it is in the answer that made it once", made.answer.body.count(secret_part) == 1, made.answer)
    target = f"{KEYS}?limit=100"
    for _ in range(50):
        answer = service.get(target, who=service.credentials.admin)
        page = service.needed(answer, 200)
        service.expect_none(answer, envelope_problems(page))
        service.claim("no list holds the secret", secret_part not in answer.body, answer)
        listed = [key for key in page["data"] if key.get("id") == made.id]
        if listed or not page["next_cursor"]:
            break
        target = f"{KEYS}?limit=100&cursor={page['next_cursor']}"
    service.claim("the key is listed", len(listed) == 1, answer)
    for key in listed:
        times = {name: value for name, value in key.items() if name.endswith("_at") and value is not None}
        service.claim(f"its times have a Z: {times}", all(TIMESTAMP.match(value) for value in times.values()), answer)


@check(orders=False, auth="api_key")
def a_revoked_key_is_401(service: Service) -> None:
    made = make(service)
    service.expect(service.get(KEYS, who=made.who), KNOWN, "before")
    answer = service.delete(made.path, who=service.credentials.admin)
    service.expect(answer, 204)
    service.claim("204 is empty", answer.body == b"", answer)
    refused, without = service.get(KEYS, who=made.who), service.get(KEYS, who={})
    service.expect_error(refused, 401, "after")
    service.claim("it looks like any other 401", essence(refused) == essence(without), refused, without)
    # Whether a second revocation finds the key is left open.
    service.expect(service.delete(made.path, who=service.credentials.admin), {204, 404}, "a second time")


@check(orders=False, auth="api_key")
def an_expired_key_is_401(service: Service) -> None:
    at = datetime.now(UTC) + timedelta(seconds=1.5)
    made = make(service, expires=at.isoformat().replace("+00:00", "Z"))
    service.expect(service.get(KEYS, who=made.who), KNOWN, "before")
    time.sleep(max(0, (at - datetime.now(UTC)).total_seconds() + 0.1))
    refused, without = service.get(KEYS, who=made.who), service.get(KEYS, who={})
    service.expect_error(refused, 401, "after")
    service.claim("it looks like any other 401", essence(refused) == essence(without), refused, without)


@check(orders=False, auth="api_key")
def an_expiry_has_an_offset(service: Service) -> None:
    for value in ("2099-01-01T00:00:00", "tomorrow", "4070908800", "", "0001-01-01T00:00:00+23:59"):
        body = body_for(service, expires=value)
        service.expect_error(service.post(KEYS, who=service.credentials.admin, json=body), 422, f"expires {value!r}")


@check(orders=False, auth="api_key")
def keys_are_for_admins_alone(service: Service) -> None:
    callers = {name: getattr(service.credentials, name) for name in ("alice", "reader", "nobody")}
    # A service without orders has no scopes to give, so it may be run with alice and the admin alone.
    callers = {name: who for name, who in callers.items() if who}
    body = body_for(service)
    for name, who in callers.items():
        for about, answer in (
            ("make", service.post(KEYS, who=who, json=body)),
            ("make from malformed JSON", service.post(KEYS, who=who, content=b"{", headers=JSON)),
            ("list", service.get(KEYS, who=who)),
            ("revoke", service.delete(f"{KEYS}/{UNKNOWN_ID}", who=who)),
        ):
            service.expect_error(answer, 403, f"{name}: {about}")
    for about, answer in (
        ("make", service.post(KEYS, who={}, json=body)),
        ("list", service.get(KEYS, who={})),
        ("revoke", service.delete(f"{KEYS}/{UNKNOWN_ID}", who={})),
    ):
        service.expect_error(answer, 401, f"no key: {about}")


@check(orders=False, auth="api_key")
def a_bad_key_is_422(service: Service) -> None:
    admin, good = service.credentials.admin, body_for(service)
    for about, body in {
        "no owner": {"scopes": []},
        "an empty owner": {**good, "owner": ""},
        "a NUL in the owner": {**good, "owner": "a\0b"},
        "a lone surrogate in the owner": {**good, "owner": "\ud800"},
        "an endless owner": {**good, "owner": "x" * 10_000},
        "an unknown scope": {**good, "scopes": ["orders:fly"]},
        "scopes as text": {**good, "scopes": "orders:read"},
        "scopes of numbers": {**good, "scopes": [1]},
        "an unknown role": {**good, "roles": ["emperor"]},
        "an unknown field": {**good, "nope": 1},
        "a secret of one's own": {**good, "secret": "x"},
        "an id of one's own": {**good, "id": UNKNOWN_ID},
    }.items():
        service.expect_error(service.post(KEYS, who=admin, json=body), 422, about)
    service.expect_error(service.post(KEYS, who=admin, content=b"{", headers=JSON), 400, "malformed")
    service.expect_error(
        service.post(KEYS, who=admin, content=b"{}", headers={"Content-Type": "text/plain"}), 415, "text"
    )


@check(orders=False, auth="api_key")
def an_unknown_key_is_404(service: Service) -> None:
    admin = service.credentials.admin
    service.expect_error(service.delete(f"{KEYS}/{UNKNOWN_ID}", who=admin), 404, "unknown")
    # Whether a key's id is a UUID is left open.
    service.expect_error(service.delete(f"{KEYS}/nope", who=admin), {404, 422}, "no id")
    service.expect_survival(service.delete(f"{KEYS}/%00", who=admin), "a NUL")


@check(orders=False, auth="api_key")
def key_paths_have_a_complete_allow(service: Service) -> None:
    for path, methods in ((KEYS, {"GET", "HEAD", "POST", "OPTIONS"}), (f"{KEYS}/{UNKNOWN_ID}", {"DELETE", "OPTIONS"})):
        answer = service.put(path, who=service.credentials.admin, json={})
        service.expect_error(answer, 405, path)
        shown = {method.strip() for method in (answer.header("allow") or "").split(",")}
        service.claim(f"{path}: Allow holds {sorted(methods)}, unlike {sorted(shown)}", methods <= shown, answer)
    service.expect_error(service.get(f"{KEYS}/", who=service.credentials.admin), 404, "a trailing slash")


@check(orders=False, auth="api_key")
def a_list_of_keys_is_as_strict_as_any(service: Service) -> None:
    admin = service.credentials.admin
    for query in ("nope=1", "limit=0", "limit=101", "limit=+5", "limit=1e3", "limit="):
        service.expect_error(service.get(f"{KEYS}?{query}", who=admin), 422, query, field=query.partition("=")[0])
    service.expect_error(service.get(f"{KEYS}?cursor=nope", who=admin), 400, "a forged cursor", code="invalid_cursor")


@check(orders=False, auth="api_key")
def many_callers_make_and_use_keys_at_once(service: Service) -> None:
    made = [make(service) for _ in range(2)]
    answers = at_once(lambda number: service.get(KEYS, who=made[number % 2].who))
    for answer in answers:
        service.expect_error(answer, KNOWN, "two keys, eight calls")
