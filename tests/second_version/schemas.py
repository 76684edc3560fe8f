"""Orders, as clients of `/v2` see them: the address is the `customer`."""

from typing import Annotated

from pydantic import Field

from app.schemas.fields import Email, unset
from app.schemas.lists import Filter, ListQuery
from app.schemas.orders import OrderCreate, OrderQuery, OrderRead, OrderSummary, OrderUpdate
from app.schemas.page import Page


class OrderCreateV2(OrderCreate):
    """A new order."""

    customer_email: Email = Field(alias="customer", examples=["ada@example.com"])


class OrderUpdateV2(OrderUpdate):
    """The fields to change; those left out stay."""

    customer_email: Email = Field(default_factory=unset, alias="customer", examples=["ada@example.com"])


class OrderReadV2(OrderRead):
    """An order."""

    customer_email: str = Field(alias="customer", examples=["ada@example.com"])


class OrderSummaryV2(OrderSummary):
    """An order in a list."""

    customer_email: str = Field(alias="customer", examples=["ada@example.com"])


class OrderPageV2(Page[OrderSummaryV2]):
    """Some orders, and where to go on."""


class OrderQueryV2(ListQuery[OrderPageV2]):
    """How to list orders."""

    page = OrderPageV2
    sorts = OrderQuery.sorts

    sort: str = sorts.field()
    customer: Annotated[Email | None, Filter("customer_email")] = Field(
        default=None, description="Exactly this address."
    )
