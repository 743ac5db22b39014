"""Files of ground truth, read and checked: one importer a format, one registry."""

from nasrank.db.benchmarks.benchmark import Benchmark
from nasrank.db.benchmarks.registry import Importer, find_importer, list_importers, read_benchmark

__all__ = ["Benchmark", "Importer", "find_importer", "list_importers", "read_benchmark"]
