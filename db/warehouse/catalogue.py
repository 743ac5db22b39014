"""What the warehouse says of itself: views, tables, columns and macros with their comments.

Each is one statement that `Warehouse.query` answers with a row an entry.
"""

from __future__ import annotations

from typing import Final

RELATIONS: Final = """
    SELECT 'view' AS kind, view_name AS name, comment FROM duckdb_views() WHERE NOT internal
    UNION ALL
    SELECT 'table', table_name, comment FROM duckdb_tables()
    WHERE NOT internal AND table_name <> 'alembic_version'
    ORDER BY kind DESC, name"""

COLUMNS: Final = """
    SELECT table_name AS name, column_name, data_type, comment
    FROM duckdb_columns() WHERE NOT internal ORDER BY table_name, column_index"""

# `parameters` is a list of names; `is_table`: the macro gives rows, not a value.
MACROS: Final = """
    SELECT function_name AS name, parameters, function_type = 'table_macro' AS is_table, comment
    FROM duckdb_functions()
    WHERE NOT internal AND function_type IN ('macro', 'table_macro') ORDER BY name"""
