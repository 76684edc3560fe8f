"""Orders in their second version."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, status

from app.api.deps import Caller, Db, Expected
from app.auth.policy import requires
from app.http.openapi import errors
from app.schemas.orders_v2 import OrderCreateV2, OrderPageV2, OrderQueryV2, OrderReadV2, OrderUpdateV2
from app.services import order_lists, orders

router = APIRouter(prefix="/v2/orders", tags=["orders"])


@router.post("", status_code=status.HTTP_201_CREATED, responses=errors(409))
@requires("orders:write")
async def create_order_v2(data: OrderCreateV2, caller: Caller, db: Db) -> OrderReadV2:
    """Create an order, as a draft."""
    return OrderReadV2.of(await db.write(orders.create, caller, data.to(orders.OrderContent)))


@router.get("")
@requires("orders:read")
async def list_orders_v2(query: Annotated[OrderQueryV2, Query()], caller: Caller, db: Db) -> OrderPageV2:
    """List the caller's orders, newest first."""
    return await db.read(order_lists.list_orders, caller, query)


@router.get("/{order_id}", responses=errors(404))
@requires("orders:read")
async def get_order_v2(order_id: UUID, caller: Caller, db: Db) -> OrderReadV2:
    """Get an order."""
    return OrderReadV2.of(await db.read(orders.get, caller, order_id))


@router.patch("/{order_id}", responses=errors(404, 409))
@requires("orders:write")
async def update_order_v2(
    order_id: UUID, data: OrderUpdateV2, caller: Caller, expected: Expected, db: Db
) -> OrderReadV2:
    """Change the fields that are sent."""
    return OrderReadV2.of(await db.write(orders.update, caller, order_id, data.to(orders.OrderChanges), expected))
