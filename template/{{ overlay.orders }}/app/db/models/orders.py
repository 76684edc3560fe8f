"""Orders and their items."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.models.base import Base, Identified, Timestamps
from app.db.types import ExactText, Money


class Order(Identified, Timestamps, Base):
    """An order. Deleting one sets `deleted_at` and clears `live`, which frees its reference."""

    __tablename__ = "orders"

    owner: Mapped[str] = mapped_column(ExactText(128))
    reference: Mapped[str] = mapped_column(ExactText(64))
    status: Mapped[str] = mapped_column(ExactText(16))
    customer_email: Mapped[str] = mapped_column(ExactText(254))
    currency: Mapped[str] = mapped_column(ExactText(3))
    note: Mapped[str | None] = mapped_column(ExactText(500))
    # Kept here, so that lists need not read items.
    total: Mapped[Decimal] = mapped_column(Money)
    item_count: Mapped[int]
    version: Mapped[int] = mapped_column(default=1)
    deleted_at: Mapped[datetime | None]
    # 1, and NULL once deleted: no database lets NULLs collide in a unique index, and not all have partial ones.
    live: Mapped[int | None] = mapped_column(SmallInteger, default=1)

    items: Mapped[list["OrderItem"]] = relationship(
        back_populates="order", order_by="OrderItem.position", cascade="all, delete-orphan", lazy="raise_on_sql"
    )

    # Every sort and filter of the list has an index that ends in the order of the page.
    __table_args__ = (
        UniqueConstraint("owner", "reference", "live", name="uq_orders_reference"),
        CheckConstraint("(live IS NULL) = (deleted_at IS NOT NULL)", name="live"),
        Index("ix_orders_owner_created_at", "owner", "live", "created_at", "id"),
        Index("ix_orders_owner_updated_at", "owner", "live", "updated_at", "id"),
        Index("ix_orders_owner_total", "owner", "live", "total", "id"),
        Index("ix_orders_owner_reference", "owner", "live", "reference", "id"),
        Index("ix_orders_owner_status", "owner", "live", "status", "created_at", "id"),
        Index("ix_orders_owner_customer_email", "owner", "live", "customer_email", "created_at", "id"),
        Index("ix_orders_owner_currency", "owner", "live", "currency", "created_at", "id"),
        # For admins, who list the orders of all owners.
        Index("ix_orders_created_at", "live", "created_at", "id"),
        Index("ix_orders_updated_at", "live", "updated_at", "id"),
        Index("ix_orders_total", "live", "total", "id"),
        Index("ix_orders_reference", "live", "reference", "id"),
        Index("ix_orders_customer_email", "live", "customer_email", "created_at", "id"),
    )


class OrderItem(Identified, Timestamps, Base):
    """One line of an order; `position` keeps the order in which the client sent them."""

    __tablename__ = "order_items"

    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(SmallInteger)
    sku: Mapped[str] = mapped_column(ExactText(64))
    quantity: Mapped[int]
    unit_price: Mapped[Decimal] = mapped_column(Money)

    order: Mapped[Order] = relationship(back_populates="items", lazy="raise_on_sql")

    __table_args__ = (UniqueConstraint("order_id", "position"),)
