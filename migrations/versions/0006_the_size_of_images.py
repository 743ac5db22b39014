"""The size of images."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column(
        "experiment",
        sa.Column(
            "image_size",
            sa.Integer(),
            nullable=True,
            comment="pixels a side of the images as the network sees them; NULL where unknown",
        ),
    )
    # Whatever was trained before saw the images as they are; imported predictions have no dataset.
    op.execute("UPDATE experiment SET image_size = 32 WHERE dataset = 'cifar10'")
    op.execute("UPDATE experiment SET image_size = 8 WHERE dataset = 'digits'")
