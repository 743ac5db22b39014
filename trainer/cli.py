"""The command line `nasrank-train`: thin commands over the library's functions.

PyTorch takes seconds to import, so the commands that train import it when they run.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from db.errors import NasrankError
from db.ground_truth import choose_architectures
from db.ingest import IngestReport, ingest, remove_runs, run_folders
from db.packed_runs import load_results
from db.seed import seed_warehouse
from db.selection import select_architectures
from db.warehouse import Warehouse
from trainer.benchmark_cli import import_bench
from trainer.options import DATA, RUNS, WAREHOUSE, DataOption, JsonOption, RunsOption, WarehouseOption
from trainer.output import Format, print_table, say, say_waiting
from trainer.prediction_cli import import_predictions_command
from trainer.query_cli import export, intervals, sql
from trainer.report_cli import report
from trainer.stopping import Interrupted
from trainer.study_cli import study_app
from trainer.watch_cli import watch_and_tell

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(study_app, name="study")


@app.callback()
def nasrank_train(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of a failure.")] = False,
) -> None:
    """Train super-networks and measure how well they rank the architectures of NAS-Bench-201.

    A first session:

    \b
        nasrank-train init
        nasrank-train import-bench
        nasrank-train run --dataset digits --size tiny --mask Zero+Pool --epochs 20
        nasrank-train dashboard
    """


@app.command()
def init(
    with_results: Annotated[
        bool,
        typer.Option("--with-results", help="Add the runs that come with nasrank: the study cifar10."),
    ] = False,
    warehouse: WarehouseOption = WAREHOUSE,
) -> None:
    """Make or upgrade the warehouse.

    It holds the architectures, the masks and the paper's τa from the start. Again, nothing is lost: where an
    older version made the file, a copy of that stays beside it.

    \b
    Example: nasrank-train init --with-results
    """
    target = Warehouse(warehouse)
    created = target.create(seed_warehouse)
    if created.is_new:
        say(f"made {warehouse}")
    elif created.backup:
        say(f"upgraded {warehouse} from schema {created.upgraded_from}; as it was, it is {created.backup}")
    else:
        say(f"checked {warehouse}: its tables and views are current")
    if with_results:
        loaded = load_results(target, say_waiting)
        there = f"; {len(loaded.unchanged)} were there already" if loaded.unchanged else ""
        say(f"added {len(loaded.ingested)} runs of the study cifar10, which come with nasrank{there}")


app.command()(import_bench)


@app.command()
def data(
    name: Annotated[
        str | None, typer.Argument(help="Data set to prepare: cifar10. Left out: list them.")
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(help="cifar-10-python.tar.gz, its folder cifar-10-batches-py, or Parquet with images."),
    ] = None,
    download: Annotated[bool, typer.Option("--download", help="Fetch the official archive.")] = False,
    data_dir: DataOption = DATA,
    json_output: JsonOption = False,
) -> None:
    """Prepare images, or list them.

    \b
    Example: nasrank-train data cifar10 --source ~/cifar-10-python.tar.gz
    """
    import pyarrow as pa

    from trainer.datasets import list_datasets, prepare_dataset
    from trainer.output import show_work

    if name is not None:
        with show_work() as progress:
            prepare_dataset(name, data_dir, source=source, download=download, progress=progress)
    elif source is not None or download:
        raise typer.BadParameter("name the data set to prepare: nasrank-train data cifar10 …")
    rows = [
        {
            "dataset": info.name,
            "images": info.images,
            "prepared": info.prepared,
            "origin": info.origin,
            "sha256": info.sha256,
        }
        for info in list_datasets(data_dir)
    ]
    print_table(pa.Table.from_pylist(rows), Format.json if json_output else Format.table)


@app.command()
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
            "leaves, a file with one a line (index, digits, string or tuples), or a query of the warehouse; "
            "may be repeated."
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
    max_shift: Annotated[
        int | None, typer.Option(help="Pixels to shift by at most. Default: 4 for cifar10, 1 for digits.")
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
    from trainer.config import PRESETS, ExperimentConfig, run_id, variant_changes
    from trainer.evaluation import EvaluationOptions
    from trainer.run import run_experiment
    from trainer.training import Diverged

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
            arch_ids += select_architectures(target, text)
    folder = runs / run_id(config, seed)
    try:
        result = run_experiment(
            config,
            seed,
            runs_dir=runs,
            data_dir=data_dir,
            arch_ids=arch_ids,
            ground_truth_keys=[str(key) for key in keys],
            evaluation=evaluation,
            device=device,
            threads=threads,
        )
    except Diverged:
        if ingest_run:  # that it diverged is a result, too
            _report_ingest(ingest(target, [folder], say_waiting))
        raise
    say(f"{result.run_id} {'was finished already' if result.already_finished else 'is finished'}")
    if ingest_run:
        _report_ingest(ingest(target, [folder], say_waiting))


@app.command("ingest")
def ingest_command(
    runs: Annotated[
        Path, typer.Argument(envvar="NASRANK_RUNS", help="Folder of run folders, or one run folder.")
    ] = RUNS,
    watch_runs: Annotated[
        bool, typer.Option("--watch", help="Go on until Ctrl-C, and bring runs in as they end.")
    ] = False,
    remove: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Remove the run of this name, or all that fit, such as 'cifar10-*', from the warehouse "
            "instead. Their folders stay.",
        ),
    ] = None,
    warehouse: WarehouseOption = WAREHOUSE,
    json_output: JsonOption = False,
) -> None:
    """Bring ended runs into the warehouse.

    What is there already stays as it is. A folder that cannot be used is named, and the others are ingested.
    With --watch, such a folder is tried again later, and --json prints an object a line: what was ingested,
    and what cannot be used.

    \b
    Example: nasrank-train ingest runs
    Example: nasrank-train ingest --watch runs
    """
    if remove is not None:
        if watch_runs:
            raise NasrankError("give either --remove or --watch")
        removed = remove_runs(Warehouse(warehouse), remove, say_waiting)
        if json_output:
            typer.echo(json.dumps({"removed": removed}))
        say(f"removed {len(removed)} runs; where they have folders, `nasrank-train ingest` brings them back")
        return
    if watch_runs:
        watch_and_tell(Warehouse(warehouse), runs, json_output)
        return
    folders = [runs] if (runs / "config.json").is_file() else run_folders(runs)
    _report_ingest(ingest(Warehouse(warehouse), folders, say_waiting), json_output)


app.command("import-predictions")(import_predictions_command)
for _command in (sql, export, intervals, report):
    app.command()(_command)


@app.command()
def dashboard(
    host: Annotated[
        str,
        typer.Option(
            help="Address to listen on. There is no login: whoever reaches it can read the warehouse and the "
            "run folders; docs/dashboard.md says how to put one in front."
        ),
    ] = "localhost",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8501,
    warehouse: WarehouseOption = WAREHOUSE,
    runs: RunsOption = RUNS,
) -> None:
    """Serve the dashboard until Ctrl-C.

    \b
    Example: nasrank-train dashboard --port 8600
    """
    if host not in ("localhost", "127.0.0.1", "::1"):
        say(
            f"warning: there is no login; whoever reaches {host}:{port} can read the warehouse and the run "
            "folders. docs/dashboard.md says how to use an SSH tunnel instead, or a proxy with a login"
        )
    # This process becomes the server, and gets its signals; the trainer never imports the dashboard.
    command = [
        sys.executable,
        "-m",
        "app",
        "--warehouse",
        str(warehouse),
        "--runs",
        str(runs),
        "--host",
        host,
        "--port",
        str(port),
    ]
    os.execv(command[0], command)


@app.command()
def doctor(
    warehouse: WarehouseOption = WAREHOUSE,
    runs: RunsOption = RUNS,
    data_dir: DataOption = DATA,
    json_output: JsonOption = False,
) -> None:
    """Check everything, say what to do.

    \b
    Example: nasrank-train doctor --json
    """
    import pyarrow as pa

    from trainer.doctor import check_everything

    checks = check_everything(Warehouse(warehouse), runs, data_dir)
    rows = [{"check": check.name, "state": check.state, "finding": check.finding} for check in checks]
    print_table(pa.Table.from_pylist(rows), Format.json if json_output else Format.table)
    if any(check.state == "bad" for check in checks):
        raise typer.Exit(1)


def main() -> NoReturn:
    """The installed command: exit 0 for success, 1 for a failure in one line, 2 for bad usage."""
    try:
        app(prog_name="nasrank-train")
    except NasrankError as error:
        if "--debug" in sys.argv[1:]:
            raise
        say(f"error: {error}")
        sys.exit(130 if isinstance(error, Interrupted) else 1)
    sys.exit(0)


def _report_ingest(report: IngestReport, json_output: bool = False) -> None:
    if json_output:
        content: dict[str, Any] = {
            "ingested": report.ingested,
            "unchanged": report.unchanged,
            "unfinished": report.unfinished,
            "problems": report.problems,
        }
        print(json.dumps(content, indent=2))
    else:
        say(
            f"runs ingested: {len(report.ingested)}; there already: {len(report.unchanged)}; "
            f"not ended: {len(report.unfinished)}; not usable: {len(report.problems)}"
        )
    for folder, problem in report.problems.items():
        say(f"{folder}: {problem}")
    if report.problems:
        raise typer.Exit(1)
