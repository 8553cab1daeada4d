"""Hanging protocols."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "hanging_protocols",
        sa.Column("owner", sa.String(length=8), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("protocol", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("owner", "holder", "id", name=op.f("pk_hanging_protocols")),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("hanging_protocols")
