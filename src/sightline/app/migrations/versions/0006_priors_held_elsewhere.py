"""Priors held elsewhere."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "prior_finds",
        sa.Column("study_uid", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("prior_uid", sa.String(length=64), nullable=False),
        sa.Column("who", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("date", sa.String(length=8), nullable=False),
        sa.Column("time", sa.String(length=16), nullable=False),
        sa.Column("modality", sa.String(length=64), nullable=False),
        sa.Column("exam", sa.Text(), nullable=False),
        sa.Column("images", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("transfer", sa.String(length=32), nullable=False),
        sa.Column("taken", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("study_uid", "source", "prior_uid", name=op.f("pk_prior_finds")),
    )
    op.create_index(op.f("ix_prior_finds_prior_uid"), "prior_finds", ["prior_uid"], unique=False)
    op.create_table(
        "prior_searches",
        sa.Column("study_uid", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("trigger", sa.String(length=16), nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("study_uid", "source", name=op.f("pk_prior_searches")),
    )
    op.create_index("ix_prior_searches_due", "prior_searches", ["source", "due_at"], unique=False)
    op.add_column(
        "peers", sa.Column("retrieve_by", sa.String(length=8), server_default="get", nullable=False)
    )
    op.add_column("peers", sa.Column("priors", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column(
        "transfer_servers", sa.Column("priors", sa.Boolean(), server_default=sa.false(), nullable=False)
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_column("transfer_servers", "priors")
    op.drop_column("peers", "priors")
    op.drop_column("peers", "retrieve_by")
    op.drop_index("ix_prior_searches_due", table_name="prior_searches")
    op.drop_table("prior_searches")
    op.drop_index(op.f("ix_prior_finds_prior_uid"), table_name="prior_finds")
    op.drop_table("prior_finds")
