"""Orders: the worked example. Copy this file for your next resource."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response, status

from app.api.deps import Caller, Db, Expected
from app.auth.policy import requires
from app.core.preconditions import etag
from app.http.conditional import is_unchanged
from app.http.openapi import CREATED, ETAG, NOT_MODIFIED, errors
from app.schemas.orders import OrderCreate, OrderPage, OrderQuery, OrderRead, OrderUpdate
from app.services import order_lists, orders

router = APIRouter(prefix="/v1/orders", tags=["orders"])

_CHANGES = {200: ETAG, **errors(404, 409)}


@router.post("", status_code=status.HTTP_201_CREATED, responses={201: CREATED, **errors(409)})
@requires("orders:write")
async def create_order(data: OrderCreate, caller: Caller, db: Db, response: Response) -> OrderRead:
    """Create an order, as a draft."""
    order = await db.write(orders.create, caller, data.to(orders.OrderContent))
    response.headers["Location"] = f"/v1/orders/{order.id}"
    return _tagged(response, order)


@router.get("")
@requires("orders:read")
async def list_orders(query: Annotated[OrderQuery, Query()], caller: Caller, db: Db) -> OrderPage:
    """List the caller's orders, newest first; an admin sees those of all owners."""
    return await db.read(order_lists.list_orders, caller, query)


@router.get("/{order_id}", response_model=OrderRead, responses={200: ETAG, 304: NOT_MODIFIED, **errors(404)})
@requires("orders:read")
async def get_order(
    order_id: UUID, caller: Caller, db: Db, request: Request, response: Response
) -> OrderRead | Response:
    """Get an order; with `If-None-Match`, only if it has changed."""
    order = await db.read(orders.get, caller, order_id)
    if is_unchanged(request.headers.getlist("if-none-match"), etag(order.version)):
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers={"ETag": etag(order.version)})
    return _tagged(response, order)


@router.put("/{order_id}", responses=_CHANGES)
@requires("orders:write")
async def replace_order(
    order_id: UUID, data: OrderCreate, caller: Caller, expected: Expected, db: Db, response: Response
) -> OrderRead:
    """Replace a draft as a whole."""
    return _tagged(response, await db.write(orders.replace, caller, order_id, data.to(orders.OrderContent), expected))


@router.patch("/{order_id}", responses=_CHANGES)
@requires("orders:write")
async def update_order(
    order_id: UUID, data: OrderUpdate, caller: Caller, expected: Expected, db: Db, response: Response
) -> OrderRead:
    """Change the fields that are sent. Once the order is submitted, only the note can change."""
    return _tagged(response, await db.write(orders.update, caller, order_id, data.to(orders.OrderChanges), expected))


@router.delete(
    "/{order_id}", status_code=status.HTTP_204_NO_CONTENT, response_class=Response, responses=errors(404, 409)
)
@requires("orders:write")
async def delete_order(order_id: UUID, caller: Caller, expected: Expected, db: Db) -> None:
    """Delete a draft or a cancelled order, which frees its reference."""
    await db.write(orders.delete, caller, order_id, expected)


@router.post("/{order_id}/submit", responses=_CHANGES)
@requires("orders:write")
async def submit_order(order_id: UUID, caller: Caller, expected: Expected, db: Db, response: Response) -> OrderRead:
    """Submit a draft."""
    return _tagged(response, await db.write(orders.transition, caller, order_id, "submitted", expected))


@router.post("/{order_id}/pay", responses=_CHANGES)
@requires("orders:write")
async def pay_order(order_id: UUID, caller: Caller, expected: Expected, db: Db, response: Response) -> OrderRead:
    """Mark a submitted order as paid."""
    return _tagged(response, await db.write(orders.transition, caller, order_id, "paid", expected))


@router.post("/{order_id}/ship", responses=_CHANGES)
@requires("orders:write")
async def ship_order(order_id: UUID, caller: Caller, expected: Expected, db: Db, response: Response) -> OrderRead:
    """Mark a paid order as shipped."""
    return _tagged(response, await db.write(orders.transition, caller, order_id, "shipped", expected))


@router.post("/{order_id}/cancel", responses=_CHANGES)
@requires("orders:write")
async def cancel_order(order_id: UUID, caller: Caller, expected: Expected, db: Db, response: Response) -> OrderRead:
    """Cancel an order that was not shipped."""
    return _tagged(response, await db.write(orders.transition, caller, order_id, "cancelled", expected))


def _tagged(response: Response, order: orders.OrderDetails) -> OrderRead:
    response.headers["ETag"] = etag(order.version)
    return OrderRead.of(order)
