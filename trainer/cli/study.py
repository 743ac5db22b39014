"""The commands `nasrank-train study …`: thin, as trainer/cli/main.py."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Annotated, Any

import pyarrow as pa
import typer

from nasrank.db.errors import NasrankError
from nasrank.db.runs.experiment import experiment_id
from nasrank.db.warehouse.file import Warehouse
from nasrank.trainer.cli.options import RUNS, WAREHOUSE, JsonOption, Places, RunsOption, WarehouseOption
from nasrank.trainer.cli.output import Format, print_table
from nasrank.trainer.cli.parameters import SectionedCommand, expanded
from nasrank.trainer.messages import say
from nasrank.trainer.progress import duration
from nasrank.trainer.studies.file import Study, load_study, shipped_studies
from nasrank.trainer.studies.local import run_study
from nasrank.trainer.studies.plan import StudyOptions, with_listed
from nasrank.trainer.studies.process import InProcess
from nasrank.trainer.studies.slurm.submission import (
    MIN_MINUTES,
    SlurmOptions,
    cancel_study,
    slurm_states,
    submit_study,
)
from nasrank.trainer.studies.status import RunState, TimeLeft, count_states, study_states


class Launcher(StrEnum):
    """Who does the runs of a study."""

    local = "local"
    slurm = "slurm"
    debug = "debug"


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
LauncherOption = Annotated[
    Launcher,
    typer.Option(
        "--launcher",
        help="local: here; slurm: by jobs of a cluster; debug: here, one by one, in this process.",
    ),
]
DeviceOption = Annotated[
    str, typer.Option("--device", help="auto, cpu or cuda; runs are spread over the GPUs that are visible.")
]
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
            "experiment_id": experiment_id(experiment.config.config_hash),
        }
        for experiment in content.experiments
    ]
    print_table(pa.Table.from_pylist(rows), Format.json if json_output else Format.table)
    say(
        f"{content.name}: {content.description or 'no description'}; {len(content.groups)} groups, "
        f"{len(content.experiments)} experiments, seeds {', '.join(map(str, content.seeds))}: "
        f"{len(content.runs)} runs"
    )


_slurm = partial(typer.Option, rich_help_panel="Slurm")


@dataclass(frozen=True)
class SlurmArguments:
    """What jobs of a cluster get."""

    runs_per_job: Annotated[
        int, _slurm("--runs-per-job", min=1, help="Runs at a time that share a job's GPU and cores.")
    ] = 1
    partition: Annotated[str | None, _slurm(help="Where jobs run.")] = None
    account: Annotated[str | None, _slurm(help="Who pays.")] = None
    gpus: Annotated[int | None, _slurm(min=0, help="GPUs of a job.")] = None
    cpus: Annotated[int | None, _slurm(min=1, help="CPUs of a job, for all its runs.")] = None
    memory: Annotated[float | None, _slurm(help="Gigabytes of a job.")] = None
    time: Annotated[
        int, _slurm(min=MIN_MINUTES, help="Minutes of a job; then it is requeued, and goes on.")
    ] = 240
    array_parallelism: Annotated[int, _slurm("--array-parallelism", min=1, help="Jobs at a time.")] = 256
    setup: Annotated[
        list[str] | None,
        _slurm(help="A shell line before a job, such as 'module load cuda'; repeatable."),
    ] = None
    sbatch: Annotated[
        list[str] | None, _slurm(help="Another option of sbatch, such as qos=low; repeatable.")
    ] = None

    def options(self) -> SlurmOptions:
        """Raises `typer.BadParameter` for an option of sbatch without a name."""
        return SlurmOptions(
            partition=self.partition,
            account=self.account,
            gpus=self.gpus,
            cpus=self.cpus,
            memory_gb=self.memory,
            minutes=self.time,
            array_parallelism=self.array_parallelism,
            setup=tuple(self.setup or ()),
            extra=_parse_sbatch(self.sbatch or []),
            runs_per_job=self.runs_per_job,
        )


@dataclass(frozen=True)
class ExecutionArguments:
    """Who does the runs of a study, and how many at a time."""

    launcher: LauncherOption = Launcher.local
    jobs: JobsOption = 1
    threads: ThreadsOption = None
    device: DeviceOption = "auto"
    ingest_runs: IngestOption = True

    def options(self, places: Places) -> StudyOptions:
        """With the folders and the warehouse of the study."""
        return StudyOptions(
            runs_dir=places.runs,
            data_dir=places.data_dir,
            warehouse=Warehouse(places.warehouse),
            jobs=self.jobs,
            threads=self.threads,
            device=self.device,
            ingest=self.ingest_runs,
        )


def _working(begun: bool) -> Callable[..., None]:
    """The function of the commands `run` and `resume`, which take the same options."""

    @expanded
    def work(
        file: FileArgument, execution: ExecutionArguments, slurm: SlurmArguments, places: Places
    ) -> None:
        options, slurm_options = execution.options(places), slurm.options()
        if execution.launcher is not Launcher.slurm and slurm_options != SlurmOptions():
            raise typer.BadParameter("options of Slurm are given; give --launcher slurm, or leave them out")
        content = load_study(file)
        match execution.launcher:
            case Launcher.local:
                run_study(content, options, say, begun=begun)
            case Launcher.debug:
                run_study(content, replace(options, jobs=1), say, begun=begun, worker=InProcess)
            case Launcher.slurm if execution.jobs != 1 or execution.threads is not None:
                raise typer.BadParameter(
                    "--jobs and --threads are of this machine; on a cluster give --array-parallelism, "
                    "--runs-per-job and --cpus"
                )
            case Launcher.slurm:
                submit_study(content, options, slurm_options, say, begun=begun)

    return work


study_app.command(
    "run",
    cls=SectionedCommand,
    help="""Do the runs that are missing or interrupted.

    What is finished stays. A run that fails does not stop the others. Ctrl-C lets every run save; the same
    command continues. What a run says is in worker.log in its folder. With --launcher slurm, the runs are
    submitted as a job array, and the command returns; docs/cluster.md says more.

    \b
    Example: nasrank-train study run small --jobs 2
    Example: nasrank-train study run paper --launcher slurm --partition gpu --gpus 1 --cpus 8 --runs-per-job 4
    """,
)(_working(begun=False))
study_app.command(
    "resume",
    cls=SectionedCommand,
    help="""Finish the runs that were begun, and begin no others.

    \b
    Example: nasrank-train study resume small --jobs 2
    """,
)(_working(begun=True))


@study_app.command()
def cancel(file: FileArgument, runs: RunsOption = RUNS) -> None:
    """Cancel the Slurm jobs of a study.

    Their runs save and stop; `study run` submits them again. What runs without Slurm is not touched.

    \b
    Example: nasrank-train study cancel paper
    """
    cancelled = cancel_study(load_study(file), runs)
    say(f"cancelled {len(cancelled)} job(s)" + (f": {', '.join(cancelled)}" if cancelled else ""))


@study_app.command()
def status(
    file: FileArgument,
    runs: RunsOption = RUNS,
    warehouse: WarehouseOption = WAREHOUSE,
    json_output: JsonOption = False,
) -> None:
    """Show how a study stands.

    Counts by group, then the runs that are running, interrupted, failed or lost. An experiment of several
    groups counts in each. --json has every run. The time left is for as many runs at a time as are running
    now. Of runs that were submitted to Slurm, it says which wait in its queue (pending), and which are not
    done although their job has ended (lost). The warehouse is asked only for the architectures that a study's
    queries list.

    \b
    Example: nasrank-train study status small --json
    """
    content = with_listed(load_study(file), Warehouse(warehouse))
    try:
        states = slurm_states(content, runs)
    except NasrankError as error:
        say(f"{error}; by the run folders alone:")
        states = study_states(content, runs)
    jobs = max(1, sum(state.state == "running" for state in states))
    left = TimeLeft(states)
    if json_output:
        print(json.dumps(_status_content(content, states, left, jobs), indent=2))
        return
    print_table(pa.Table.from_pylist(_group_rows(content, states)), Format.table)
    for state in states:
        if state.state in ("running", "interrupted", "failed", "lost"):
            say(_line(state, left.of(state)))
        if state.state in ("failed", "lost"):
            for line in state.log:
                say(f"    {line}")
    total = left.total(jobs)
    counts = ", ".join(f"{number} {name}" for name, number in count_states(states).items())
    say(
        f"{content.name}: {len(states)} runs: {counts}"
        + (f"; about {duration(total)} left, {jobs} at a time" if total else "")
    )


def _parse_sbatch(texts: list[str]) -> dict[str, str | bool]:
    """From `name=value`, or `name` alone for a switch; with or without the dashes of a command line."""
    pairs = [text.lstrip("-").partition("=") for text in texts]
    if any(not name for name, _, _ in pairs):
        raise typer.BadParameter(f"--sbatch is {texts}; give name=value, such as qos=low")
    return {name: value if equals else True for name, equals, value in pairs}


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
                "job": state.job,
                "log": state.log,
            }
            for state in states
        ],
    }
