"""Trains S by the paper's recipe until it has ended or SIGINT comes, and prints how it stands as JSON."""

import json
from pathlib import Path
from typing import Annotated

import typer

from nasrank.db.runs.folder import RunFolder
from nasrank.trainer.config import ExperimentConfig
from nasrank.trainer.evaluation.evaluator import random_sample
from nasrank.trainer.images.datasets import prepare_dataset
from nasrank.trainer.run import Compute, RunPaths, RunSpec, run_experiment
from nasrank.trainer.stopping import Interrupted

SEED = 0


def train(
    runs: Annotated[Path, typer.Option(help="Folder of runs; what is there goes on.")],
    prepared: Annotated[Path, typer.Option(help="Folder for the prepared images.")],
    data: Annotated[Path | None, typer.Option(help="CIFAR-10 as someone has it.")] = None,
    digits: Annotated[bool, typer.Option(help="A tiny network on digits, on the CPU.")] = False,
) -> None:
    config = ExperimentConfig.preset("cifar10", "S", "paper")
    sample, device = 1_000, "cuda"
    if digits:
        config = ExperimentConfig.preset(
            "digits", "tiny", channels=2, batch_size=64, train_images=256, epochs=2_000
        )
        sample, device = 5, "cpu"
    elif data is not None and not (prepared / "cifar10.npz").exists():
        prepare_dataset("cifar10", prepared, source=data)
    spec = RunSpec(config=config, seed=SEED, arch_ids=random_sample(config.operations, sample))
    try:
        run_experiment(spec, RunPaths(runs_dir=runs, data_dir=prepared), Compute(device=device))
    except Interrupted as interrupted:
        typer.echo(str(interrupted), err=True)
    folder = RunFolder(runs / spec.run_id)
    status = folder.read_status()
    assert status is not None
    print(
        json.dumps(
            {
                "run_id": status.run_id,
                "status": status.status,
                "epoch": status.epoch,
                "epochs": status.epochs,
                "seconds_training": status.seconds_training,
                "seconds_evaluation": status.seconds_evaluation,
                "images_per_second": status.images_per_second,
                "dataset_origin": status.dataset_origin,
                "predictions": len(folder.read_predictions(config.epochs, "running")),
            }
        )
    )


if __name__ == "__main__":
    typer.run(train)
