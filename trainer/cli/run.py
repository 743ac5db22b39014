"""The command that trains, predicts and ingests one run: run.

PyTorch takes seconds to import, so it is imported when the command runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nasrank.db.errors import NasrankError
from nasrank.db.ingest.folders import ingest
from nasrank.db.nb201.architectures import OperationSet
from nasrank.db.runs.configuration import EXPERIMENT
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.ground_truth import choose_architectures
from nasrank.db.warehouse.selection import select_architectures
from nasrank.trainer.cli.ingest import report_ingest
from nasrank.trainer.cli.options import Places
from nasrank.trainer.cli.parameters import expanded
from nasrank.trainer.config import ExperimentConfig, bn_modes_of, run_id, variant_changes
from nasrank.trainer.messages import say, say_waiting

if TYPE_CHECKING:  # it imports PyTorch
    from nasrank.trainer.evaluation.evaluator import EvaluationOptions

_experiment = partial(typer.Option, rich_help_panel=EXPERIMENT)
_evaluation = partial(typer.Option, rich_help_panel="Evaluation")
_execution = partial(typer.Option, rich_help_panel="Execution")


@dataclass(frozen=True)
class NameArguments:
    """Names for several training options at once, and the seed."""

    size: Annotated[
        str,
        _experiment(
            help="tiny (1 cell a stage, 8 channels), S (2, 32), M (4, 64), S-wide (2, 96), depth-1 (1, 32), "
            "depth-3 (3, 48) or depth-5 (5, 64)."
        ),
    ] = "S"
    preset: Annotated[
        str,
        _experiment(
            help="How to read what the paper leaves open: paper (its text), uninas (its authors' code) or "
            "nb201 (as the benchmark's networks). Options given beside it win."
        ),
    ] = "paper"
    variant: Annotated[
        str,
        _experiment(
            help="baseline, not-shared, uniform-sampling, warmup, grad-clipping or regularized; several are "
            "joined by +. Options given beside it win."
        ),
    ] = "baseline"
    seed: Annotated[int, _experiment(min=0, help="Of weights, shuffling, augmentation and paths.")] = 0


@dataclass(frozen=True)
class EvaluationArguments:
    """Which architectures are predicted, and how."""

    ground_truth: Annotated[
        list[str] | None,
        _evaluation(help="Key whose top-N to predict; may be repeated. Default: cifar10-valid/valid@200."),
    ] = None
    bn_mode: Annotated[
        list[str] | None,
        _evaluation(
            help="BatchNorm statistics to predict with: running, batch or recalibrated; may be repeated. "
            "Default: running, with nb201 or --epochs 0 batch."
        ),
    ] = None
    recalibration_batches: Annotated[
        int, _evaluation(help="Batches of training images for each architecture, for recalibrated.")
    ] = 10
    evaluate: Annotated[
        list[str] | None,
        _evaluation(
            help="Architectures to predict beside the top-N and the random sample: all that the mask "
            "leaves, a file with one a line (index, digits, string or tuples), or a query of the warehouse, "
            "in which $mask stands for the mask; may be repeated."
        ),
    ] = None
    evaluate_every: Annotated[
        int | None, _evaluation(help="Predict every so many epochs, too. Default: only at the end.")
    ] = None
    evaluate_sample: Annotated[
        int,
        _evaluation(help="How many architectures of the random sample then; τ is known where all are."),
    ] = 1_000
    evaluation_precision: Annotated[
        str, _evaluation(help="Of features and weights in evaluation: float32 or bfloat16.")
    ] = "float32"
    evaluation_memory: Annotated[
        int | None,
        _evaluation(help="Megabytes for the features of a batch. Default: a quarter of what is free."),
    ] = None

    def options(self, config: ExperimentConfig, preset: str) -> EvaluationOptions:
        """Raises `NasrankError` for a value that is not allowed."""
        from nasrank.trainer.evaluation.evaluator import EvaluationOptions

        return EvaluationOptions(
            bn_modes=bn_modes_of(config, preset, self.bn_mode or ()),
            recalibration_batches=self.recalibration_batches,
            every=self.evaluate_every,
            sample=self.evaluate_sample,
            architectures="all" if "all" in (self.evaluate or ()) else "sets",
            precision=self.evaluation_precision,
            memory_mb=self.evaluation_memory,
        )

    def architectures(self, warehouse: Warehouse, mask: OperationSet) -> tuple[list[str], list[int]]:
        """The keys of ground truth, and what is predicted for them and for `--evaluate`."""
        keys, arch_ids = choose_architectures(warehouse, mask, self.ground_truth or ())
        for text in self.evaluate or ():
            if text != "all":
                arch_ids += select_architectures(warehouse, text, mask)
        return [str(key) for key in keys], arch_ids


@dataclass(frozen=True)
class ExecutionArguments:
    """Where a run is computed."""

    device: Annotated[str, _execution(help="auto, cpu or cuda.")] = "auto"
    threads: Annotated[int | None, _execution(help="Of PyTorch on the CPU. Default: PyTorch's.")] = None
    ingest_run: Annotated[
        bool, _execution("--ingest/--no-ingest", help="Bring the finished run into the warehouse.")
    ] = True


@expanded
def run(
    names: NameArguments,
    evaluation: EvaluationArguments,
    execution: ExecutionArguments,
    places: Places,
    **training_options: Any,
) -> None:
    """Train, predict and ingest one run.

    The super-network is trained, predicts the accuracy of the architectures in all top-N and in the random
    sample, and the run is brought into the warehouse. The defaults are the paper's. The same command
    continues a run that was interrupted or killed, adds predictions for further --ground-truth keys,
    --bn-mode and --evaluate, and does nothing where all is there.

    \b
    Example: nasrank-train run --dataset digits --size tiny --mask Zero+Pool --seed 1 --epochs 20
    """
    from nasrank.trainer.run import Compute, RunPaths, RunSpec, run_experiment
    from nasrank.trainer.training.training import Diverged

    try:
        changes = variant_changes(names.variant) | training_options
        config = ExperimentConfig.preset(size=names.size, preset=names.preset, **changes)
        options = evaluation.options(config, names.preset)
    except NasrankError as error:
        raise typer.BadParameter(str(error)) from error
    target = Warehouse(places.warehouse)
    keys, arch_ids = evaluation.architectures(target, config.mask_set)
    folder = places.runs / run_id(config, names.seed)
    try:
        result = run_experiment(
            RunSpec(
                config=config,
                seed=names.seed,
                arch_ids=arch_ids,
                ground_truth_keys=keys,
                evaluation=options,
            ),
            RunPaths(runs_dir=places.runs, data_dir=places.data_dir),
            Compute(device=execution.device, threads=execution.threads),
        )
    except Diverged:
        if execution.ingest_run:  # that it diverged is a result, too
            report_ingest(ingest(target, [folder], say_waiting))
        raise
    say(f"{result.run_id} {'was finished already' if result.already_finished else 'is finished'}")
    if execution.ingest_run:
        report_ingest(ingest(target, [folder], say_waiting))
