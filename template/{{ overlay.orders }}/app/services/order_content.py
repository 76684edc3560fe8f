"""What an order says: what a client decides, what it changes, and what it is shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from typing_extensions import TypedDict


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """One line of an order."""

    sku: str
    quantity: int
    unit_price: Decimal


class OrderChanges(TypedDict, total=False):
    """What a client changes of an order."""

    reference: str
    customer_email: str
    currency: str
    note: str | None
    items: Sequence[OrderLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderContent:
    """What a client decides of an order."""

    reference: str
    customer_email: str
    currency: str
    note: str | None
    items: Sequence[OrderLine]

    def as_changes(self) -> OrderChanges:
        """Return the change that makes an order have this content."""
        return {
            "reference": self.reference,
            "customer_email": self.customer_email,
            "currency": self.currency,
            "note": self.note,
            "items": self.items,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDetails(OrderContent):
    """An order with its items. `version` counts the changes."""

    id: UUID
    owner: str
    status: str
    total: Decimal
    version: int
    created_at: datetime
    updated_at: datetime
