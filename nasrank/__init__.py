"""Does a super-network rank architectures correctly? Experiments, ground truth, metrics: one DuckDB file.

`nasrank.open_warehouse("nasrank.duckdb").query("SELECT …")` gives a DataFrame. docs/python.md has every name.
Names load when they are used: `import nasrank` alone imports no dependency.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nasrank.db.benchmarks import read_benchmark as read_benchmark
    from nasrank.db.errors import NasrankError as NasrankError
    from nasrank.db.ingest.folders import ingest as ingest
    from nasrank.db.ingest.packed import load_results as load_results
    from nasrank.db.predictions.importing import import_predictions as import_predictions
    from nasrank.db.predictions.reading import PredictionOptions as PredictionOptions
    from nasrank.db.runs.reader import run_folders as run_folders
    from nasrank.db.warehouse.file import Warehouse as Warehouse
    from nasrank.db.warehouse.file import open_warehouse as open_warehouse
    from nasrank.db.warehouse.ground_truth import choose_architectures as choose_architectures
    from nasrank.db.warehouse.ground_truth import import_benchmark as import_benchmark
    from nasrank.db.warehouse.seed import create_warehouse as create_warehouse
    from nasrank.trainer.config import ExperimentConfig as ExperimentConfig
    from nasrank.trainer.evaluation.evaluator import EvaluationOptions as EvaluationOptions
    from nasrank.trainer.images.datasets import prepare_dataset as prepare_dataset
    from nasrank.trainer.run import Compute as Compute
    from nasrank.trainer.run import RunPaths as RunPaths
    from nasrank.trainer.run import RunResult as RunResult
    from nasrank.trainer.run import RunSpec as RunSpec
    from nasrank.trainer.run import run_experiment as run_experiment

    __version__: str

# name -> the module that has it, as above
_MODULES = {
    "Compute": "nasrank.trainer.run",
    "EvaluationOptions": "nasrank.trainer.evaluation.evaluator",
    "ExperimentConfig": "nasrank.trainer.config",
    "NasrankError": "nasrank.db.errors",
    "PredictionOptions": "nasrank.db.predictions.reading",
    "RunPaths": "nasrank.trainer.run",
    "RunResult": "nasrank.trainer.run",
    "RunSpec": "nasrank.trainer.run",
    "Warehouse": "nasrank.db.warehouse.file",
    "choose_architectures": "nasrank.db.warehouse.ground_truth",
    "create_warehouse": "nasrank.db.warehouse.seed",
    "import_benchmark": "nasrank.db.warehouse.ground_truth",
    "import_predictions": "nasrank.db.predictions.importing",
    "ingest": "nasrank.db.ingest.folders",
    "load_results": "nasrank.db.ingest.packed",
    "open_warehouse": "nasrank.db.warehouse.file",
    "prepare_dataset": "nasrank.trainer.images.datasets",
    "read_benchmark": "nasrank.db.benchmarks",
    "run_experiment": "nasrank.trainer.run",
    "run_folders": "nasrank.db.runs.reader",
}

__all__ = ["__version__", *_MODULES]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("nasrank")
    if name in _MODULES:
        from importlib import import_module

        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module 'nasrank' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
