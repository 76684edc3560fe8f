"""What a body may be, and what it may hold."""

import json
from typing import Any

import httpx2
import pytest

from app.core.settings import Settings
from tests.contract.test_orders import ORDER
from tests.requests import Caller, assert_failed

PATH = "/v1/orders"


def _send(alice: Caller, body: bytes, content_type: str | None = "application/json") -> httpx2.Response:
    return alice.post(PATH, content=body, headers={"Content-Type": content_type} if content_type else {})


class TestMediaType:
    @pytest.mark.parametrize(
        "content_type",
        [None, "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", "json", ""],
    )
    def test_what_is_not_json_is_refused(self, alice: Caller, content_type: str | None) -> None:
        assert_failed(_send(alice, json.dumps(ORDER).encode(), content_type), 415, "unsupported_media_type")

    @pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON;Charset=UTF-8"])
    def test_json_in_utf_8_is_taken(self, alice: Caller, content_type: str) -> None:
        assert _send(alice, json.dumps(ORDER).encode(), content_type).status_code == 201

    def test_an_encoded_body_is_refused(self, alice: Caller) -> None:
        response = alice.post(PATH, json=ORDER, headers={"Content-Encoding": "gzip"})

        assert_failed(response, 415, "unsupported_media_type")


class TestForm:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"\xef\xbb\xbf{}",
            b"\xff\xfe{\x00}\x00",
            b'{"note": "\xff"}',
            b"{'note': 1}",
            b"[" * 100_000,
            b"{} {}",
        ],
        ids=["empty", "cut", "byte order mark", "UTF-16", "not UTF-8", "single quotes", "deep", "two values"],
    )
    def test_what_is_not_json_is_malformed(self, alice: Caller, body: bytes) -> None:
        assert_failed(_send(alice, body), 400, "malformed_body")

    @pytest.mark.parametrize(
        "note", ["NaN", "-Infinity", '"\\ud800"', "1" * 5000], ids=["NaN", "Infinity", "lone surrogate", "digits"]
    )
    def test_refuses_ambiguous_json(self, alice: Caller, note: str) -> None:
        assert_failed(_send(alice, ('{"note": ' + note + "}").encode()), 422, "validation_error")

    def test_refuses_duplicate_keys(self, alice: Caller) -> None:
        (detail,) = assert_failed(_send(alice, b'{"note": "a", "note": "b"}'), 422, "validation_error")

        assert detail["code"] == "duplicate_key"

    @pytest.mark.parametrize("body", [b"null", b"[]", b'"text"', b"1"])
    def test_what_is_no_object_is_invalid(self, alice: Caller, body: bytes) -> None:
        (detail,) = assert_failed(_send(alice, body), 422, "validation_error")

        assert detail["field"] == "body"


class TestFields:
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("reference", ""),
            ("reference", "x" * 65),
            ("reference", "a\x00b"),
            ("reference", "a\nb"),
            ("reference", 7),
            ("customer_email", "ada"),
            ("customer_email", "a b@example.com"),
            ("customer_email", "ada@example"),
            ("currency", "eur"),
            ("currency", "XYZ"),
            ("note", "x" * 501),
            ("note", "a\x00b"),
            ("note", "\x1b[2J"),
            ("note", "a\rb"),
            ("items", []),
            ("items", [ORDER["items"][0]] * 101),
            ("status", "paid"),
            ("total", "1.00"),
            ("owner", "me"),
            ("id", "01900000-0000-7000-8000-000000000000"),
        ],
    )
    def test_names_the_invalid_field(self, alice: Caller, field: str, value: Any) -> None:
        (detail,) = assert_failed(alice.post(PATH, json={**ORDER, field: value}), 422, "validation_error")

        assert field == detail["field"]

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("sku", "a\x00b"),
            ("quantity", 0),
            ("quantity", 10_001),
            ("quantity", 2**31),
            ("quantity", 2**63),
            ("quantity", 10**400),
            ("quantity", True),
            ("quantity", "2"),
            ("quantity", 1.5),
            ("unit_price", 19.9),
            ("unit_price", 19),
            ("unit_price", "-1.00"),
            ("unit_price", "+1.00"),
            ("unit_price", "1.999"),
            ("unit_price", "1e3"),
            ("unit_price", "10000000000.00"),
            ("unit_price", "NaN"),
            ("unit_price", " 1"),
            ("unit_price", "١"),  # noqa: RUF001 - a digit, but not of ASCII
        ],
    )
    def test_what_is_wrong_in_an_item_is_named(self, alice: Caller, field: str, value: Any) -> None:
        items = [ORDER["items"][0], {**ORDER["items"][1], field: value}]
        (detail,) = assert_failed(alice.post(PATH, json={**ORDER, "items": items}), 422, "validation_error")

        assert detail["field"] == f"items.1.{field}"

    def test_everything_that_is_wrong_is_named_at_once(self, alice: Caller) -> None:
        details = assert_failed(alice.post(PATH, json={"note": 1}), 422, "validation_error")

        assert {"reference", "customer_email", "currency", "items", "note"} == {d["field"] for d in details}

    def test_text_is_kept_as_it_was_typed(self, alice: Caller) -> None:
        note = " \t\n<b>Zoë & 🦊</b> ' \" \\ ${x} {0} %s ; DROP TABLE orders; -- "
        created = alice.post(PATH, json={**ORDER, "note": note}).json()

        assert note == alice.get(f"{PATH}/{created['id']}").json()["note"]


class TestSize:
    def test_a_body_that_is_announced_too_large_is_refused(self, alice: Caller, settings: Settings) -> None:
        response = _send(alice, b" " * (settings.max_body_bytes + 1))

        assert_failed(response, 413, "body_too_large")

    def test_refuses_a_large_body_without_a_length(self, alice: Caller, settings: Settings) -> None:
        def chunks() -> Any:
            for _ in range(settings.max_body_bytes // 1000 + 2):
                yield b" " * 1000

        response = alice.post(PATH, content=chunks(), headers={"Content-Type": "application/json"})

        assert_failed(response, 413, "body_too_large")

    def test_the_largest_body_is_read(self, alice: Caller, settings: Settings) -> None:
        body = json.dumps(ORDER).encode()

        assert _send(alice, body.ljust(settings.max_body_bytes)).status_code == 201
