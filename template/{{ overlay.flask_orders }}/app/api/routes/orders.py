"""Orders: the worked example. Copy this file for your next resource."""

from http import HTTPStatus
from uuid import UUID

from flask import Response, request

from app.api.deps import get_caller, get_database
from app.api.routing import Answer, Router
from app.auth.policy import requires
from app.core.preconditions import Precondition, etag
from app.http.conditional import is_unchanged
from app.http.openapi import CREATED, ETAG, NOT_MODIFIED, errors
from app.schemas.orders import OrderCreate, OrderPage, OrderQuery, OrderRead, OrderUpdate
from app.services import order_lists, orders

router = Router("orders", url_prefix="/v1/orders")

_CHANGES = {200: ETAG, **errors(404, 409)}


@router.post("", status=HTTPStatus.CREATED, responses={201: CREATED, **errors(409)})
@requires("orders:write")
def create_order(body: OrderCreate) -> Answer[OrderRead]:
    """Create an order, as a draft."""
    order = get_database().write(orders.create, get_caller(), body.to(orders.OrderContent))
    return OrderRead.of(order), {"ETag": etag(order.version), "Location": f"/v1/orders/{order.id}"}


@router.get("")
@requires("orders:read")
def list_orders(query: OrderQuery) -> OrderPage:
    """List the caller's orders, newest first; an admin sees those of all owners."""
    return get_database().read(order_lists.list_orders, get_caller(), query)


@router.get("/<order_id>", responses={200: ETAG, 304: NOT_MODIFIED, **errors(404)})
@requires("orders:read")
def get_order(order_id: UUID) -> Answer[OrderRead]:
    """Get an order; with `If-None-Match`, only if it has changed."""
    order = get_database().read(orders.get, get_caller(), order_id)
    if is_unchanged(request.headers.getlist("if-none-match"), etag(order.version)):
        return Response(status=HTTPStatus.NOT_MODIFIED, headers={"ETag": etag(order.version)})
    return _tagged(order)


@router.put("/<order_id>", responses=_CHANGES)
@requires("orders:write")
def replace_order(order_id: UUID, body: OrderCreate, expected: Precondition) -> Answer[OrderRead]:
    """Replace a draft as a whole."""
    return _tagged(get_database().write(orders.replace, get_caller(), order_id, body.to(orders.OrderContent), expected))


@router.patch("/<order_id>", responses=_CHANGES)
@requires("orders:write")
def update_order(order_id: UUID, body: OrderUpdate, expected: Precondition) -> Answer[OrderRead]:
    """Change the fields that are sent. Once the order is submitted, only the note can change."""
    return _tagged(get_database().write(orders.update, get_caller(), order_id, body.to(orders.OrderChanges), expected))


@router.delete("/<order_id>", status=HTTPStatus.NO_CONTENT, responses=errors(404, 409))
@requires("orders:write")
def delete_order(order_id: UUID, expected: Precondition) -> None:
    """Delete a draft or a cancelled order, which frees its reference."""
    get_database().write(orders.delete, get_caller(), order_id, expected)


@router.post("/<order_id>/submit", responses=_CHANGES)
@requires("orders:write")
def submit_order(order_id: UUID, expected: Precondition) -> Answer[OrderRead]:
    """Submit a draft."""
    return _tagged(get_database().write(orders.transition, get_caller(), order_id, "submitted", expected))


@router.post("/<order_id>/pay", responses=_CHANGES)
@requires("orders:write")
def pay_order(order_id: UUID, expected: Precondition) -> Answer[OrderRead]:
    """Mark a submitted order as paid."""
    return _tagged(get_database().write(orders.transition, get_caller(), order_id, "paid", expected))


@router.post("/<order_id>/ship", responses=_CHANGES)
@requires("orders:write")
def ship_order(order_id: UUID, expected: Precondition) -> Answer[OrderRead]:
    """Mark a paid order as shipped."""
    return _tagged(get_database().write(orders.transition, get_caller(), order_id, "shipped", expected))


@router.post("/<order_id>/cancel", responses=_CHANGES)
@requires("orders:write")
def cancel_order(order_id: UUID, expected: Precondition) -> Answer[OrderRead]:
    """Cancel an order that was not shipped."""
    return _tagged(get_database().write(orders.transition, get_caller(), order_id, "cancelled", expected))


def _tagged(order: orders.OrderDetails) -> Answer[OrderRead]:
    return OrderRead.of(order), {"ETag": etag(order.version)}
