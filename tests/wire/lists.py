"""Sections 3 and 12: the envelope, `limit`, `sort` and unknown parameters."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from .registry import check
from .samples import an_email, an_item, listing, unique
from .shapes import SUMMARY, order_problems

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Unpack

    from .service import Options, Service

SORT_FIELDS = ("created_at", "updated_at", "total", "reference")
BAD_LIMITS = (
    *("0", "101", "-1", "1e3", "1e1", "", " ", " 5", "5 ", "5.0", "1_0", "0x10", "abc", "null", "true", "NaN"),
    *("%2B5", "+5", "2147483648", "9223372036854775808", "1" + "0" * 400, "9" * 5000, "%EF%BC%95", "%D9%A3", "5%00"),
    *("5%0A", "%FF", "1,2"),
)
BAD_SORTS = (
    *("status", "id", "owner", "-", "--total", "%2Btotal", "total desc", "Total", "total;-reference"),
    *("customer_email", "total,nope", "nope,total", "total%00", "total%0A", "%FF", "1", "deleted_at", "items"),
    *("total'", "__class__", "🙂"),
)
BAD_NAMES = (
    *("nope", "Limit", "LIMIT", "limits", "created_at", "owner", "id", "page", "offset", "deleted_at", "limit[]"),
    *("status[]", "min-total", "_", "__proto__", "sort.by", "$where", "🙂", "limit ", "include_deleted"),
)


def walk(service: Service, target: str, **options: Unpack[Options]) -> Iterator[dict[str, Any]]:
    """Yield every order of a list, page after page."""
    for page in pages(service, target, **options):
        yield from page["data"]


def pages(service: Service, target: str, **options: Unpack[Options]) -> Iterator[dict[str, Any]]:
    """Yield every page of a list; at most 200."""
    page = service.page(target, **options)
    yield page
    for _ in range(200):
        if not page["has_more"]:
            return
        page = service.page(f"{target}&cursor={page['next_cursor']}", **options)
        yield page


def ids(orders: Iterable[dict[str, Any]]) -> list[str]:
    """Return the orders' ids."""
    return [order["id"] for order in orders]


def in_order(orders: list[dict[str, Any]], sort: str) -> bool:
    """Return whether these orders are in this order; ties may stand either way."""
    return all(not_after(one, other, sort.split(",")) for one, other in pairwise(orders))


def not_after(one: dict[str, Any], other: dict[str, Any], fields: list[str]) -> bool:
    """Return whether one order may come before the other."""
    for field in fields:
        name = field.lstrip("-")
        # References sort as they compare: byte for byte, which for UTF-8 is by code point.
        left, right = (float(each["total"]) if name == "total" else each[name] for each in (one, other))
        if left != right:
            return bool(left > right) if field.startswith("-") else bool(left < right)
    return True


@check()
def a_list_is_an_envelope_of_orders_without_items(service: Service) -> None:
    email = an_email()
    made = service.create(customer_email=email, note="n", items=[an_item(), an_item(sku="b")])
    answer = service.get(listing(customer_email=email))
    body = service.page(listing(customer_email=email))
    for order in body["data"]:
        service.expect_none(answer, order_problems(order, SUMMARY))
    expected = {**{name: value for name, value in made.items() if name != "items"}, "item_count": 2}
    service.claim(f"the list holds the order as created, {expected}", body["data"] == [expected], answer)
    service.claim("the only page is the last", body["next_cursor"] is None and body["has_more"] is False, answer)


@check()
def an_empty_list_is_an_envelope_too(service: Service) -> None:
    answer = service.get(listing(reference=unique()))
    service.expect(answer, 200)
    empty = {"data": [], "next_cursor": None, "has_more": False}
    service.claim(f"no orders are {empty}", answer.json() == empty, answer)


@check()
def a_page_has_20_orders_unless_told(service: Service) -> None:
    email = an_email()
    service.create_many(21, customer_email=email)
    for limit, expected in (("", 20), ("&limit=1", 1), ("&limit=20", 20), ("&limit=21", 21), ("&limit=100", 21)):
        page = service.page(listing(customer_email=email) + limit)
        number = len(page["data"])
        service.claim(f"{limit or 'no limit'}: {expected} orders, not {number}", number == expected)
        service.claim(f"{limit}: has_more is true only when there is more", page["has_more"] is (expected < 21))


@check()
def a_bad_limit_is_422(service: Service) -> None:
    # 05 is left open.
    for value in BAD_LIMITS:
        service.expect_error(service.get(f"/v1/orders?limit={value}"), 422, f"limit={value[:40]}", field="limit")


