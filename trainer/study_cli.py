"""The commands `nasrank-train study …`: thin, as trainer/cli.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import typer

from db.warehouse import Warehouse
from trainer.options import DATA, RUNS, WAREHOUSE, DataOption, JsonOption, RunsOption, WarehouseOption
from trainer.output import Format, print_table, say
from trainer.progress import duration
from trainer.study import Study, load_study, shipped_studies
from trainer.study_runner import StudyOptions, run_study
from trainer.study_status import RunState, TimeLeft, count_states, study_states

study_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

FileArgument = Annotated[
    str,
    typer.Argument(help=f"A study file, or one that comes with nasrank: {', '.join(shipped_studies())}."),
]
JobsOption = Annotated[int, typer.Option("--jobs", min=1, help="Runs at a time, each in its own process.")]
ThreadsOption = Annotated[
    int | None,
    typer.Option("--threads", min=1, help="Of the CPU, for all runs together. Default: all cores."),
]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu or cuda, which the runs share.")]
IngestOption = Annotated[
    bool, typer.Option("--ingest/--no-ingest", help="Bring ended runs into the warehouse.")
]


@study_app.callback()
def study() -> None:
    """Run many experiments with several seeds.

    A study file in TOML says which; docs/studies.md describes it.

    \b
    Example: nasrank-train study run small --jobs 2
    """


@study_app.command("list")
def list_experiments(file: FileArgument, json_output: JsonOption = False) -> None:
    """Show what is in a study file.

    \b
    Example: nasrank-train study list paper
    """
    content = load_study(file)
    rows = [
        {
            "groups": ", ".join(experiment.groups),
            "dataset": experiment.config.dataset,
            "size": experiment.config.size,
            "mask": experiment.config.mask,
            "lt": experiment.config.lt,
            "variant": experiment.config.variant,
            "epochs": experiment.config.epochs,
            "runs": len(content.seeds),
            "experiment_id": experiment.config.config_hash[:12],
        }
        for experiment in content.experiments
    ]
    print_table(pa.Table.from_pylist(rows), Format.json if json_output else Format.table)
    say(
        f"{content.name}: {content.description or 'no description'}; {len(content.groups)} groups, "
        f"{len(content.experiments)} experiments, seeds {', '.join(map(str, content.seeds))}: "
        f"{len(content.runs)} runs"
    )


@study_app.command()
def run(
    file: FileArgument,
    jobs: JobsOption = 1,
    threads: ThreadsOption = None,
    device: DeviceOption = "auto",
    ingest_runs: IngestOption = True,
    warehouse: WarehouseOption = WAREHOUSE,
    runs: RunsOption = RUNS,
    data_dir: DataOption = DATA,
) -> None:
    """Do the runs that are missing or interrupted.

    What is finished stays. A run that fails does not stop the others. Ctrl-C lets every run save; the same
    command continues. What a run says is in worker.log in its folder.

    \b
    Example: nasrank-train study run small --jobs 2
    """
    options = _options(jobs, threads, device, ingest_runs, warehouse, runs, data_dir)
    run_study(load_study(file), options, say)


@study_app.command()
def resume(
    file: FileArgument,
    jobs: JobsOption = 1,
    threads: ThreadsOption = None,
    device: DeviceOption = "auto",
    ingest_runs: IngestOption = True,
    warehouse: WarehouseOption = WAREHOUSE,
    runs: RunsOption = RUNS,
    data_dir: DataOption = DATA,
) -> None:
    """Finish the runs that were begun, and begin no others.

    \b
    Example: nasrank-train study resume small --jobs 2
    """
    options = _options(jobs, threads, device, ingest_runs, warehouse, runs, data_dir)
    run_study(load_study(file), options, say, begun=True)


@study_app.command()
def status(file: FileArgument, runs: RunsOption = RUNS, json_output: JsonOption = False) -> None:
    """Show how a study stands.

    Counts by group, then the runs that are running, interrupted or failed. An experiment of several groups
    counts in each. --json has every run. The time left is for as many runs at a time as are running now.

    \b
    Example: nasrank-train study status small --json
    """
    content = load_study(file)
    states = study_states(content, runs)
    jobs = max(1, sum(state.state == "running" for state in states))
    left = TimeLeft(states)
    if json_output:
        print(json.dumps(_status_content(content, states, left, jobs), indent=2))
        return
    print_table(pa.Table.from_pylist(_group_rows(content, states)), Format.table)
    for state in states:
        if state.state in ("running", "interrupted", "failed"):
            say(_line(state, left.of(state)))
    total = left.total(jobs)
    counts = ", ".join(f"{number} {name}" for name, number in count_states(states).items())
    say(
        f"{content.name}: {len(states)} runs: {counts}"
        + (f"; about {duration(total)} left, {jobs} at a time" if total else "")
    )


def _options(
    jobs: int,
    threads: int | None,
    device: str,
    ingest_runs: bool,
    warehouse: Path,
    runs: Path,
    data_dir: Path,
) -> StudyOptions:
    """What `run` and `resume` were given alike."""
    return StudyOptions(
        runs_dir=runs,
        data_dir=data_dir,
        warehouse=Warehouse(warehouse),
        jobs=jobs,
        threads=threads,
        device=device,
        ingest=ingest_runs,
    )


def _group_rows(content: Study, states: list[RunState]) -> list[dict[str, Any]]:
    rows = []
    for group in content.groups:
        members = [state for state in states if group in state.run.experiment.groups]
        rows.append({"group": group, "runs": len(members), **count_states(members)})
    return rows


def _line(state: RunState, left: float | None) -> str:
    parts = [f"{state.run.run_id} is {state.state}, {state.epoch} of {state.epochs} epochs done"]
    if state.state != "failed" and left is not None:
        parts.append(f"about {duration(left)} left")
    if state.message:
        parts.append(state.message)
    return "; ".join(parts)


def _status_content(content: Study, states: list[RunState], left: TimeLeft, jobs: int) -> dict[str, Any]:
    """Seconds are null where nothing tells."""
    return {
        "study": content.name,
        "counts": count_states(states),
        "seconds_left": left.total(jobs),
        "at_a_time": jobs,
        "runs": [
            {
                "run_id": state.run.run_id,
                "groups": state.run.experiment.groups,
                "seed": state.run.seed,
                "state": state.state,
                "epoch": state.epoch,
                "epochs": state.epochs,
                "seconds": state.seconds,
                "seconds_left": left.of(state),
                "message": state.message,
            }
            for state in states
        ],
    }
