"""Orders and their owners."""

from typing import Any

from app.auth.principal import ADMIN, Principal
from app.schemas.orders import OrderCreate, OrderStatus
from app.services.order_content import OrderContent

ALICE = Principal("alice")
BOB = Principal("bob")
ROOT = Principal("root", roles=frozenset({ADMIN}))

# How an order gets to each status.
WAYS: dict[OrderStatus, tuple[OrderStatus, ...]] = {
    "draft": (),
    "submitted": ("submitted",),
    "paid": ("submitted", "paid"),
    "shipped": ("submitted", "paid", "shipped"),
    "cancelled": ("cancelled",),
}


def order_content(**changes: Any) -> dict[str, Any]:
    """Return an order as a client sends it."""
    return {
        "reference": "2026-0001",
        "customer_email": "ada@example.com",
        "currency": "EUR",
        "note": "Ring twice.",
        "items": [
            {"sku": "TEA-250", "quantity": 2, "unit_price": "19.90"},
            {"sku": "CUP", "quantity": 1, "unit_price": "0.05"},
        ],
        **changes,
    }


def order_data(**changes: Any) -> OrderContent:
    """Return an order as the service takes it."""
    return OrderCreate.model_validate(order_content(**changes)).to(OrderContent)
