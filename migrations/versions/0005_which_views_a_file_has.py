"""Which views a file has."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "view_text",
        sa.Column(
            "sha256", sa.String(), nullable=False, comment="of their SQL in the nasrank that made them"
        ),
        comment="The version of the views and macros in this file, one row",
    )
