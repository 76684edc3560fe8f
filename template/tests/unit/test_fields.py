from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from app.schemas.base import Schema
from app.schemas.fields import (
    Amount,
    AmountFilter,
    Currency,
    Date,
    Email,
    Instant,
    InstantFilter,
    Integer,
    Note,
    Price,
    QueryInt,
    ShortText,
    Timestamp,
    Url,
    optional,
)


class _Change(Schema):
    name: ShortText = optional("A new name.")


def take(field: Any, value: object) -> Any:
    return TypeAdapter(field).validate_python(value)


def refusal(field: Any, value: object) -> str:
    """Return the code with which `field` refuses `value`."""
    with pytest.raises(ValidationError) as failure:
        take(field, value)
    code: str = failure.value.errors()[0]["type"]
    return code


class TestMoney:
    @pytest.mark.parametrize("value", ["0", "0.0", "19.9", "19.90", "007.5", "9999999999.99"])
    def test_a_price_is_a_decimal_string(self, value: str) -> None:
        assert Decimal(value) == take(Price, value)

    @pytest.mark.parametrize(
        "value",
        [
            *(19.9, 19, True, None, [], Decimal("1.00")),
            *("", " 1", "1\n", "-1", "+1", "1e3", "1_0", "1.", ".5", "1.999", "1,5", "NaN", "Infinity", "٣", "0x1"),
            "10000000000",
        ],
        ids=repr,
    )
    def test_nothing_else_is_a_price(self, value: object) -> None:
        assert refusal(Price, value) == "decimal_string"

    def test_a_filter_reaches_the_largest_total(self) -> None:
        largest = Decimal("9999999999.99") * 10_000 * 100

        assert largest == take(AmountFilter, str(largest))
        assert refusal(AmountFilter, "1" + "0" * 16) == "decimal_string"

    @pytest.mark.parametrize(
        ("value", "written"), [("1", "1.00"), ("1E+3", "1000.00"), ("9999999999990000.00", "9999999999990000.00")]
    )
    def test_amounts_are_written_with_two_decimals(self, value: str, written: str) -> None:
        assert written == TypeAdapter(Amount).dump_python(Decimal(value))


class TestInstants:
    @pytest.mark.parametrize(
        "value",
        [
            "2026-01-31T09:30:00.123456Z",
            "2026-01-31t09:30:00.123456z",
            "2026-01-31T11:00:00.123456+01:30",
            "2026-01-31 09:30:00.123456-00:00",
            "2026-01-31T11:00:00.123456 01:30",
        ],
    )
    def test_rfc_3339_in_any_zone_is_taken(self, value: str) -> None:
        instant = datetime(2026, 1, 31, 9, 30, 0, 123456, UTC)

        assert instant == take(Instant, value)
        assert instant == take(InstantFilter, value)

    @pytest.mark.parametrize(
        "value",
        [
            pytest.param("2026-01-31T09:30:00", id="naive"),
            pytest.param("2026-01-31", id="date"),
            pytest.param("2026-01-31T09:30Z", id="no seconds"),
            pytest.param("1769851800", id="unix time in text"),
            pytest.param(1769851800, id="unix time"),
            pytest.param("2026-01-31T09:30:00+0100", id="offset without colon"),
            pytest.param("\uff12026-01-31T09:30:00Z", id="wide digit"),
            pytest.param("", id="empty"),
            pytest.param(None, id="null"),
            pytest.param(datetime(2026, 1, 31, tzinfo=UTC), id="not JSON"),
        ],
    )
    def test_what_is_no_instant_is_refused(self, value: object) -> None:
        assert refusal(Instant, value) == "datetime_rfc3339"
        assert refusal(InstantFilter, value) == "datetime_rfc3339"

    @pytest.mark.parametrize("value", ["2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00+24:00"])
    def test_what_no_calendar_or_clock_shows_is_refused(self, value: str) -> None:
        assert refusal(Instant, value).startswith("datetime")

    @pytest.mark.parametrize("value", ["0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-23:59"])
    def test_out_of_range_in_utc_is_refused_but_bounds_a_filter(self, value: str) -> None:
        assert refusal(Instant, value) == "datetime_range"
        assert value[:19] == take(InstantFilter, value).isoformat()[:19]

    def test_instants_are_written_in_utc_with_z(self) -> None:
        instant = datetime.fromisoformat("2026-01-31T10:30:00.000001+01:00")

        assert TypeAdapter(Timestamp).dump_python(instant) == "2026-01-31T09:30:00.000001Z"


class TestDates:
    @pytest.mark.parametrize("value", ["0001-01-01", "2024-02-29", "9999-12-31"])
    def test_a_full_date_of_rfc_3339_is_taken_and_written(self, value: str) -> None:
        day = take(Date, value)

        assert date.fromisoformat(value) == day
        assert type(day) is date
        assert TypeAdapter(Date).dump_json(day) == f'"{value}"'.encode()

    def test_what_a_row_has_is_taken_as_it_is(self) -> None:
        assert take(Date, date(2026, 1, 31)) == date(2026, 1, 31)

    @pytest.mark.parametrize(
        "value",
        [
            pytest.param("2026-01-31T00:00:00Z", id="instant"),
            pytest.param("2026-01-31T00:00:00", id="midnight"),
            pytest.param("20260131", id="without hyphens"),
            pytest.param("2026-1-31", id="one digit"),
            pytest.param("2026-W05-6", id="week"),
            pytest.param("1769851800", id="unix time in text"),
            pytest.param(1769817600, id="unix time"),
            pytest.param("+2026-01-31", id="sign"),
            pytest.param("2026-01-31 ", id="space"),
            pytest.param("2026-01-31\n", id="line"),
            pytest.param("\uff12026-01-31", id="wide digit"),
            pytest.param("", id="empty"),
            pytest.param(None, id="null"),
            pytest.param(datetime(2026, 1, 31, tzinfo=UTC), id="not a date"),
        ],
    )
    def test_what_is_no_date_is_refused(self, value: object) -> None:
        assert refusal(Date, value) == "date_rfc3339"

    @pytest.mark.parametrize("value", ["2026-02-29", "2026-13-01", "2026-00-10", "2026-01-00", "0000-01-01"])
    def test_what_no_calendar_shows_is_refused(self, value: str) -> None:
        assert refusal(Date, value).startswith("date")


