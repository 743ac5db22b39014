"""How well a predictor would rank that knew each architecture's expected accuracy."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "oracle_ceiling",
        sa.Column(
            "gt_key", sa.String(), nullable=False, comment="ground-truth key of the mean over the trials"
        ),
        sa.Column("mask", sa.String(), nullable=False, comment="operations removed"),
        sa.Column(
            "architecture_set",
            sa.String(),
            nullable=False,
            comment="as in set_definition, of all architectures",
        ),
        sa.Column("metric", sa.String(), nullable=False, comment="as in the view metric"),
        sa.Column(
            "mean", sa.Double(), nullable=False, comment="its mean over what the trials leave possible"
        ),
        sa.Column(
            "std",
            sa.Double(),
            nullable=False,
            comment="sample deviation over what is possible: how far a single oracle may be from the mean",
        ),
        sa.Column("draws", sa.SmallInteger(), nullable=False, comment="how many of these were drawn"),
        comment="How well a predictor would rank that knew the expected accuracy of each architecture: "
        "estimated from the trials of a mean, absent where there are none (docs/method.md)",
    )
