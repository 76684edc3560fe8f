"""Sections 5, 11 and 12: references are unique per owner, byte for byte, and free again after deletion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .registry import check
from .samples import an_order, listing, unique, without

if TYPE_CHECKING:
    from .service import Service

ORDERS = "/v1/orders"


def look_alikes(start: str) -> list[str]:
    """Return references that a forgiving collation takes for one."""
    endings = ("a", "A", "á", "ä", "a\N{COMBINING ACUTE ACCENT}", "\N{FULLWIDTH LATIN SMALL LETTER A}", "ß", "ss", "SS")
    return [
        start + ending
        for ending in (
            *endings,
            "æ",
            "ae",
            "i",
            "İ",
            "\N{LATIN SMALL LETTER DOTLESS I}",
            "1",
            "01",
            "\N{SUPERSCRIPT ONE}",
        )
    ]


@check()
def a_taken_reference_is_409(service: Service) -> None:
    order = an_order()
    service.expect_order(service.post(ORDERS, json=order), 201)
    service.expect_error(service.post(ORDERS, json=order), 409, "create")
    other = service.create()
    path = f"{ORDERS}/{other['id']}"
    changes = {"reference": order["reference"], "note": "lost"}
    service.expect_error(service.patch(path, json=changes), 409, "PATCH")
    service.expect_error(service.put(path, json=order), 409, "PUT")
    service.claim("a refused change leaves the order as it was", service.read(other["id"]) == other)


@check()
def an_order_keeps_its_own_reference(service: Service) -> None:
    order = an_order()
    path = f"{ORDERS}/{service.create(**order)['id']}"
    service.expect_order(service.put(path, json=order), 200, "PUT")
    service.expect_order(service.patch(path, json={"reference": order["reference"]}), 200, "PATCH")


@check()
def references_are_compared_byte_for_byte(service: Service) -> None:
    references = look_alikes(unique())
    for reference in references:
        answer = service.post(ORDERS, json=an_order(reference=reference))
        service.expect_order(answer, 201, repr(reference))
        service.claim("the reference is kept as sent", answer.member("reference") == reference, answer)
    for reference in references:
        found = [order["reference"] for order in service.page(listing(reference=reference))["data"]]
        service.claim(f"the filter finds {reference!r} alone, not {found}", found == [reference])


@check()
def white_space_at_the_ends_counts_or_is_refused(service: Service) -> None:
    # Whether a reference may begin or end with a space is left open; that it is silently changed is not.
    reference = unique()
    service.create(reference=reference)
    for spaced in (f"{reference} ", f" {reference}", f"{reference}\N{NO-BREAK SPACE}", f"{reference}  "):
        answer = service.post(ORDERS, json=an_order(reference=spaced))
        if service.expect(answer, {201, 422}, repr(spaced)) and answer.status == 201:
            service.claim("the reference is kept as sent", answer.member("reference") == spaced, answer)


@check()
def the_reference_of_a_deleted_order_is_free_again(service: Service) -> None:
    order = an_order()
    for _ in range(3):
        made = service.create(**order)
        service.expect_error(service.post(ORDERS, json=order), 409, "before deletion")
        service.expect(service.delete(f"{ORDERS}/{made['id']}"), 204)
    service.create(**order)
    found = service.page(listing(reference=order["reference"]))["data"]
    service.claim(f"only the last one is listed, not {len(found)}", len(found) == 1)


@check()
def a_cancelled_order_still_holds_its_reference(service: Service) -> None:
    order = an_order()
    path = f"{ORDERS}/{service.create(**order)['id']}"
    service.expect_order(service.post(f"{path}/cancel"), 200)
    service.expect_error(service.post(ORDERS, json=order), 409, "cancelled")
    service.expect(service.delete(path), 204)
    service.expect_order(service.post(ORDERS, json=order), 201, "deleted")


@check(auth="any")
def a_reference_is_unique_per_owner(service: Service) -> None:
    order = an_order()
    service.expect_order(service.post(ORDERS, json=order), 201, "alice")
    service.expect_order(service.post(ORDERS, json=order, who=service.credentials.bob), 201, "bob")
    service.expect_error(service.post(ORDERS, json=order, who=service.credentials.bob), 409, "bob again")


@check()
def a_replaced_reference_is_free_again(service: Service) -> None:
    order = an_order()
    path = f"{ORDERS}/{service.create(**order)['id']}"
    service.expect_order(service.patch(path, json={"reference": unique()}), 200)
    service.expect_order(service.post(ORDERS, json=order), 201, "the old reference")


@check()
def a_conflict_says_nothing_about_the_database(service: Service) -> None:
    order = an_order()
    service.create(**order)
    answer = service.post(ORDERS, json=without(order, "note"))
    service.expect_error(answer, 409)
    words = ("constraint", "duplicate entry", "uq_", "ix_", "integrity")
    found = [word for word in words if word in str(answer.member("message")).lower()]
    service.claim(f"the message is for people, without {found}", not found, answer)
