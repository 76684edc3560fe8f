"""Orders in their second version."""

from http import HTTPStatus
from uuid import UUID

from app.api.deps import get_caller, get_database
from app.api.routing import Router
from app.auth.policy import requires
from app.core.preconditions import Precondition
from app.http.openapi import errors
from app.schemas.orders_v2 import OrderCreateV2, OrderPageV2, OrderQueryV2, OrderReadV2, OrderUpdateV2
from app.services import order_lists, orders

router = Router("orders-v2", url_prefix="/v2/orders")


@router.post("", status=HTTPStatus.CREATED, responses=errors(409))
@requires("orders:write")
def create_order_v2(body: OrderCreateV2) -> OrderReadV2:
    """Create an order, as a draft."""
    return OrderReadV2.of(get_database().write(orders.create, get_caller(), body.to(orders.OrderContent)))


@router.get("")
@requires("orders:read")
def list_orders_v2(query: OrderQueryV2) -> OrderPageV2:
    """List the caller's orders, newest first."""
    return get_database().read(order_lists.list_orders, get_caller(), query)


@router.get("/<order_id>", responses=errors(404))
@requires("orders:read")
def get_order_v2(order_id: UUID) -> OrderReadV2:
    """Get an order."""
    return OrderReadV2.of(get_database().read(orders.get, get_caller(), order_id))


@router.patch("/<order_id>", responses=errors(404, 409))
@requires("orders:write")
def update_order_v2(order_id: UUID, body: OrderUpdateV2, expected: Precondition) -> OrderReadV2:
    """Change the fields that are sent."""
    changes = body.to(orders.OrderChanges)
    return OrderReadV2.of(get_database().write(orders.update, get_caller(), order_id, changes, expected))
