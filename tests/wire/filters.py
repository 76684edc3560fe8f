"""Sections 3, 11 and 12: every filter, and the values that it refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from .lists import ids
from .registry import check
from .samples import an_email, an_item, listing, unique

if TYPE_CHECKING:
    from .service import Service

MICROSECOND = timedelta(microseconds=1)
BAD_TIMES = (
    *("2026-01-01T00:00:00", "2026-01-01T00:00:00.123456", "2026-01-01", "2026-01-01 00:00:00", "20260101"),
    *("1767225600", "1767225600.5", "now", "", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z"),
    *("2026-01-01T25:00:00Z", "2026-W01-1", "-1", "2026-01-01T00:00:00+25:00", "2026-01-01T00:00:00Z\0"),
    *("2026-01-01T00:00:00Z\n", "00:00Z", "99999-01-01T00:00:00Z", "\N{FULLWIDTH DIGIT TWO}026-01-01T00:00:00Z"),
    *("2026-01-01T00:00:00Zulu", "NaN", "P1D", "1" * 400),
)
# Within RFC 3339, once an unescaped plus is read as meant; some are outside of what many a datetime holds in UTC.
EDGE_TIMES = (
    *("2026-01-01T00:00:00 02:00", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00Z"),
    *("2026-12-31T23:59:60Z", "2026-01-01T00:00:00.123456789Z", "2026-01-01t00:00:00z", "2026-01-01T00:00:00-00:00"),
    "0999-01-01T00:00:00Z",
)
BAD_TOTALS = (
    *("1e3", "NaN", "sNaN", "Infinity", "-Infinity", "abc", "", " 1", "1 ", "+5", "1_0", "1,5", "0x1", "1.00\0"),
    *("1.00\n", "\N{FULLWIDTH DIGIT ONE}", "\N{ARABIC-INDIC DIGIT THREE}", "1.0.0", "--1", "1e400", "1/2"),
)


def with_offset(text: str, hours: float) -> str:
    """Return the same instant, written with this offset from UTC."""
    return datetime.fromisoformat(text).astimezone(timezone(timedelta(hours=hours))).isoformat()


def shifted(text: str, step: timedelta) -> str:
    """Return the instant so much later."""
    return (datetime.fromisoformat(text) + step).astimezone(UTC).isoformat().replace("+00:00", "Z")


@check()
def status_filters_and_may_be_repeated(service: Service) -> None:
    email = an_email()
    draft, submitted, cancelled = service.create_many(3, customer_email=email)
    service.expect(service.post(f"/v1/orders/{submitted['id']}/submit"), 200)
    service.expect(service.post(f"/v1/orders/{cancelled['id']}/cancel"), 200)
    for statuses, expected in (
        (["draft"], [draft]),
        (["submitted"], [submitted]),
        (["paid"], []),
        (["draft", "submitted"], [submitted, draft]),
        (["cancelled", "shipped", "draft"], [cancelled, draft]),
        (["draft", "draft"], [draft]),
    ):
        page = service.page(listing(*(("status", each) for each in statuses), customer_email=email))
        service.claim(f"status {statuses}", ids(page["data"]) == ids(expected))


@check()
def an_unknown_status_is_422(service: Service) -> None:
    for value in ("nope", "", "DRAFT", "draft,paid", " draft", "draft\0", "0", "null", "deleted"):
        service.expect_error(service.get(listing(status=value)), 422, f"status={value!r}", field="status")
    mixed = listing(("status", "draft"), ("status", "nope"))
    service.expect_error(service.get(mixed), 422, "one good and one bad", field="status")


@check()
def reference_currency_and_email_filter_exactly(service: Service) -> None:
    email, reference = an_email(), unique()
    one = service.create(customer_email=email, reference=reference, currency="EUR")
    other = service.create(customer_email=email, reference=reference + "x", currency="USD")
    for parameters, expected in (
        ({"reference": reference}, [one]),
        ({"reference": reference.upper()}, []),
        ({"reference": "%"}, []),
        ({"reference": reference[:-1] + "_"}, []),
        ({"currency": "USD"}, [other]),
        ({"currency": "GBP"}, []),
        ({"currency": "EUR", "reference": reference + "x"}, []),
    ):
        page = service.page(listing(customer_email=email, **parameters))
        service.claim(f"{parameters}", ids(page["data"]) == ids(expected))
    both = ids(service.page(listing(customer_email=email))["data"])
    service.claim("customer_email", both == [other["id"], one["id"]])


@check()
def an_email_address_is_found_as_it_was_sent(service: Service) -> None:
    email = f"{unique('Ann')}@Example.COM"
    order = service.create(customer_email=email)
    for spelling in {email, order["customer_email"]}:
        found = ids(service.page(listing(customer_email=spelling))["data"])
        service.claim(f"{spelling} finds the order", found == [order["id"]])


@check()
def a_bad_text_filter_never_breaks_the_service(service: Service) -> None:
    for name in ("reference", "customer_email", "currency"):
        for value in ("\0", "a\0b", "x" * 3000, "\N{GRINNING FACE}" * 64, "'", '"', "\\", ""):
            service.expect_survival(service.get(listing((name, value))), f"{name}={value[:20]!r}")
        service.expect_survival(service.get(f"/v1/orders?{name}=%FF"), f"{name}=%FF")
        service.expect_survival(service.get(f"/v1/orders?{name}=%ED%A0%80"), f"{name}: an encoded surrogate")
    for name, value in (("reference", "a\0b"), ("currency", "ZZZ"), ("customer_email", "ann")):
        # That nothing can match is a fair answer; refusing is too.
        service.expect(service.get(listing((name, value))), {200, 422}, f"{name}={value!r}")


@check()
def times_filter_to_the_microsecond(service: Service) -> None:
    email = an_email()
    order = service.create(customer_email=email)
    at = order["created_at"]
    # Whether the instant itself is within is left open; a microsecond to either side is not.
    for name, step, found in (
        ("created_after", -MICROSECOND, True),
        ("created_after", MICROSECOND, False),
        ("created_before", MICROSECOND, True),
        ("created_before", -MICROSECOND, False),
    ):
        page = service.page(listing((name, shifted(at, step)), customer_email=email))
        service.claim(f"created at {at}: {name}={shifted(at, step)}", (ids(page["data"]) == [order["id"]]) is found)


@check()
def offsets_name_the_same_instant(service: Service) -> None:
    email = an_email()
    order = service.create(customer_email=email)
    early, late = (shifted(order["created_at"], step) for step in (-MICROSECOND, MICROSECOND))
    for hours in (0, 2, -3.5, 5.75, 14, -12):
        inside = listing(
            ("created_after", with_offset(early, hours)),
            ("created_before", with_offset(late, hours)),
            customer_email=email,
        )
        outside = listing(("created_after", with_offset(late, hours)), customer_email=email)
        service.claim(f"{inside} holds the order", ids(service.page(inside)["data"]) == [order["id"]])
        service.claim(f"{outside} does not", service.page(outside)["data"] == [])


@check()
def a_bad_or_naive_time_is_422(service: Service) -> None:
    for name in ("created_after", "created_before"):
        for value in BAD_TIMES:
            service.expect_error(service.get(listing((name, value))), 422, f"{name}={value[:40]!r}", field=name)
        for value in EDGE_TIMES:
            service.expect_survival(service.get(listing((name, value))), f"{name}={value}")


@check()
def the_ends_of_time_are_times(service: Service) -> None:
    order = service.create()
    target = listing(
        ("created_after", "1970-01-01T00:00:00Z"),
        ("created_before", "9999-12-31T23:59:59.999999Z"),
        reference=order["reference"],
    )
    service.claim("every order lies between", ids(service.page(target)["data"]) == [order["id"]])


@check()
def totals_filter_as_numbers(service: Service) -> None:
    email = an_email()
    prices = ("0.00", "9.00", "10.00", "100.00", "9999999999.99")
    for price in prices:
        service.create(customer_email=email, items=[an_item(quantity=1, unit_price=price)])
    for parameters, expected in (
        ({"min_total": "9.5"}, prices[2:]),
        ({"min_total": "9.00"}, prices[1:]),
        ({"min_total": "10"}, prices[2:]),
        ({"min_total": "9999999999.99"}, prices[4:]),
        ({"min_total": "99999999999999.99"}, ()),
        ({"max_total": "10.00"}, prices[:3]),
        ({"max_total": "99.99"}, prices[:3]),
        ({"max_total": "0"}, prices[:1]),
        ({"max_total": "9999999999.98"}, prices[:4]),
        ({"min_total": "9.01", "max_total": "100"}, prices[2:4]),
        ({"min_total": "100", "max_total": "9"}, ()),
    ):
        page = service.page(listing(customer_email=email, sort="total", **parameters))
        found = [order["total"] for order in page["data"]]
        service.claim(f"{parameters}: {list(expected)}, not {found}", found == list(expected))


@check()
def a_bad_total_is_422(service: Service) -> None:
    for name in ("min_total", "max_total"):
        for value in BAD_TOTALS:
            service.expect_error(service.get(listing((name, value))), 422, f"{name}={value!r}", field=name)
        # Negative, too precise or too large for any order: refused or merely matching as numbers do.
        for value in ("-1", "1.234", "1" * 19, "9" * 400, "0." + "0" * 400 + "1", ".5", "5."):
            service.expect_survival(service.get(listing((name, value))), f"{name}={value[:40]}")


@check()
def deleted_orders_are_not_listed(service: Service) -> None:
    email = an_email()
    kept, gone = service.create_many(2, customer_email=email)
    service.expect(service.delete(f"/v1/orders/{gone['id']}"), 204)
    for more in ("", "&status=draft", "&sort=total", f"&reference={kept['reference']}"):
        page = service.page(listing(customer_email=email) + more)
        service.claim(f"{more or 'no filter'}: only the one that is left", ids(page["data"]) == [kept["id"]])
