"""Orders, as clients see them."""

from operator import ge, gt, le, lt
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from app.schemas.base import Schema
from app.schemas.fields import (
    Amount,
    AmountFilter,
    Currency,
    Email,
    InstantFilter,
    Integer,
    Note,
    Price,
    ShortText,
    Timestamp,
    optional,
)
from app.schemas.lists import Filter, ListQuery, Sorts, any_of
from app.schemas.page import Page

OrderStatus = Literal["draft", "submitted", "paid", "shipped", "cancelled"]

Reference = Annotated[ShortText, Field(description="The client's own name for the order, unique among its orders.")]


class OrderItem(Schema):
    """One line of an order."""

    sku: ShortText = Field(examples=["TEA-250"])
    quantity: Integer = Field(ge=1, le=10_000, examples=[2])
    unit_price: Price


class OrderItemRead(OrderItem):
    """One line of an order."""

    unit_price: Amount


Items = Annotated[list[OrderItem], Field(min_length=1, max_length=100)]


class OrderCreate(Schema):
    """A new order, or all that a client decides of an existing one."""

    reference: Reference = Field(examples=["2026-0001"])
    customer_email: Email = Field(examples=["ada@example.com"])
    currency: Currency
    note: Note | None = Field(default=None, examples=["Ring twice."])
    items: Items


class OrderUpdate(Schema):
    """The fields to change; those left out stay."""

    reference: Reference = optional("A new reference.", "2026-0002")
    customer_email: Email = optional("A new address.", "ada@example.com")
    currency: Currency = optional("A new currency; amounts are not converted.")
    note: Note | None = Field(default=None, description="A new note; null removes it.", examples=["Ring once."])
    items: Items = optional("All items, in place of the present ones.")


class OrderBase(Schema):
    """What is always shown of an order."""

    id: UUID
    owner: str = Field(description="The subject of the caller that made it.", examples=["billing"])
    reference: str = Field(examples=["2026-0001"])
    status: OrderStatus
    customer_email: str = Field(examples=["ada@example.com"])
    currency: str = Field(examples=["EUR"])
    note: str | None = Field(examples=["Ring twice."])
    total: Amount
    created_at: Timestamp
    updated_at: Timestamp


class OrderSummary(OrderBase):
    """An order in a list."""

    item_count: int = Field(examples=[1])


class OrderRead(OrderBase):
    """An order."""

    items: list[OrderItemRead]


class OrderPage(Page[OrderSummary]):
    """Some orders, and where to go on."""


class OrderQuery(ListQuery[OrderPage]):
    """How to list orders. A new sort or filter is a line here, and an index."""

    page = OrderPage
    sorts = Sorts("created_at", "updated_at", "total", "reference", default="-created_at")

    sort: str = sorts.field()
    status: Annotated[list[OrderStatus], Filter("status", any_of)] = Field(
        default=[], max_length=5, description="Any of these; give it once for each."
    )
    reference: Annotated[ShortText | None, Filter("reference")] = Field(
        default=None, description="Exactly this reference."
    )
    customer_email: Annotated[Email | None, Filter("customer_email")] = Field(
        default=None, description="Exactly this address."
    )
    currency: Annotated[Currency | None, Filter("currency")] = Field(default=None, description="Exactly this currency.")
    created_after: Annotated[InstantFilter | None, Filter("created_at", gt)] = Field(
        default=None, description="Later than this instant."
    )
    created_before: Annotated[InstantFilter | None, Filter("created_at", lt)] = Field(
        default=None, description="Earlier than this instant."
    )
    min_total: Annotated[AmountFilter | None, Filter("total", ge)] = Field(
        default=None, description="At least this total."
    )
    max_total: Annotated[AmountFilter | None, Filter("total", le)] = Field(
        default=None, description="At most this total."
    )
