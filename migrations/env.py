"""Runs revisions on the connection that the caller gives (`db/warehouse`, tests, `scripts/revision.py`)."""

import duckdb_sqlalchemy.alembic_impl  # noqa: F401  (registers DuckDB with Alembic)
from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes.get("target_metadata"),
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
