"""Sections 3 and 12: cursors bind to what they were made with, and pages stay true while rows change."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from .lists import ids, pages, walk
from .registry import check
from .samples import an_email, an_item, listing

if TYPE_CHECKING:
    from typing import Unpack

    from .service import Options, Service

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def cursor_of(service: Service, target: str, **options: Unpack[Options]) -> str:
    """Return the cursor to the second page; the target leaves more than one page."""
    return str(service.page(target, **options)["next_cursor"])


def refused(service: Service, target: str, cursor: str, about: str, **options: Unpack[Options]) -> None:
    """Expect 400 invalid_cursor."""
    answer = service.get(f"{target}&cursor={cursor}", **options)
    service.expect_error(answer, 400, about, code="invalid_cursor")


def a_list_of_two_pages(service: Service, **changes: object) -> str:
    """Return the target of a list whose first page is not its last."""
    email = an_email()
    service.create_many(4, customer_email=email, **changes)
    return listing(customer_email=email, limit=2)


@check()
def a_forged_cursor_is_400(service: Service) -> None:
    target = a_list_of_two_pages(service)
    made_up = [{}, [], {"id": 1}, None, {"sort": "-created_at", "values": ["2026-01-01T00:00:00Z"], "id": "x"}, 1]
    forged = [base64.urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=") for each in made_up]
    for cursor in (*forged, "a", "AAAA", "null", "0", "-1", "=", "====", "..", "a.b.c", "%21", "%2F", "A" * 3000):
        refused(service, target, cursor, f"cursor={cursor[:40]}")
    # Neither an empty cursor nor one with bytes that are no text is said to be 400 or 422.
    for cursor in ("", "%00", "%FF", "%0A", "%F0%9F%99%82", "%20"):
        service.expect_error(service.get(f"{target}&cursor={cursor}"), {400, 422}, f"cursor={cursor}")


@check()
def a_truncated_cursor_is_400(service: Service) -> None:
    target = a_list_of_two_pages(service)
    cursor = cursor_of(service, target)
    # The last character is left: base64 may hold no whole byte in it.
    for length in {1, 2, 4, 8, len(cursor) // 2, *range(len(cursor) - 9, len(cursor) - 1)}:
        refused(service, target, cursor[:length], f"the first {length} of {len(cursor)} characters")
    refused(service, target, cursor[4:], "without its start")
    refused(service, target, cursor + cursor, "twice")


@check()
def a_changed_cursor_is_400(service: Service) -> None:
    target = a_list_of_two_pages(service)
    cursor = cursor_of(service, target)
    step = max(1, len(cursor) // 40)
    for position in range(0, len(cursor) - 1, step):
        was = cursor[position]
        # The highest bit of six is changed: the lowest may be padding in the last character of a part.
        now = ALPHABET[ALPHABET.index(was) ^ 32] if was in ALPHABET else "A"
        refused(service, target, cursor[:position] + now + cursor[position + 1 :], f"character {position} of {cursor}")


@check()
def a_cursor_is_bound_to_its_sort(service: Service) -> None:
    target = a_list_of_two_pages(service)
    cursor = cursor_of(service, target)
    for sort in ("created_at", "total", "-updated_at", "reference", "-created_at,total"):
        refused(service, f"{target}&sort={sort}", cursor, f"made without sort, used with {sort}")
    cursor = cursor_of(service, f"{target}&sort=total")
    refused(service, target, cursor, "made with sort=total, used without")
    refused(service, f"{target}&sort=-total", cursor, "made with total, used with -total")
    same = service.get(f"{target}&sort=-created_at&cursor={cursor_of(service, target)}")
    # The default, written out, is the same sort; that the two texts differ is an excuse.
    service.expect(same, {200, 400}, "made with the default, used with the same sort written out")


@check()
def a_cursor_is_bound_to_its_filters(service: Service) -> None:
    target = a_list_of_two_pages(service)
    cursor = cursor_of(service, target)
    for more in ("status=draft", "currency=EUR", "min_total=0", "max_total=999", "created_after=2020-01-01T00:00:00Z"):
        refused(service, f"{target}&{more}", cursor, f"used with {more} besides")
    refused(service, listing(limit=2), cursor, "used without the filter")
    refused(service, listing(customer_email=an_email(), limit=2), cursor, "used with another address")
    narrowed = cursor_of(service, f"{target}&min_total=1")
    refused(service, f"{target}&min_total=2", narrowed, "made with min_total=1, used with 2")
    refused(service, f"{target}&max_total=1", narrowed, "made with min_total=1, used with max_total=1")
    refused(service, target, narrowed, "made with min_total=1, used without")
    several = cursor_of(service, f"{target}&status=draft&status=paid")
    refused(service, f"{target}&status=draft", several, "made with two statuses, used with one")


@check()
def a_cursor_is_not_bound_to_the_limit(service: Service) -> None:
    email = an_email()
    made = service.create_many(5, customer_email=email)
    cursor = cursor_of(service, listing(customer_email=email, limit=2))
    rest = service.page(listing(customer_email=email, limit=50, cursor=cursor))["data"]
    service.claim("a cursor goes on with another limit", ids(rest) == ids(reversed(made[:3])))
    again = service.page(f"/v1/orders?cursor={cursor}&limit=50&customer_email={email}")["data"]
    service.claim("the order of the parameters does not matter, nor a second use", again == rest)


@check(auth="any")
def a_cursor_of_another_caller_is_400(service: Service) -> None:
    target = a_list_of_two_pages(service)
    cursor = cursor_of(service, target)
    for name in ("bob", "reader", "admin"):
        refused(service, target, cursor, name, who=getattr(service.credentials, name))
    admins = cursor_of(service, target, who=service.credentials.admin)
    refused(service, target, admins, "the admin's, used by alice")


@check()
def rows_inserted_between_pages_move_nothing(service: Service) -> None:
    for sort in ("-created_at", "created_at", "total", "-reference", "-total,reference", "updated_at"):
        email = an_email()
        before = ids(service.create_many(6, customer_email=email))
        walked: list[str] = []
        for page in pages(service, listing(customer_email=email, sort=sort, limit=2)):
            walked += ids(page["data"])
            if len(walked) <= len(before):
                service.create(customer_email=email, items=[an_item(quantity=1, unit_price="0.01")])
        service.claim(f"sort={sort}: none appears twice", len(walked) == len(set(walked)))
        service.claim(f"sort={sort}: none of the first is missing", set(before) <= set(walked))


@check()
def rows_deleted_between_pages_move_nothing(service: Service) -> None:
    for sort in ("-created_at", "total", "reference", "-updated_at"):
        email = an_email()
        service.create_many(9, customer_email=email)
        target = listing(customer_email=email, sort=sort, limit=2)
        expected = ids(walk(service, target))
        walked: list[str] = []
        for page in pages(service, target):
            walked += ids(page["data"])
            upcoming = [each for each in expected if each not in walked][:1]
            # The row that the cursor stands on, and the one after it.
            for gone in (*ids(page["data"][-1:]), *upcoming):
                service.expect(service.delete(f"/v1/orders/{gone}"), 204)
            expected = [each for each in expected if each not in upcoming]
        service.claim(f"sort={sort}: walked {walked}, not those that remained, {expected}", walked == expected)


@check()
def a_full_last_page_has_no_more(service: Service) -> None:
    email = an_email()
    service.create_many(4, customer_email=email)
    sizes = [len(page["data"]) for page in pages(service, listing(customer_email=email, limit=2))]
    service.claim(f"four orders by two are two pages, not {sizes}", sizes == [2, 2])
    page = service.page(listing(customer_email=email, limit=4))
    service.claim("a page that holds all is the last", page["has_more"] is False)
