"""Orders to send. Each has a reference and an e-mail address of its own, so no check sees another's."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlencode

# An identifier that no service has made: valid UUIDv7, the year 10889.
UNKNOWN_ID = "ffffffff-ffff-7fff-bfff-ffffffffffff"


def unique(prefix: str = "ref") -> str:
    """Return a text that nobody has used."""
    return f"{prefix}-{secrets.token_hex(8)}"


def an_email() -> str:
    """Return an e-mail address that nobody has used."""
    return f"{unique('ann')}@example.com"


def an_item(**changes: object) -> dict[str, Any]:
    """Return one valid item."""
    return {"sku": "SKU-1", "quantity": 2, "unit_price": "19.90", **changes}


def an_order(**changes: object) -> dict[str, Any]:
    """Return one valid order to create."""
    order = {"reference": unique(), "customer_email": an_email(), "currency": "EUR", "items": [an_item()]}
    return {**order, **changes}


def without(order: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return the order without these members."""
    return {name: value for name, value in order.items() if name not in names}


def listing(*pairs: tuple[str, str], **parameters: str | int) -> str:
    """Return the target of the list of orders with these parameters; pairs may repeat a name."""
    query = urlencode([*pairs, *parameters.items()])
    return f"/v1/orders?{query}" if query else "/v1/orders"
