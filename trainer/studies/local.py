"""Working through a study: several runs side by side, each in a process of its own.

A process a run, because PyTorch's threads are a process's, and a crash then takes one run with it. What a
process prints goes to `worker.log` in its run folder. Only this process writes to the warehouse.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from nasrank.db.errors import NasrankError
from nasrank.db.ingest.folders import ingest
from nasrank.trainer.messages import say_waiting
from nasrank.trainer.progress import duration
from nasrank.trainer.stopping import Interrupted, StopSignal
from nasrank.trainer.studies.file import Study, StudyRun
from nasrank.trainer.studies.plan import Jobs, StudyOptions, check_datasets, check_study, with_listed
from nasrank.trainer.studies.process import InProcess, Worker, least_used
from nasrank.trainer.studies.status import RunState, TimeLeft, count_states, run_state, study_states

_LOOK_SECONDS: Final = 0.1
_TOTAL_SECONDS: Final = 30.0  # between lines on the whole
_INGEST_SECONDS: Final = 60.0  # an ingest copies the warehouse, so not after every run of a second
_NAMED: Final = 3  # runs that an error names


def run_study(
    study: Study,
    options: StudyOptions,
    say: Callable[[str], None],
    *,
    begun: bool = False,
    worker: type[Worker] | type[InProcess] = Worker,
) -> None:
    """Do all runs that are missing or interrupted, `options.jobs` at a time; ingest those that ended.

    Args:
        say: takes a line: a change of a run, or how the whole stands.
        begun: leave those alone that were not begun.
        worker: does a run: in a process of its own, or in this one.

    A run that fails does not keep the others from being done. Runs that another process works on, such as a
    second `run_study`, are left to it. Raises `Interrupted` after SIGINT, SIGTERM or SIGHUP, once all runs
    under way are saved, and `NasrankError` at the end where a run failed, or at once where none can be done.
    """
    check_study(study, options.warehouse)
    _Work(with_listed(study, options.warehouse), options, say, worker).run(begun)


class _Work:
    """One session of work on a study."""

    def __init__(
        self,
        study: Study,
        options: StudyOptions,
        say: Callable[[str], None],
        worker: type[Worker] | type[InProcess],
    ) -> None:
        self._study, self._options, self._say, self._worker = study, options, say, worker
        self._runs = {run.run_id: run for run in study.runs}
        self._jobs = Jobs(study, options)
        self._gpus: list[str] = []
        self._workers: list[Worker | InProcess] = []
        self._not_done: list[str] = []  # runs that failed, in this session or before
        self._ended: list[Path] = []  # folders to ingest
        self._ingested_at = self._total_at = time.monotonic()
        self._ingest_problem: str | None = None

    def run(self, begun: bool) -> None:
        states = study_states(self._study, self._options.runs_dir)
        wanted = ("interrupted",) if begun else ("interrupted", "missing")
        queue = [state.run for state in states if state.state in wanted]
        self._ended = [self._folder(s.run) for s in states if s.state in ("finished", "failed")]
        self._say_plan(states, queue)
        if queue:
            self._check_possible(queue)
        with StopSignal() as stop, self._no_worker_left():
            while self._workers or (queue and not stop.requested):
                if stop.requested:
                    self._stop_workers()
                while queue and len(self._workers) < self._options.jobs and not stop.requested:
                    self._start(queue.pop(0))
                time.sleep(_LOOK_SECONDS)
                self._settle_ended()
                self._report_now_and_then()
        self._ingest()
        self._conclude(stop.requested)

    def _check_possible(self, queue: list[StudyRun]) -> None:
        """Raise `NasrankError` for what would make one run after the other fail in the same way."""
        from nasrank.trainer.environment import choose_device, visible_gpus

        check_datasets(queue, self._options.data_dir)
        if choose_device(self._options.device).type == "cuda":
            self._gpus = visible_gpus()

    def _say_plan(self, states: list[RunState], queue: list[StudyRun]) -> None:
        counts = count_states(states)
        already = ", ".join(f"{n} {name}" for name, n in counts.items() if n)
        self._say(
            f"{self._study.name}: {len(states)} runs ({already}); {len(queue)} to do, {self._options.jobs} "
            f"at a time with {self._options.threads_per_run} CPU thread(s) each"
        )
        for state in states:
            if state.state == "failed":
                self._not_done.append(state.run.run_id)
                self._say(
                    f"{state.run.run_id} failed before: {state.message}; to try it again, delete "
                    f"{self._folder(state.run)}"
                )

    def _start(self, run: StudyRun) -> None:
        """Begin or continue a run, unless another process came first."""
        state = run_state(self._study, run, self._folder(run)).state
        if state in ("running", "finished"):
            self._say(f"{run.run_id} is {state} by another process")
            return
        self._say(f"{run.run_id} {'goes on' if state == 'interrupted' else 'begins'}")
        self._workers.append(self._worker(self._jobs.of(run), least_used(self._gpus, self._workers)))

    def _settle_ended(self) -> None:
        for worker in [worker for worker in self._workers if worker.has_ended]:
            self._workers.remove(worker)
            worker.close()
            self._settle(worker)

    def _settle(self, worker: Worker | InProcess) -> None:
        """Say how a run ended: what its folder says counts; what the process said explains the rest."""
        run = self._runs[worker.job.run_id]
        state = run_state(self._study, run, self._folder(run))
        if state.state in ("finished", "failed"):
            self._ended.append(self._folder(run))
        if state.state == "finished":
            self._say(f"{run.run_id} is finished, after {duration(worker.seconds)}; {self._total()}")
        elif state.state == "running":
            self._say(f"{run.run_id} is running by another process")
        elif state.state != "failed" and worker.was_stopped:
            self._say(f"{run.run_id} is stopped, with {state.epoch} of {state.epochs} epochs done")
        else:
            self._not_done.append(run.run_id)
            reason = state.message if state.state == "failed" else worker.last_words
            self._say(f"{run.run_id} failed: {reason}; {self._total()}")

    def _report_now_and_then(self) -> None:
        now = time.monotonic()
        if self._workers and now - self._total_at >= _TOTAL_SECONDS:
            self._say(self._total())
        if self._ended and now - self._ingested_at >= _INGEST_SECONDS:
            self._ingest()

    def _total(self) -> str:
        """How the whole stands, such as `3 of 18 runs finished, 2 running, 0:31:20 left`."""
        self._total_at = time.monotonic()
        states = study_states(self._study, self._options.runs_dir)
        counts = count_states(states)
        parts = [f"{counts['finished']} of {len(states)} runs finished"]
        parts += [f"{counts[name]} {name}" for name in ("running", "failed") if counts[name]]
        left = TimeLeft(states).total(self._options.jobs)
        if left:
            parts.append(f"about {duration(left)} left")
        return ", ".join(parts)

    def _ingest(self) -> None:
        """Bring ended runs into the warehouse. If it cannot be used now, nothing is lost: they stay."""
        self._ingested_at = time.monotonic()
        folders, self._ended = self._ended, []
        if not folders or not self._options.ingest:
            return
        try:
            report = ingest(self._options.warehouse, folders, say_waiting)
        except NasrankError as error:
            self._ended = folders
            self._ingest_problem = str(error)
            self._say(f"not ingested: {error}")
            return
        self._ingest_problem = None
        for folder, problem in report.problems.items():
            self._not_done.append(folder)
            self._say(f"{folder} is not ingested: {problem}")
        if report.ingested:
            self._say(f"ingested {len(report.ingested)} run(s)")

    def _conclude(self, interrupted: bool) -> None:
        total = self._total()
        if interrupted and self._left():
            raise Interrupted(f"interrupted: {total}; every run is saved, and the same command continues")
        if self._not_done:
            named = [*self._not_done[:_NAMED], *["…"] * (len(self._not_done) > _NAMED)]
            raise NasrankError(
                f"{total}; not done: {', '.join(named)}; why is said above and in worker.log in the folders"
            )
        if self._ingest_problem:
            raise NasrankError(
                f"the runs are done, but not ingested: {self._ingest_problem}; then give the same command "
                "again, or `nasrank-train ingest`"
            )
        self._say(total)

    @contextlib.contextmanager
    def _no_worker_left(self) -> Iterator[None]:
        """However the block ends, its workers are told to save and end."""
        try:
            yield
        finally:
            for worker in self._workers:
                worker.stop()

    def _stop_workers(self) -> None:
        for worker in self._workers:
            if not worker.was_stopped:
                worker.stop()
                self._say(f"{worker.job.run_id} is told to save and stop")

    def _left(self) -> bool:
        return any(state.unfinished for state in study_states(self._study, self._options.runs_dir))

    def _folder(self, run: StudyRun) -> Path:
        return self._options.runs_dir / run.run_id
