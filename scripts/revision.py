#!/usr/bin/env python3
"""Writes the next Alembic revision from what db/warehouse/models.py has and the revisions lack.

usage: .venv/bin/python scripts/revision.py "What changes"
Read what it wrote before you commit it, and set SCHEMA_REVISION in db/warehouse/models.py to its number.
"""

import sys
from pathlib import Path

import alembic.command
import alembic.config
import duckdb_sqlalchemy  # noqa: F401  (registers the dialect)
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from nasrank.db.warehouse.models import Base

MIGRATIONS = Path(__file__).resolve().parents[1] / "migrations"


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    with sa.create_engine("duckdb:///:memory:").connect() as connection:
        config = alembic.config.Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        config.attributes["target_metadata"] = Base.metadata
        head = ScriptDirectory.from_config(config).get_current_head()
        if head is not None:
            alembic.command.upgrade(config, head)
        number = f"{int(head or 0) + 1:04}"
        alembic.command.revision(config, message=sys.argv[1], autogenerate=True, rev_id=number)
    return 0


if __name__ == "__main__":
    sys.exit(main())
