"""The DuckDB file, which only this room opens: its tables, what follows from them, and its ground truth."""
