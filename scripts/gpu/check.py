#!/usr/bin/env python3
"""Checks and measures nasrank on a machine with a GPU, in a time that is given; called by scripts/gpu_check.

Every stage is a process of its own with its own limit: one that fails or hangs stops no other. The result is
written after each, so that a kill loses one stage at most. This file needs Python alone: a stage whose
packages are missing fails, and says so.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import archive
import wheels
from projections import measured, projected
from stages import ROOT, Runner, Stage, make_links, python_path

RESULT, LOG = "gpu_check.json", "gpu_check.log"
TRAINING = "training"


def main() -> None:
    arguments = parsed()
    if arguments.command == "pack":
        sys.exit(wheels.pack(arguments.folder, arguments.installed, arguments.python_version))
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="gpu_check-") as scratch:
        sys.exit(check(arguments, out, Path(scratch)))


def check(arguments: argparse.Namespace, out: Path, scratch: Path) -> int:
    """Run the stages; 1 where one failed."""
    ends = time.monotonic() + 60 * arguments.minutes
    make_links(scratch / "links")
    unpacked = unpack_wheels(arguments.wheels, scratch / "wheels")
    environment = os.environ | {"PYTHONPATH": python_path(scratch / "links", unpacked)}
    previous: Path | None = arguments.continued
    result = json.loads((previous / RESULT).read_text()) if previous else {"stages": {}}
    result |= {"minutes": arguments.minutes, "dry_run": arguments.dry_run}
    runner = Runner(environment, out / LOG, scratch, ends, result["stages"])
    if previous:
        archive.unpack(previous, scratch / "runs")
    train = training(
        arguments, scratch, len([name for name in result["stages"] if name.startswith(TRAINING)])
    )
    stages = [train] if previous else [*measurements(scratch / "links", arguments.dry_run), train]
    kept_for_training = 0.25 * 60 * arguments.minutes
    for stage in stages:
        runner.run(stage, 0 if stage is train else kept_for_training)
        if stage is train:
            result["run"] = archive.pack(scratch / "runs", out)
        result["measured"] = measured(result["stages"])
        result["projected"] = projected(result["stages"])
        write(out / RESULT, result)
        if runner.interrupted:
            break
    failed = [name for name, stage in result["stages"].items() if stage["outcome"] == "failed"]
    print(f"{out / RESULT}: {len(result['stages'])} stages, failed: {', '.join(failed) or 'none'}")
    return 1 if failed else 0


def measurements(links: Path, dry: bool) -> list[Stage]:
    """What comes before the training: the most valuable first."""
    here, scripts = ROOT / "scripts/gpu", ROOT / "scripts"
    device = ["--device", "cpu" if dry else "cuda"]
    tests = [
        *("-m", "pytest", "-q", "-m", "cuda", "-p", "no:cacheprovider", "--rootdir", str(ROOT)),
        *("-o", f'pythonpath="{links}" "{ROOT}"', str(ROOT / "tests/trainer/cuda")),
    ]
    small = ["--channels", "2", "--batch-size", "8", "--steps", "5", "--repetitions", "1", "--no-bfloat16"]
    train = {"tiny": "--channels 8 --cells 1", "S": "--channels 32 --cells 2"}
    evaluate = "--channels 32 --cells 2 --images 5000 --batch-size 1000 --sample 4 --repetitions 3 --no-modes"
    if dry:
        evaluate = "--channels 2 --images 24 --sample 2 --repetitions 1 --no-modes --no-bfloat16"
    return [
        Stage("machine", [str(here / "machine.py")], 40),
        Stage("CUDA tests", tests, 120, is_json=False),
        Stage("host waits", [str(here / "steps.py"), "waits", *device], 60),
        *(
            Stage(
                f"bench_training {size}",
                [
                    str(scripts / "bench_training.py"),
                    *(small if dry else f"{options} --batch-size 256 --steps 20 --repetitions 5".split()),
                    *device,
                    "--json",
                ],
                90,
            )
            for size, options in reversed(train.items())
            if not dry or size == "tiny"
        ),
        Stage("steps", [str(here / "steps.py"), "steps", *device], 60),
        Stage(
            "bench_evaluation S",
            [str(scripts / "bench_evaluation.py"), *evaluate.split(), *device, "--json"],
            90,
        ),
    ]


def training(arguments: argparse.Namespace, scratch: Path, earlier: int) -> Stage:
    """S by the paper's recipe for the time that is left, ended as by Ctrl-C."""
    command = [str(ROOT / "scripts/gpu/train.py"), "--runs", str(scratch / "runs")]
    command += ["--prepared", str(scratch / "data")]
    if arguments.dry_run:
        command += ["--digits"]
    elif arguments.data is not None:
        command += ["--data", str(arguments.data.resolve())]
    done = epochs_done(scratch / "runs")
    lacks = None if arguments.dry_run or arguments.data else "no --data: it needs CIFAR-10's images"
    return Stage(
        f"{TRAINING} S" + (f", continued {earlier}" if earlier else ""),
        command,
        60 * arguments.minutes,
        least=10 if arguments.dry_run else 40,
        saves=10 if arguments.dry_run else 30,
        lacks=lacks,
        is_enough=lambda: arguments.dry_run and epochs_done(scratch / "runs") > done,
    )


def epochs_done(runs: Path) -> int:
    """By the one run there is."""
    statuses = runs.glob(f"*/{archive.layout.STATUS}")
    return max((json.loads(path.read_text())["epoch"] for path in statuses), default=0)


def unpack_wheels(folder: Path | None, target: Path) -> Path | None:
    """What `pack` packed, as a folder: compiled parts cannot be imported from a wheel itself."""
    if folder is None:
        return None
    for wheel in sorted(folder.glob("*.whl")):
        with zipfile.ZipFile(wheel) as file:
            file.extractall(target)
    return target


def write(path: Path, content: object) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(content, indent=2))
    temporary.replace(path)


def parsed() -> argparse.Namespace:
    # Not by typer, which may be among what is missing.
    parser = argparse.ArgumentParser(
        prog="scripts/gpu_check", description="Checks and measures nasrank on a GPU machine without network."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    pack = commands.add_parser("pack", help="here: fetch the wheels that the GPU machine lacks")
    pack.add_argument("folder", type=Path, help="for the wheels; give it to run as --wheels")
    pack.add_argument(
        "--installed", type=Path, required=True, help="file: `pip list --format=freeze` of the GPU machine"
    )
    pack.add_argument("--python-version", default="3.12", help="of the GPU machine (default: 3.12)")
    run = commands.add_parser("run", help="there: check and measure")
    run.add_argument("--out", type=Path, required=True, help="folder for the results, at most 8 files")
    run.add_argument("--minutes", type=float, default=9, help="for everything (default: 9)")
    run.add_argument(
        "--data", type=Path, help="folder with CIFAR-10 as `nasrank-train data --source` reads it"
    )
    run.add_argument("--wheels", type=Path, help="folder that pack filled")
    run.add_argument(
        "--continue",
        dest="continued",
        metavar="FOLDER",
        nargs="?",
        const="",
        help="only go on with the training of an earlier call, whose folder this names (default: --out)",
    )
    run.add_argument("--dry-run", action="store_true", help="small numbers on the CPU")
    arguments = parser.parse_args()
    if arguments.command == "run" and arguments.continued is not None:
        arguments.continued = Path(arguments.continued or arguments.out)
    return arguments


if __name__ == "__main__":
    main()
