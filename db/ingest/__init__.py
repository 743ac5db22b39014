"""Run folders into the warehouse: once, as they end, or packed."""
