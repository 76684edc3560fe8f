"""The least that a service on PostgreSQL costs: ASGI and psycopg by hand, without framework, ORM, checks or logs.

It runs in the environment of a rendered service, on tables that the service has migrated.
"""

import os
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import orjson
import psycopg
from psycopg.rows import dict_row

Message = dict[str, Any]

OWNER = "anonymous"
COLUMNS = "id, owner, reference, status, customer_email, currency, note, total, created_at, updated_at"
GET = f"""
    SELECT {", ".join(f"o.{name.strip()}" for name in COLUMNS.split(","))}, i.sku, i.quantity, i.unit_price
    FROM orders o JOIN order_items i ON i.order_id = o.id
    WHERE o.id = %s AND o.live = 1 AND o.owner = %s ORDER BY i.position
"""  # noqa: S608 - of constants
LIST = f"""
    SELECT {COLUMNS}, item_count FROM orders WHERE owner = %s AND live = 1
    ORDER BY created_at DESC, id DESC LIMIT 21
"""  # noqa: S608 - of constants
INSERT = f"""
    INSERT INTO orders ({COLUMNS}, item_count, version, live)
    VALUES (%s, %s, %s, 'draft', %s, %s, %s, %s, %s, %s, %s, 1, 1)
"""  # noqa: S608 - of constants
INSERT_ITEM = """
    INSERT INTO order_items (id, order_id, position, sku, quantity, unit_price, created_at, updated_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""

connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, row_factory=dict_row)


async def app(scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[..., Awaitable[None]]) -> None:
    """Answer as the service would answer what the benchmark sends, and with an empty object everything else."""
    status, content = 200, {}
    if scope["type"] != "http":
        return
    if scope["method"] == "POST":
        status, content = 201, create(orjson.loads((await receive())["body"]))
    elif scope["path"] == "/v1/orders":
        content = page()
    elif scope["path"].startswith("/v1/orders/"):
        content = get(scope["path"].rpartition("/")[2])
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": orjson.dumps(content)})


def get(order_id: str) -> Message:
    """Return an order with its items."""
    rows = connection.execute(GET, (order_id, OWNER)).fetchall()
    items = [
        {"sku": row.pop("sku"), "quantity": row.pop("quantity"), "unit_price": money(row.pop("unit_price"))}
        for row in rows
    ]
    return {**shown(rows[0]), "items": items}


def page() -> Message:
    """Return the first page of orders."""
    rows = connection.execute(LIST, (OWNER,)).fetchall()
    return {"data": [shown(row) for row in rows[:20]], "has_more": len(rows) > 20, "next_cursor": None}  # noqa: PLR2004


def create(data: Message) -> Message:
    """Return a new order, once it is committed."""
    now, order_id = datetime.now(UTC), new_id()
    prices = [round(float(item["unit_price"]) * 100) for item in data["items"]]
    total = sum(price * item["quantity"] for price, item in zip(prices, data["items"], strict=True))
    order = (order_id, OWNER, data["reference"], data["customer_email"], data["currency"], None, total, now, now)
    items = [
        (new_id(), order_id, position, item["sku"], item["quantity"], price, now, now)
        for position, (price, item) in enumerate(zip(prices, data["items"], strict=True))
    ]
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(INSERT, (*order, len(items)))
        cursor.executemany(INSERT_ITEM, items)
    return {**data, "id": order_id, "owner": OWNER, "status": "draft", "total": money(total), "created_at": now}


def shown(row: Message) -> Message:
    """Return a row as JSON has it."""
    return {**row, "total": money(row["total"])}


def money(hundredths: int) -> str:
    """Return an amount with two decimals."""
    return f"{hundredths // 100}.{hundredths % 100:02}"


def new_id() -> uuid.UUID:
    """Return an identifier that sorts by time, as a UUIDv7 does (RFC 9562)."""
    random = int.from_bytes(os.urandom(10)) & ~(0xF << 76) & ~(0x3 << 62)
    return uuid.UUID(int=(time.time_ns() // 1_000_000 << 80) | (0x7 << 76) | (0x2 << 62) | random)
