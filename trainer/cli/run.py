"""The command that trains, predicts and ingests one run: run.

PyTorch takes seconds to import, so it is imported when the command runs.
"""

from __future__ import annotations

from typing import Annotated

import typer

from nasrank.db.errors import NasrankError
from nasrank.db.ingest.folders import ingest
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.ground_truth import choose_architectures
from nasrank.db.warehouse.selection import select_architectures
from nasrank.trainer.cli.ingest import report_ingest
from nasrank.trainer.cli.options import DATA, RUNS, WAREHOUSE, DataOption, RunsOption, WarehouseOption
from nasrank.trainer.messages import say, say_waiting


def run(
    dataset: Annotated[str, typer.Option(help="cifar10 or digits.")] = "cifar10",
    size: Annotated[
        str,
        typer.Option(
            help="tiny (1 cell a stage, 8 channels), S (2, 32), M (4, 64), S-wide (2, 96), depth-1 (1, 32), "
            "depth-3 (3, 48) or depth-5 (5, 64)."
        ),
    ] = "S",
    preset: Annotated[
        str,
        typer.Option(
            help="How to read what the paper leaves open: paper (its text), uninas (its authors' code) or "
            "nb201 (as the benchmark's networks). Options given beside it win."
        ),
    ] = "paper",
    variant: Annotated[
        str,
        typer.Option(
            help="baseline, not-shared, uniform-sampling, warmup, grad-clipping or regularized; several are "
            "joined by +. Options given beside it win."
        ),
    ] = "baseline",
    mask: Annotated[
        str, typer.Option(help="Operations to remove, such as Zero+Pool; none for none.")
    ] = "none",
    lt: Annotated[
        str, typer.Option(help="Operations with a linear transformer: Skip, Pool, Skip+Pool or none.")
    ] = "none",
    seed: Annotated[int, typer.Option(min=0, help="Of weights, shuffling, augmentation and paths.")] = 0,
    ground_truth: Annotated[
        list[str] | None,
        typer.Option(help="Key whose top-N to predict; may be repeated. Default: cifar10-valid/valid@200."),
    ] = None,
    bn_mode: Annotated[
        list[str] | None,
        typer.Option(
            help="BatchNorm statistics to predict with: running, batch or recalibrated; may be repeated. "
            "Default: running, with nb201 batch."
        ),
    ] = None,
    recalibration_batches: Annotated[
        int, typer.Option(help="Batches of training images for each architecture, for recalibrated.")
    ] = 10,
    evaluate: Annotated[
        list[str] | None,
        typer.Option(
            help="Architectures to predict beside the top-N and the random sample: all that the mask "
            "leaves, a file with one a line (index, digits, string or tuples), or a query of the warehouse, "
            "in which $mask stands for the mask; may be repeated."
        ),
    ] = None,
    evaluate_every: Annotated[
        int | None, typer.Option(help="Predict every so many epochs, too. Default: only at the end.")
    ] = None,
    evaluate_sample: Annotated[
        int,
        typer.Option(help="How many architectures of the random sample then; τ is known where all are."),
    ] = 1_000,
    evaluation_precision: Annotated[
        str, typer.Option(help="Of features and weights in evaluation: float32 or bfloat16.")
    ] = "float32",
    evaluation_memory: Annotated[
        int | None,
        typer.Option(help="Megabytes for the features of a batch. Default: a quarter of what is free."),
    ] = None,
    epochs: Annotated[int, typer.Option(help="Passes over the training images.")] = 250,
    batch_size: Annotated[int, typer.Option(help="Images a step.")] = 256,
    learning_rate: Annotated[
        float, typer.Option(help="Of the first epoch, or the last of a warm-up.")
    ] = 0.025,
    final_learning_rate: Annotated[float, typer.Option(help="Where the cosine ends.")] = 1e-5,
    warmup_epochs: Annotated[
        int | None, typer.Option(help="Epochs of a linear rise before the cosine. Default: 0.")
    ] = None,
    momentum: Annotated[float, typer.Option(help="Of SGD.")] = 0.9,
    weight_decay: Annotated[float, typer.Option(help="Of all but BatchNorm.")] = 3e-4,
    grad_clip_norm: Annotated[
        float | None, typer.Option(help="L2 norm that gradients are clipped to. Default: not clipped.")
    ] = None,
    grad_clip_scope: Annotated[
        str | None,
        typer.Option(help="Whose norm: global, or parameter-group for each. Default: global."),
    ] = None,
    path_sampling: Annotated[
        str | None, typer.Option(help="strictly-fair or uniform. Default: strictly-fair.")
    ] = None,
    topology_shared: Annotated[
        bool | None,
        typer.Option(
            "--topology-shared/--topology-not-shared", help="All cells train the same path. Default: shared."
        ),
    ] = None,
    gradient_batches: Annotated[
        str | None,
        typer.Option(
            help="Batches whose gradients strictly-fair sums: successive, or the same. Default: successive."
        ),
    ] = None,
    augmentation: Annotated[
        str | None, typer.Option(help="standard, or autoaugment in addition. Default: standard.")
    ] = None,
    label_smoothing: Annotated[float | None, typer.Option(help="Of the loss. Default: 0.")] = None,
    precision: Annotated[
        str | None,
        typer.Option(
            help="Of training: float32, or bfloat16 by autocast, which is slower on processors without "
            "instructions for it (doctor says). Default: float32."
        ),
    ] = None,
    train_images: Annotated[
        int | None, typer.Option(help="Images to train on. Default: all that validation leaves.")
    ] = None,
    valid_images: Annotated[
        int | None, typer.Option(help="Images to withhold. Default: 5000 of cifar10, 500 of digits.")
    ] = None,
    split_seed: Annotated[
        str | None,
        typer.Option(help="Chooses the validation images; run: the run's seed does. Default: 0."),
    ] = None,
    image_size: Annotated[
        int | None,
        typer.Option(
            help="Pixels a side that images are averaged to: 8, 16 or 32 for cifar10, 8 for digits. "
            "Default: as they are."
        ),
    ] = None,
    max_shift: Annotated[
        int | None,
        typer.Option(
            help="Pixels to shift by at most. Default: 4 for cifar10, less for a smaller --image-size; "
            "1 for digits."
        ),
    ] = None,
    horizontal_flip: Annotated[
        bool | None,
        typer.Option("--flip/--no-flip", help="Mirror images at random. Default: cifar10 yes, digits no."),
    ] = None,
    cells_per_stage: Annotated[int | None, typer.Option(help="Instead of the size's.")] = None,
    channels: Annotated[int | None, typer.Option(help="Of the first stage, instead of the size's.")] = None,
    node_inputs: Annotated[
        str | None, typer.Option(help="How a node joins its inputs: mean or sum. Default: mean.")
    ] = None,
    pool_counts_padding: Annotated[
        bool | None,
        typer.Option(
            "--pool-counts-padding/--pool-ignores-padding",
            help="Zeros at the border count in Pool. Default: they do.",
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    threads: Annotated[int | None, typer.Option(help="Of PyTorch on the CPU. Default: PyTorch's.")] = None,
    ingest_run: Annotated[
        bool, typer.Option("--ingest/--no-ingest", help="Bring the finished run into the warehouse.")
    ] = True,
    warehouse: WarehouseOption = WAREHOUSE,
    runs: RunsOption = RUNS,
    data_dir: DataOption = DATA,
) -> None:
    """Train, predict and ingest one run.

    The super-network is trained, predicts the accuracy of the architectures in all top-N and in the random
    sample, and the run is brought into the warehouse. The defaults are the paper's. The same command
    continues a run that was interrupted or killed, adds predictions for further --ground-truth keys,
    --bn-mode and --evaluate, and does nothing where all is there.

    \b
    Example: nasrank-train run --dataset digits --size tiny --mask Zero+Pool --seed 1 --epochs 20
    """
    from nasrank.trainer.config import PRESETS, ExperimentConfig, run_id, variant_changes
    from nasrank.trainer.evaluation.evaluator import EvaluationOptions
    from nasrank.trainer.run import Compute, RunPaths, RunSpec, run_experiment
    from nasrank.trainer.training.training import Diverged

    given = {
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "final_learning_rate": final_learning_rate,
        "warmup_epochs": warmup_epochs,
        "momentum": momentum,
        "weight_decay": weight_decay,
        "grad_clip_norm": grad_clip_norm,
        "grad_clip_scope": grad_clip_scope,
        "path_sampling": path_sampling,
        "topology_shared": topology_shared,
        "gradient_batches": gradient_batches,
        "augmentation": augmentation,
        "label_smoothing": label_smoothing,
        "precision": precision,
        "train_images": train_images,
        "valid_images": valid_images,
        "split_seed": int(split_seed) if split_seed and split_seed.isdecimal() else split_seed,
        "image_size": image_size,
        "max_shift": max_shift,
        "horizontal_flip": horizontal_flip,
        "cells_per_stage": cells_per_stage,
        "channels": channels,
        "node_inputs": node_inputs,
        "pool_counts_padding": pool_counts_padding,
    }
    try:
        changes = variant_changes(variant) | {k: v for k, v in given.items() if v is not None}
        config = ExperimentConfig.preset(dataset, size, preset, mask=mask, lt=lt, **changes)
        evaluation = EvaluationOptions(
            bn_modes=tuple(bn_mode or PRESETS[preset].bn_modes),
            recalibration_batches=recalibration_batches,
            every=evaluate_every,
            sample=evaluate_sample,
            architectures="all" if "all" in (evaluate or ()) else "sets",
            precision=evaluation_precision,
            memory_mb=evaluation_memory,
        )
    except NasrankError as error:
        raise typer.BadParameter(str(error)) from error
    target = Warehouse(warehouse)
    keys, arch_ids = choose_architectures(target, config.mask_set, ground_truth or ())
    for text in evaluate or ():
        if text != "all":
            arch_ids += select_architectures(target, text, config.mask_set)
    folder = runs / run_id(config, seed)
    try:
        result = run_experiment(
            RunSpec(
                config=config,
                seed=seed,
                arch_ids=arch_ids,
                ground_truth_keys=[str(key) for key in keys],
                evaluation=evaluation,
            ),
            RunPaths(runs_dir=runs, data_dir=data_dir),
            Compute(device=device, threads=threads),
        )
    except Diverged:
        if ingest_run:  # that it diverged is a result, too
            report_ingest(ingest(target, [folder], say_waiting))
        raise
    say(f"{result.run_id} {'was finished already' if result.already_finished else 'is finished'}")
    if ingest_run:
        report_ingest(ingest(target, [folder], say_waiting))
