"""What is known: architectures, ground truth, predictions, and the metrics over them.

`db.open_warehouse("nasrank.duckdb").query("SELECT …")` gives a DataFrame.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from db.warehouse import open_warehouse

__all__ = ["open_warehouse"]


def __getattr__(name: str) -> Any:
    # Late, because the processes that read benchmarks need none of what the warehouse needs.
    if name == "open_warehouse":
        from db.warehouse import open_warehouse

        return open_warehouse
    raise AttributeError(f"module 'db' has no attribute {name!r}")