@check()
def a_repeated_parameter_that_takes_one_value_is_422(service: Service) -> None:
    # Only `status` is said to be repeatable, so any other value would have to be dropped in silence.
    for name, values in {
        "limit": ("1", "2"),
        "sort": ("total", "reference"),
        "reference": ("a", "b"),
        "currency": ("EUR", "USD"),
        "customer_email": ("a@example.com", "b@example.com"),
        "min_total": ("1", "2"),
        "created_after": ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
    }.items():
        target = listing(*((name, value) for value in values))
        service.expect_error(service.get(target), 422, f"{name} twice", field=name)


@check()
def an_unknown_parameter_is_422_and_named(service: Service) -> None:
    for name in BAD_NAMES:
        answer = service.get(listing((name, "1")))
        service.expect_error(answer, 422, f"list: {name}", field=name.strip())
    order = service.create()
    for name in ("nope", "limit", "fields", "🙂"):
        answer = service.get(f"/v1/orders/{order['id']}?{listing((name, '1')).partition('?')[2]}")
        service.expect_error(answer, 422, f"one order: {name}", field=name)


@check()
def strange_queries_never_break_the_service(service: Service) -> None:
    for query in (
        "&",
        "=",
        "=1",
        "&&limit=1",
        "limit",
        "?",
        "%",
        "%zz=1",
        "%00=1",
        "%FF=1",
        "a" * 3000,
        ";limit=1",
        "limit=1;sort=total",
    ):
        service.expect_survival(
            service.raw("GET", f"/v1/orders?{query}", *service.credentials.alice.items()), f"?{query[:40]}"
        )


@check()
def a_bad_sort_is_422(service: Service) -> None:
    for value in BAD_SORTS:
        service.expect_error(service.get(f"/v1/orders?sort={value}"), 422, f"sort={value}", field="sort")
    for value in ("", ",", "total,", ",total", "total,,reference", " total"):
        answer = service.get(listing(sort=value))
        service.expect(answer, {200, 422}, f"sort={value!r}")
    for value in ("total,total", "total,-total", ",".join(["total", "reference"] * 500)):
        service.expect_survival(service.get(listing(sort=value)), f"sort={value[:40]}")


@check()
def newest_orders_come_first(service: Service) -> None:
    email = an_email()
    made = service.create_many(5, customer_email=email)
    listed = ids(service.page(listing(customer_email=email))["data"])
    service.claim("the default is -created_at", listed == ids(reversed(made)))
    listed = ids(service.page(listing(customer_email=email, sort="created_at"))["data"])
    service.claim("created_at is oldest first", listed == ids(made))


@check()
def every_sort_field_sorts_both_ways(service: Service) -> None:
    email = sortable_orders(service)
    for name in SORT_FIELDS:
        for sort in (name, f"-{name}"):
            listed = service.page(listing(customer_email=email, sort=sort, limit=100))["data"]
            shown = [order[name] for order in listed]
            service.claim(f"sort={sort} gave {shown}", in_order(listed, sort))


@check()
def several_sort_fields_break_ties_in_turn(service: Service) -> None:
    email = sortable_orders(service)
    for sort in (
        "total,reference",
        "-total,reference",
        "total,-reference",
        "-total,-created_at",
        "total,-updated_at,reference",
    ):
        listed = service.page(listing(customer_email=email, sort=sort, limit=100))["data"]
        service.claim(
            f"sort={sort} gave {[(each['total'], each['reference']) for each in listed]}", in_order(listed, sort)
        )


@check()
def pages_put_together_are_the_whole_list(service: Service) -> None:
    email = sortable_orders(service)
    for sort in (*SORT_FIELDS, "-created_at", "-total", "total,-reference", "-total,created_at"):
        whole = ids(service.page(listing(customer_email=email, sort=sort, limit=100))["data"])
        for limit in (1, 3) if "total" in sort else (2, len(whole)):
            walked = ids(walk(service, listing(customer_email=email, sort=sort, limit=limit)))
            service.claim(f"sort={sort}, limit={limit}: {len(walked)} of {len(whole)} in order", walked == whole)


def sortable_orders(service: Service) -> str:
    """Create orders with many equal totals and telling references; return their e-mail address."""
    email, start = an_email(), unique()
    endings = ("b", "B", "a", "ä", "z", "é", "Z", "10", "9", "\N{GRINNING FACE}", "\N{FULLWIDTH LATIN SMALL LETTER A}")
    prices = ("9.00", "10.00", "100.00", "9.00", "10.00", "9.00", "0.00", "9999999999.99", "9.00", "0.10", "9.00")
    made = [
        service.create(customer_email=email, reference=start + ending, items=[an_item(quantity=1, unit_price=price)])
        for ending, price in zip(endings, prices, strict=True)
    ]
    for order in made[::3]:
        service.patch(f"/v1/orders/{order['id']}", json={"note": "touched"})
    return email
