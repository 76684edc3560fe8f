"""orders and their items"""

import sqlalchemy as sa
from alembic import op

from app.db import types
from app.db.migrations.chain import previous

revision = "0001_orders"
down_revision = previous(__file__)
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_orders_owner_created_at": ["owner", "live", "created_at", "id"],
    "ix_orders_owner_updated_at": ["owner", "live", "updated_at", "id"],
    "ix_orders_owner_total": ["owner", "live", "total", "id"],
    "ix_orders_owner_reference": ["owner", "live", "reference", "id"],
    "ix_orders_owner_status": ["owner", "live", "status", "created_at", "id"],
    "ix_orders_owner_customer_email": ["owner", "live", "customer_email", "created_at", "id"],
    "ix_orders_owner_currency": ["owner", "live", "currency", "created_at", "id"],
    "ix_orders_created_at": ["live", "created_at", "id"],
    "ix_orders_updated_at": ["live", "updated_at", "id"],
    "ix_orders_total": ["live", "total", "id"],
    "ix_orders_reference": ["live", "reference", "id"],
    "ix_orders_customer_email": ["live", "customer_email", "created_at", "id"],
}


def upgrade() -> None:
    op.create_table(
        "orders",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner", types.ExactText(length=128), nullable=False),
        sa.Column("reference", types.ExactText(length=64), nullable=False),
        sa.Column("status", types.ExactText(length=16), nullable=False),
        sa.Column("customer_email", types.ExactText(length=254), nullable=False),
        sa.Column("currency", types.ExactText(length=3), nullable=False),
        sa.Column("note", types.ExactText(length=500), nullable=True),
        sa.Column("total", types.Money(), nullable=False),
        sa.Column("item_count", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", types.UTCDateTime(), nullable=True),
        sa.Column("live", sa.SmallInteger(), nullable=True),
        sa.Column("created_at", types.UTCDateTime(), nullable=False),
        sa.Column("updated_at", types.UTCDateTime(), nullable=False),
        sa.CheckConstraint("(live IS NULL) = (deleted_at IS NOT NULL)", name=op.f("ck_orders_live")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("owner", "reference", "live", name="uq_orders_reference"),
    )
    for name, columns in _INDEXES.items():
        op.create_index(name, "orders", columns)
    op.create_table(
        "order_items",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("sku", types.ExactText(length=64), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit_price", types.Money(), nullable=False),
        sa.Column("created_at", types.UTCDateTime(), nullable=False),
        sa.Column("updated_at", types.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_items_order_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_items")),
        sa.UniqueConstraint("order_id", "position", name=op.f("uq_order_items_order_id_position")),
    )


def downgrade() -> None:
    op.drop_table("order_items")
    op.drop_table("orders")
