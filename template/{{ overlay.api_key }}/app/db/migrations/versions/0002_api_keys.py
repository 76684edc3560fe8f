"""API keys"""

import sqlalchemy as sa
from alembic import op

from app.db import types
from app.db.migrations.chain import previous

revision = "0002_api_keys"
down_revision = previous(__file__)
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("prefix", types.ExactText(length=16), nullable=False),
        sa.Column("secret_hash", types.ExactText(length=64), nullable=False),
        sa.Column("owner", types.ExactText(length=128), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("created_at", types.UTCDateTime(), nullable=False),
        sa.Column("expires_at", types.UTCDateTime(), nullable=True),
        sa.Column("last_used_at", types.UTCDateTime(), nullable=True),
        sa.Column("revoked_at", types.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("prefix", name=op.f("uq_api_keys_prefix")),
    )
    op.create_index("ix_api_keys_created_at", "api_keys", ["created_at", "id"])


def downgrade() -> None:
    op.drop_table("api_keys")
