"""Choices of priors."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "prior_choices",
        sa.Column("study_uid", sa.String(length=64), nullable=False),
        sa.Column("prior_uid", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=128), nullable=False),
        sa.Column("patient", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=200), nullable=False),
        sa.Column("prior_kind", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("study_uid", "prior_uid", "person", name=op.f("pk_prior_choices")),
    )
    op.create_index(op.f("ix_prior_choices_kind"), "prior_choices", ["kind"], unique=False)
    op.create_index(op.f("ix_prior_choices_patient"), "prior_choices", ["patient"], unique=False)
    op.create_index(op.f("ix_prior_choices_prior_uid"), "prior_choices", ["prior_uid"], unique=False)


def downgrade() -> None:
    """Take it back."""
    op.drop_index(op.f("ix_prior_choices_prior_uid"), table_name="prior_choices")
    op.drop_index(op.f("ix_prior_choices_patient"), table_name="prior_choices")
    op.drop_index(op.f("ix_prior_choices_kind"), table_name="prior_choices")
    op.drop_table("prior_choices")
