"""Alembic revisions of the warehouse's tables, each with its own frozen tables."""
