"""What persons said of lesions over time."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    ids = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.create_table(
        "lesion_statements",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("patient", sa.String(length=32), nullable=False),
        sa.Column("identity", sa.String(length=16), nullable=False),
        sa.Column("earlier", ids, nullable=False),
        sa.Column("later", ids, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("by_name", sa.String(length=128), nullable=False),
        sa.Column("replaced_by", sa.String(length=32)),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True)),
        sa.Column("withdrawn_by", sa.String(length=64)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lesion_statements")),
    )
    op.create_index(op.f("ix_lesion_statements_patient"), "lesion_statements", ["patient"], unique=False)


def downgrade() -> None:
    """Take it back."""
    op.drop_index(op.f("ix_lesion_statements_patient"), table_name="lesion_statements")
    op.drop_table("lesion_statements")
