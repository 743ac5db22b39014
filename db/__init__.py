"""What is known: architectures, ground truth, predictions, and the metrics over them.

`db.open_warehouse("nasrank.duckdb").query("SELECT …")` gives a DataFrame.
"""

from db.warehouse import open_warehouse

__all__ = ["open_warehouse"]