class TestWholeNumbers:
    @pytest.mark.parametrize("value", ["0", "20", "-5", "9" * 19])
    def test_a_query_has_plain_digits(self, value: str) -> None:
        assert int(value) == take(QueryInt, value)

    @pytest.mark.parametrize("value", ["", "+5", " 5", "5 ", "05", "-0", "1e3", "1_000", "5.0", "٣", "0x5", "9" * 20])
    def test_other_spellings_are_refused(self, value: str) -> None:
        assert refusal(QueryInt, value) == "int_parsing"

    @pytest.mark.parametrize("value", [0, -5, 2.0, 2**31, 2**63])
    def test_a_body_has_a_number(self, value: float) -> None:
        assert value == take(Integer, value)

    @pytest.mark.parametrize("value", [True, "2", None, [2], 2.5, float("inf")], ids=repr)
    def test_what_is_no_whole_number_is_refused(self, value: object) -> None:
        refusal(Integer, value)


class TestTexts:
    @pytest.mark.parametrize(
        "value", ["a", " a ", "žluťoučký 🍵", "a\u00a0b", "'; DROP TABLE x; --", "x" * 64, "🍵" * 64]
    )
    def test_a_line_is_kept_as_it_is(self, value: str) -> None:
        assert value == take(ShortText, value)

    @pytest.mark.parametrize(
        "value", ["", "x" * 65, "a\0b", "a\n", "\t", "\x1b[0m", "a\x7f", "\x85", "\ud800", 1], ids=repr
    )
    def test_what_one_database_or_terminal_would_not_take_is_refused(self, value: object) -> None:
        refusal(ShortText, value)

    def test_a_note_has_lines_and_tabs(self) -> None:
        note = "Ring twice.\n\tThen wait."

        assert note == take(Note, note)

    @pytest.mark.parametrize("value", ["a\0b", "a\rb", "\x1b", "\x9f", "\udfff", "x" * 501], ids=repr)
    def test_a_note_has_nothing_else_and_an_end(self, value: str) -> None:
        refusal(Note, value)

    @pytest.mark.parametrize("value", ["ada@example.com", "a+b@sub.example.com", "ž@příklad.cz", "a@b.c"])
    def test_an_address_has_a_domain(self, value: str) -> None:
        assert value == take(Email, value)

    @pytest.mark.parametrize(
        "value",
        ["", "ada", "@example.com", "ada@", "ada@example", "a@b@c.d", "a b@c.d", "a@b..c", "a@b.c\n"],
    )
    def test_what_is_no_address_is_refused(self, value: str) -> None:
        refusal(Email, value)

    @pytest.mark.parametrize(
        "value",
        [
            *("http://example.com", "https://example.com/", "https://EXAMPLE.com:8443/a%20b/?c=d"),
            *("http://localhost:65535?a", "https://127.0.0.1#top", "https://xn--pklad-7sa.cz/~ada/;v=1,2?q=a/b?c#d"),
            "https://example.com/" + "x" * 1980,
        ],
    )
    def test_an_address_of_a_page_is_kept_as_it_is(self, value: str) -> None:
        assert value == take(Url, value)
        assert TypeAdapter(Url).dump_python(value) == value

    @pytest.mark.parametrize(
        "value",
        [
            *("", "example.com", "//example.com", "https:example.com", "https://", "https:///a", "https://?a"),
            *("javascript:alert(1)", "ftp://example.com", "file:///etc/passwd", "HTTPS://example.com", " https://a.b"),
            *("https://ada:secret@example.com", "https://example.com:0", "https://example.com:65536", "https://a:"),
            *("https://a..b", "https://a.b.", "https://-a.b", "https://a-.b", "https://a_b.c", f"https://{'a' * 64}.b"),
            *("https://[::1]/", "https://příklad.cz", "https://a.b/ž", "https://a.b/ c"),
            *("https://a.b/%zz", "https://a.b/#a#b"),
            *("https://a.b\n", "https://a.b/\0", "https://a.b\\c", "https://a.b/<c>", "https://a.b/" + "x" * 1989),
            1,
        ],
        ids=ascii,
    )
    def test_what_is_no_address_of_a_page_is_refused(self, value: object) -> None:
        refusal(Url, value)

    @pytest.mark.parametrize("value", ["EUR", "JPY", "CZK"])
    def test_a_currency_is_one_of_iso_4217(self, value: str) -> None:
        assert value == take(Currency, value)

    @pytest.mark.parametrize("value", ["eur", "XYZ", "EURO", "EUR ", "", "€"])
    def test_others_are_refused(self, value: str) -> None:
        assert refusal(Currency, value) == "currency"


class TestSchema:
    def test_unknown_fields_are_refused(self) -> None:
        assert refusal(_Change, {"nam": "a"}) == "extra_forbidden"

    def test_a_field_that_was_left_out_is_not_set(self) -> None:
        assert take(_Change, {}).model_fields_set == set()

    def test_null_is_no_way_to_leave_a_field_out(self) -> None:
        assert refusal(_Change, {"name": None}) == "string_type"
