"""Section 7: what a caller may do, and whose orders a caller sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .lists import ids
from .registry import check
from .samples import an_email, an_order, listing, unique

if TYPE_CHECKING:
    from .answers import Answer
    from .service import Service, Who

ORDERS = "/v1/orders"
ACTIONS = ("submit", "pay", "ship", "cancel")


def reads(service: Service, path: str, who: Who) -> dict[str, Answer]:
    """Return the answers to all that needs orders:read."""
    return {"list": service.get(ORDERS, who=who), "read": service.get(path, who=who)}


def writes(service: Service, path: str, who: Who) -> dict[str, Answer]:
    """Return the answers to all that needs orders:write and an order."""
    answers = {
        "PUT": service.put(path, who=who, json=an_order()),
        "PATCH": service.patch(path, who=who, json={"note": "stolen"}),
        "empty PATCH": service.patch(path, who=who, json={}),
        "DELETE": service.delete(path, who=who),
    }
    return answers | {action: service.post(f"{path}/{action}", who=who) for action in ACTIONS}


def new_path(service: Service) -> str:
    """Return the path of a new order of alice's."""
    return f"{ORDERS}/{service.create()['id']}"


@check(auth="any")
def a_caller_without_scopes_gets_403(service: Service) -> None:
    path, who = new_path(service), service.credentials.nobody
    create = {"create": service.post(ORDERS, who=who, json=an_order())}
    for about, answer in (reads(service, path, who) | writes(service, path, who) | create).items():
        service.expect_error(answer, 403, about)


@check(auth="any")
def a_reader_may_read_and_not_write(service: Service) -> None:
    path, who = new_path(service), service.credentials.reader
    service.expect(service.get(ORDERS, who=who), 200, "list")
    service.expect(service.call("HEAD", ORDERS, who=who), 200, "HEAD")
    service.expect_error(service.post(ORDERS, who=who, json=an_order()), 403, "create")
    for about, answer in writes(service, path, who).items():
        service.expect_error(answer, 403, about)


@check(auth="any")
def someone_elses_order_is_404(service: Service) -> None:
    order = service.create()
    path, bob = f"{ORDERS}/{order['id']}", service.credentials.bob
    tag = service.get(path).header("etag") or ""
    missing = service.get(f"{ORDERS}/{order['id'][:-4]}0000", who=bob)
    for about, answer in writes(service, path, bob).items():
        service.expect_error(answer, 404, about)
    hidden = service.get(path, who=bob)
    service.expect_error(hidden, 404, "read")
    service.claim("it looks like an unknown one", hidden.member("code") == missing.member("code"), hidden, missing)
    for name, value in (("If-None-Match", tag), ("If-None-Match", "*"), ("If-Match", '"stale"')):
        service.expect_error(service.get(path, who=bob, headers={name: value}), 404, f"{name}: {value}")
    service.expect_error(service.delete(path, who=bob, headers={"If-Match": '"stale"'}), 404, "DELETE with a stale tag")
    service.claim("the order is untouched", service.read(order["id"]) == order)


@check(auth="any")
def someone_elses_orders_are_not_listed(service: Service) -> None:
    email, reference = an_email(), unique()
    order = service.create(customer_email=email, reference=reference)
    own = service.create(who=service.credentials.bob, customer_email=email)
    for target in (listing(customer_email=email), listing(customer_email=email, sort="total", limit=100)):
        found = ids(service.page(target, who=service.credentials.bob)["data"])
        service.claim(f"{target}: bob's own alone", found == [own["id"]])
        found = ids(service.page(target)["data"])
        service.claim(f"{target}: alice's own alone", found == [order["id"]])
    found = service.page(listing(reference=reference), who=service.credentials.bob)["data"]
    service.claim("a filter finds none of another's", found == [])


@check(auth="any")
def owners_are_told_apart(service: Service) -> None:
    alice, bob, admin = (
        service.create(who=who)
        for who in (service.credentials.alice, service.credentials.bob, service.credentials.admin)
    )
    owners = {order["owner"] for order in (alice, bob, admin)}
    service.claim(f"three owners, not {owners}", len(owners) == 3)
    again = service.create()
    service.claim("one caller is one owner", again["owner"] == alice["owner"])


@check(auth="any")
def an_admin_sees_and_changes_all(service: Service) -> None:
    email = an_email()
    orders = [
        service.create(who=who, customer_email=email) for who in (service.credentials.alice, service.credentials.bob)
    ]
    admin = service.credentials.admin
    found = ids(service.page(listing(customer_email=email), who=admin)["data"])
    service.claim("the admin's list holds both", found == ids(reversed(orders)))
    for order in orders:
        path = f"{ORDERS}/{order['id']}"
        service.claim("the admin reads it as it is", service.read(order["id"], who=admin) == order)
        changed = service.patch(path, who=admin, json={"note": "seen"})
        service.expect_order(changed, 200, "PATCH")
        service.claim("it keeps its owner", changed.member("owner") == order["owner"], changed)
        replaced = service.put(path, who=admin, json=an_order(customer_email=email))
        service.expect_order(replaced, 200, "PUT")
        service.claim("it keeps its owner", replaced.member("owner") == order["owner"], replaced)
        service.expect_order(service.post(f"{path}/cancel", who=admin), 200, "cancel")
        service.expect(service.delete(path, who=admin), 204, "DELETE")


@check(auth="any")
def an_admins_change_keeps_references_unique_per_owner(service: Service) -> None:
    taken, other, own = service.create(), service.create(), service.create(who=service.credentials.admin)
    path, admin = f"{ORDERS}/{other['id']}", service.credentials.admin
    answer = service.patch(path, who=admin, json={"reference": taken["reference"]})
    service.expect_error(answer, 409, "taken by the same owner")
    answer = service.patch(path, who=admin, json={"reference": own["reference"]})
    service.expect_order(answer, 200, "taken by another owner, the admin")
