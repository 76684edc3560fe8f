"""Sections 11 and 12: every field of an order, at its limits and past them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .registry import check
from .samples import an_email, an_item, an_order, unique, without

if TYPE_CHECKING:
    from .service import Service

ORDERS = "/v1/orders"
EMOJI = "\N{GRINNING FACE}"
REQUIRED = ("reference", "customer_email", "currency", "items")
WRONG_TYPES = (1, 1.5, True, [], {}, ["a"])

# Unicode's control characters (Cc): C0, DEL and C1.
CONTROLS = [chr(code) for code in (0, 1, 7, 8, 0x0B, 0x0C, 0x1B, 0x1F, 0x7F, 0x80, 0x85, 0x9F)]

BAD_PRICES = (
    *("-0.01", "-1", "0.001", "1.234", "10000000000.00", "10000000000", "9999999999.999", "1e3", "1E-2", "NaN"),
    *("sNaN", "Infinity", "-Infinity", "", " ", " 1.00", "1.00 ", "1.00\n", "+1.00", "1_000", "0x10", "1,00"),
    *("\N{FULLWIDTH DIGIT ONE}.00", "\N{ARABIC-INDIC DIGIT THREE}", "1.0.0", "abc", "1" * 400),
    "0." + "0" * 400 + "1",
)
BAD_CURRENCIES = (
    "ZZZ",
    "ABC",
    "AAA",
    "QQQ",
    "EU",
    "EURO",
    "",
    "E\N{LATIN SMALL LETTER U}R",
    " EUR",
    "EUR ",
    "EUR\n",
    "978",
    "€",
)
# How far the syntax of RFC 5321 is followed is left open (a..b@example.com, ann@-example.com).
BAD_EMAILS = (
    *("", "ann", "ann@", "@example.com", "a b@example.com", "ann@exa mple.com", "ann@@example.com"),
    *("ann@example.com\n", "ann@example..com", "Ann <ann@example.com>", "a@example.com,b@example.com"),
    "a" * 10_000 + "@example.com",
)


def refused(service: Service, field: str, value: object) -> None:
    """Expect 422, naming the field, for creating an order with this value."""
    answer = service.post(ORDERS, json=an_order(**{field: value}))
    service.expect_error(answer, 422, f"{field}: {str(value)[:40]!r}", field=field)


def refused_item(service: Service, field: str, value: object) -> None:
    """Expect 422, naming the field, for creating an order with an item with this value."""
    answer = service.post(ORDERS, json=an_order(items=[an_item(), an_item(**{field: value})]))
    service.expect_error(answer, 422, f"{field}: {str(value)[:40]!r}", field=field)


def accepted(service: Service, field: str, value: object) -> None:
    """Expect 201 for creating an order with this value, and the same value back."""
    answer = service.post(ORDERS, json=an_order(**{field: value}))
    service.expect_order(answer, 201, f"{field}: {str(value)[:40]!r}")
    service.claim(f"{field} is kept as sent", answer.member(field) == value, answer)


@check()
def a_required_field_left_out_or_null_is_422(service: Service) -> None:
    for name in REQUIRED:
        service.expect_error(service.post(ORDERS, json=without(an_order(), name)), 422, f"no {name}", field=name)
        refused(service, name, None)
    for name in ("sku", "quantity", "unit_price"):
        answer = service.post(ORDERS, json=an_order(items=[without(an_item(), name)]))
        service.expect_error(answer, 422, f"no {name}", field=name)
        refused_item(service, name, None)


@check()
def an_unknown_field_is_422(service: Service) -> None:
    for name in ("extra", "id", "owner", "status", "total", "created_at", "deleted_at", "Reference", "customerEmail"):
        refused(service, name, "draft")
    refused_item(service, "total", "1.00")
    order = service.create()
    for name in ("extra", "id", "owner", "status", "total", "updated_at"):
        answer = service.patch(f"{ORDERS}/{order['id']}", json={name: "paid"})
        service.expect_error(answer, 422, f"PATCH {name}", field=name)


@check()
def a_value_of_another_type_is_422(service: Service) -> None:
    for name in ("reference", "customer_email", "currency", "note"):
        for value in WRONG_TYPES:
            refused(service, name, value)
    for value in (1, "a", {}, [[]], ["a"], [None], [1]):
        refused(service, "items", value)
    for value in WRONG_TYPES:
        refused_item(service, "sku", value)


@check()
def a_reference_has_1_to_64_characters(service: Service) -> None:
    start = unique()
    for value in (start + "x" * (64 - len(start)), start + EMOJI * (64 - len(start)), start[-1] + EMOJI):
        accepted(service, "reference", value)
    for value in ("", "x" * 65, EMOJI * 65, "x" * 100_000):
        refused(service, "reference", value)


@check()
def a_note_has_at_most_500_characters(service: Service) -> None:
    for value in (None, "", "x" * 500, EMOJI * 500, "two\nlines\tand a tab", "'; DROP TABLE orders; --"):
        accepted(service, "note", value)
    for value in ("x" * 501, EMOJI * 501):
        refused(service, "note", value)
    answer = service.post(ORDERS, json=an_order())
    service.expect_order(answer, 201)
    service.claim("a note that was not sent reads null", answer.member("note") is None, answer)


@check()
def control_characters_and_lone_surrogates_are_422(service: Service) -> None:
    # A carriage return in a note is left open: it is half of a newline to some.
    for value in CONTROLS:
        for name in ("reference", "note"):
            refused(service, name, f"{unique()}{value}x")
        refused_item(service, "sku", f"a{value}b")
        refused(service, "customer_email", f"a{value}b@example.com")
    for value in ("\n", "\t", "\r"):
        refused(service, "reference", unique() + value)
        refused_item(service, "sku", f"a{value}b")
    refused(service, "currency", "EU\0")
    # What is found while the text is read need not be named by field.
    for value in ("\ud800", "\udc00", "\udc00\ud800", "x\ud83d"):
        for name in ("reference", "note", "customer_email"):
            answer = service.post(ORDERS, json=an_order(**{name: unique() + value}))
            service.expect_error(answer, 422, f"{name}: {value!r}")


@check()
def a_key_with_a_strange_character_is_422(service: Service) -> None:
    for name in ("\0", "\ud800", "a\0b", "", "__proto__", "note\n"):
        service.expect_error(service.post(ORDERS, json=an_order(**{name: "x"})), 422, repr(name))


@check()
def text_outside_ascii_comes_back_as_sent(service: Service) -> None:
    for text in (
        "Ærøskøbing",
        "日本語",
        "e\N{COMBINING ACUTE ACCENT}",
        "\N{ZERO WIDTH JOINER}",
        "\N{LINE SEPARATOR}",
        "İı",
    ):
        accepted(service, "reference", f"{unique()}{text}")
        accepted(service, "note", text)


@check()
def a_currency_is_a_code_of_iso_4217(service: Service) -> None:
    for value in ("EUR", "USD", "JPY", "GBP", "CHF", "KWD", "INR", "SEK", "BRL", "ZAR"):
        accepted(service, "currency", value)
    for value in BAD_CURRENCIES:
        refused(service, "currency", value)


@check()
def an_email_address_is_one_address(service: Service) -> None:
    for value in BAD_EMAILS:
        refused(service, "customer_email", value)
    for value in (f"o'hara+tag@{unique()}.example.com", an_email()):
        accepted(service, "customer_email", value)


@check()
def a_sku_has_1_to_64_characters(service: Service) -> None:
    for value in ("", "x" * 65, EMOJI * 65):
        refused_item(service, "sku", value)
    items = [an_item(sku="x" * 64), an_item(sku=EMOJI * 64), an_item(sku="y")]
    answer = service.post(ORDERS, json=an_order(items=items))
    service.expect_order(answer, 201)
    read = [item["sku"] for item in answer.member("items") or []]
    service.claim("items come back in the order sent", read == [item["sku"] for item in items], answer)


@check()
def a_quantity_is_an_integer_from_1_to_10000(service: Service) -> None:
    # 2.0 is left open: an integer to JSON Schema, a float to most languages.
    for value in (0, -1, 10_001, 1.5, 1e-9, "1", "", True, False, [], [1], {}):
        refused_item(service, "quantity", value)
    answer = service.post(ORDERS, json=an_order(items=[an_item(quantity=1), an_item(quantity=10_000)]))
    service.expect_order(answer, 201)


@check()
def a_price_is_a_decimal_string(service: Service) -> None:
    for value in (19.9, 19.0, 0.1, 1, 0, -1, True, [], {}, ["1.00"], *BAD_PRICES):
        refused_item(service, "unit_price", value)


@check()
def a_price_is_written_with_two_decimals(service: Service) -> None:
    written = {
        "0": "0.00",
        "0.00": "0.00",
        "1": "1.00",
        "1.5": "1.50",
        "19.90": "19.90",
        "9999999999.99": "9999999999.99",
    }
    items = [an_item(unit_price=sent, quantity=1) for sent in written]
    answer = service.post(ORDERS, json=an_order(items=items))
    service.expect_order(answer, 201)
    read = [item["unit_price"] for item in answer.member("items") or []]
    service.claim(f"prices read {list(written.values())}, not {read}", read == list(written.values()), answer)


@check()
def an_order_has_1_to_100_items(service: Service) -> None:
    for number in (0, 101, 1000):
        refused(service, "items", [an_item()] * number)
    for number in (1, 100):
        items = [an_item(sku=f"SKU-{each}") for each in range(number)]
        service.expect_order(service.post(ORDERS, json=an_order(items=items)), 201, f"{number} items")


@check()
def the_total_is_exact_even_where_a_float_is_not(service: Service) -> None:
    for item, times, total in (
        (an_item(quantity=10_000, unit_price="9999999999.99"), 99, "9899999999990100.01"),
        (an_item(quantity=1, unit_price="0.10"), 2, "0.21"),
    ):
        items = [item] * times + [an_item(quantity=1, unit_price="0.01")]
        made = service.post(ORDERS, json=an_order(items=[{**each, "sku": f"S{n}"} for n, each in enumerate(items)]))
        service.expect_order(made, 201, "largest prices")
        service.claim(f"total is {total}", made.member("total") == total, made)
        read = service.get(f"{ORDERS}/{made.member('id')}")
        service.claim(f"total is read as {total}", read.member("total") == total, read)
