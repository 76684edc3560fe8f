"""The shapes that the contract gives to bodies, each as a list of what is wrong with one."""

from __future__ import annotations

import re
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .answers import Answer

CODE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*\Z")
TRACE_ID = re.compile(r"[0-9a-f]{32}\Z")
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z\Z")
MONEY = re.compile(r"(0|[1-9]\d*)\.\d\d\Z")
LEAKS = ("Traceback", "sqlalchemy", "psycopg", "pymysql", "sqlite3", "site-packages", 'File "', "SELECT ", "INSERT ")
UUID7 = 7

WRITABLE = {"reference", "customer_email", "currency", "note"}
SUMMARY = WRITABLE | {"id", "owner", "status", "total", "created_at", "updated_at", "item_count"}
ORDER = SUMMARY - {"item_count"} | {"items"}
STATUSES = {"draft", "submitted", "paid", "shipped", "cancelled"}


def error_problems(answer: Answer, code: str | None, field: str | None) -> Iterator[str]:
    """Yield what differs from the one error shape (section 4)."""
    if answer.media_type != "application/json":
        yield f"an error is application/json, not {answer.header('content-type')!r}"
        return
    body = answer.json()
    if not isinstance(body, dict) or not {"code", "message", "trace_id"} <= body.keys():
        yield "an error has code, message and trace_id"
        return
    if not isinstance(body["code"], str) or not CODE.match(body["code"]):
        yield f"code is a lower-snake string, not {body['code']!r}"
    if code is not None and body["code"] != code:
        yield f"code is {code!r}, not {body['code']!r}"
    if not isinstance(body["message"], str) or not body["message"].strip():
        yield "message is a sentence for people"
    if not isinstance(body["trace_id"], str) or not TRACE_ID.match(body["trace_id"]):
        yield f"trace_id is 32 lower-case hex digits, not {body['trace_id']!r}"
    yield from (f"an error never holds {leak!r}" for leak in LEAKS if leak in answer.body.decode())
    yield from details_problems(answer.status, body, field)


def details_problems(status: int, body: dict[str, Any], field: str | None) -> Iterator[str]:
    """Yield what is wrong with `details`: there for validation and for transitions, absent otherwise."""
    if extra := body.keys() - {"code", "message", "trace_id", "details"}:
        yield f"an error has no other members, but this one has {sorted(extra)}"
    if body["code"] != "invalid_transition" and status != 422:
        if "details" in body:
            yield "details is absent where it is not a validation error"
        return
    details = body.get("details")
    if not isinstance(details, list) or not details:
        yield "details is a list of what is wrong"
        return
    for entry in details:
        if not isinstance(entry, dict) or entry.keys() != {"field", "code", "message"}:
            yield f"an entry of details has field, code and message, unlike {entry!r}"
        elif not all(isinstance(value, str) for value in entry.values()):
            yield f"field, code and message are strings, unlike {entry!r}"
        elif not CODE.match(entry["code"]):
            yield f"a detail's code is a lower-snake string, not {entry['code']!r}"
    # How a nested field is written (items.0.sku, items[0].sku, /items/0/sku) is left open.
    if field is not None and not any(field in str(entry.get("field")) for entry in details if isinstance(entry, dict)):
        yield f"details names {field!r}"


def order_problems(body: object, members: set[str] = ORDER) -> Iterator[str]:
    """Yield what is wrong with an order as read."""
    if not isinstance(body, dict) or body.keys() != members:
        names = sorted(body) if isinstance(body, dict) else body
        yield f"an order has exactly the members {sorted(members)}, not {names}"
        return
    if not is_uuid7(body["id"]):
        yield f"id is a UUIDv7 in canonical form, not {body['id']!r}"
    for name in ("created_at", "updated_at"):
        if not isinstance(body[name], str) or not TIMESTAMP.match(body[name]):
            yield f"{name} is RFC 3339 in UTC with Z, not {body[name]!r}"
    if body["status"] not in STATUSES:
        yield f"status is one of the five, not {body['status']!r}"
    if not isinstance(body["owner"], str) or not body["owner"]:
        yield f"owner is a string, not {body['owner']!r}"
    if not is_money(body["total"]):
        yield f"total is a decimal string with two decimals, not {body['total']!r}"
    if "items" in members:
        yield from items_problems(body)


def items_problems(body: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with an order's items and their sum."""
    total = Decimal(0)
    for item in body["items"]:
        # Members beyond the three (an id, a line total) are left open.
        if not {"sku", "quantity", "unit_price"} <= item.keys():
            yield f"an item has sku, quantity and unit_price, unlike {item!r}"
            return
        if not is_money(item["unit_price"]):
            yield f"unit_price is a decimal string with two decimals, not {item['unit_price']!r}"
            return
        total += item["quantity"] * Decimal(item["unit_price"])
    if body["total"] != f"{total:.2f}":
        yield f"total is the sum of the items, {total:.2f}, not {body['total']!r}"


def envelope_problems(body: object) -> Iterator[str]:
    """Yield what is wrong with a page of a list (section 3)."""
    if not isinstance(body, dict) or body.keys() != {"data", "next_cursor", "has_more"}:
        yield "a list is exactly data, next_cursor and has_more"
        return
    if not isinstance(body["data"], list) or not isinstance(body["has_more"], bool):
        yield "data is a list and has_more is true or false"
    cursor = body["next_cursor"]
    if (cursor is not None) != body["has_more"]:
        yield "next_cursor is null exactly when has_more is false"
    if cursor is not None and not (isinstance(cursor, str) and re.fullmatch(r"[A-Za-z0-9._~=-]+", cursor)):
        yield f"next_cursor is URL-safe as it stands, not {cursor!r}"


def is_money(value: object) -> bool:
    """Return whether this is a decimal string with two decimals."""
    return isinstance(value, str) and bool(MONEY.match(value))


def is_uuid7(value: object) -> bool:
    """Return whether this is a UUIDv7 in its canonical, lower-case form."""
    try:
        parsed = uuid.UUID(str(value))
    except ValueError:
        return False
    return str(parsed) == value and parsed.version == UUID7
