#!/usr/bin/env python3
"""Measures how many runs are best trained at a time on this machine: what to give `study run --jobs`.

Each run is a process of its own, as in a study, with its share of the CPU's threads; all have the same GPU if
there is one. They train during the same seconds, and what they train is added up.
"""

import json
import multiprocessing
import time
from multiprocessing.connection import Connection
from typing import Annotated, Any

import torch
import typer
from bench_training import Ours, some_images
from benchmarking import spread

from nasrank.trainer.config import ExperimentConfig
from nasrank.trainer.environment import choose_device, device_description
from nasrank.trainer.studies.plan import share_of_threads
from nasrank.trainer.training.recording import record_on_cuda

_IMAGES = 10_000  # an epoch
_WARM_UP = 10  # steps


def bench(
    jobs: Annotated[list[int] | None, typer.Option(help="Runs at a time; repeatable. Default: 1, 2.")] = None,
    size: Annotated[str, typer.Option(help="Of the super-network.")] = "tiny",
    batch_size: Annotated[int, typer.Option(help="Images a step.")] = 64,
    precision: Annotated[str, typer.Option(help="float32 or bfloat16.")] = "float32",
    seconds: Annotated[float, typer.Option(help="Of each repetition.")] = 5.0,
    repetitions: Annotated[int, typer.Option(help="Of each number of jobs, by turns.")] = 5,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Images a second that all runs train together, for each number of jobs."""
    numbers = jobs or [1, 2]
    config = ExperimentConfig.preset(
        "cifar10", size, batch_size=batch_size, precision=precision, epochs=100_000
    )
    rates: dict[int, list[float]] = {number: [] for number in numbers}
    for _ in range(repetitions):
        for number in numbers:
            rates[number].append(images_per_second(number, config, device, seconds))
    result = {
        "device": device_description(choose_device(device)),
        "torch": torch.__version__,
        "size": config.size,
        "batch_size": batch_size,
        "precision": precision,
        "seconds": seconds,
        "repetitions": repetitions,
        "rows": [
            {"jobs": number, "threads": share_of_threads(number)}
            | spread("images_per_second", rates[number])
            | spread("ratio", [a / b for a, b in zip(rates[number], rates[numbers[0]], strict=True)])
            for number in numbers
        ],
    }
    print(json.dumps(result, indent=2) if json_output else report(result))


def images_per_second(jobs: int, config: ExperimentConfig, device: str, seconds: float) -> float:
    """Of so many runs together."""
    context = multiprocessing.get_context("spawn")
    pipes: list[Connection] = []
    for _ in range(jobs):
        here, there = context.Pipe()
        context.Process(target=work, args=(there, config, device, share_of_threads(jobs), seconds)).start()
        there.close()  # so that a process that fails is noticed here
        pipes.append(here)
    for pipe in pipes:
        pipe.recv()  # all are ready
    for pipe in pipes:
        pipe.send("go")
    rates: list[float] = [pipe.recv() for pipe in pipes]
    return sum(rates)


def work(pipe: Connection, config: ExperimentConfig, device: str, threads: int, seconds: float) -> None:
    """In a process of its own: train, and tell how many images a second."""
    torch.set_num_threads(threads)
    torch_device = choose_device(device)
    images, labels = some_images(_IMAGES, None)
    run = Ours(config, images, labels, torch_device)
    if torch_device.type == "cuda":
        run.training.record_groups(record_on_cuda)
    run.advance(_WARM_UP)
    pipe.send("ready")
    pipe.recv()
    before, started = run.training.step, time.monotonic()
    run.train(StopAfter(seconds))
    pipe.send((run.training.step - before) * config.batch_size / (time.monotonic() - started))


class StopAfter:
    """As Ctrl-C pressed after so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def requested(self) -> bool:
        return time.monotonic() >= self._end


def report(result: dict[str, Any]) -> str:
    lines = [
        f"{result['device']}; torch {result['torch']}",
        f"size {result['size']}, batch {result['batch_size']}, {result['precision']}, "
        f"{result['repetitions']} repetitions of {result['seconds']:g} s",
        f"{'jobs':>5}{'threads each':>14}{'images/s in all':>17}{'':19}{'ratio':>6}",
    ]
    for row in result["rows"]:
        low, high = row["images_per_second_range"]
        least, most = row["ratio_range"]
        lines.append(
            f"{row['jobs']:5}{row['threads']:14}{row['images_per_second']:17,.0f}"
            f"{f'({low:,.0f} to {high:,.0f})':>19}{row['ratio']:6.2f} ({least:.2f} to {most:.2f})"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    typer.run(bench)
