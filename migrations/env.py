"""Runs revisions on the connection that the caller gives, or on the file of `-x warehouse=PATH`."""

import duckdb_sqlalchemy.alembic_impl  # noqa: F401  (registers DuckDB with Alembic)
from alembic import context
from sqlalchemy import URL, create_engine, pool

config = context.config


def run(connection):
    """Run the revisions in the connection's transaction, or in one of their own."""
    context.configure(
        connection=connection,
        target_metadata=config.attributes.get("target_metadata"),
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


if "connection" in config.attributes:
    run(config.attributes["connection"])
else:
    path = context.get_x_argument(as_dictionary=True)["warehouse"]
    with create_engine(URL.create("duckdb", database=path), poolclass=pool.NullPool).connect() as connection:
        run(connection)
