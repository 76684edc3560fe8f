"""disabled users, proven addresses, idle sessions and tokens for one use"""

import sqlalchemy as sa
from alembic import op

from app.db import types
from app.db.migrations.chain import previous

revision = "0003_accounts"
down_revision = previous(__file__)
branch_labels = None
depends_on = None


def upgrade() -> None:
    # All may be null: the version before this one goes on to serve, and to write rows, while this runs.
    with op.batch_alter_table("users") as users:
        users.add_column(sa.Column("disabled_at", types.UTCDateTime(), nullable=True))
        users.add_column(sa.Column("email_proven_at", types.UTCDateTime(), nullable=True))
    with op.batch_alter_table("sessions") as sessions:
        sessions.add_column(sa.Column("last_used_at", types.UTCDateTime(), nullable=True))
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_table(
        "one_time_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", types.ExactText(length=16), nullable=False),
        sa.Column("token_hash", types.ExactText(length=64), nullable=False),
        sa.Column("created_at", types.UTCDateTime(), nullable=False),
        sa.Column("expires_at", types.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_one_time_tokens_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_one_time_tokens_token_hash")),
    )
    op.create_index("ix_one_time_tokens_user_id", "one_time_tokens", ["user_id"])


def downgrade() -> None:
    op.drop_table("one_time_tokens")
    op.drop_index("ix_sessions_expires_at", "sessions")
    with op.batch_alter_table("sessions") as sessions:
        sessions.drop_column("last_used_at")
    with op.batch_alter_table("users") as users:
        users.drop_column("email_proven_at")
        users.drop_column("disabled_at")
