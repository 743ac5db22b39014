"""What goes on in a folder of runs, looked at again and again: for pages that are open for hours.

A look costs one `stat` for each folder, of its `status.json`. Only what changed is read, and the claims and
epochs of runs that have not ended. Looks take a tenth of the time at most, however slow the file system is,
and are shared by all who ask. Who asks during a look hears of the one before.
"""

from __future__ import annotations

import datetime as dt
import statistics
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from nasrank.db.errors import NasrankError, as_unicode, printable
from nasrank.db.files.opening import read_if_there
from nasrank.db.runs import layout
from nasrank.db.runs.folder import read_request
from nasrank.db.runs.format import EpochRow
from nasrank.db.runs.holders import STALE_SECONDS, FoundClaim, find_claim
from nasrank.db.runs.reader import State, count_rows, status_files
from nasrank.db.runs.schema import MAX_TABLE_BYTES, read_table
from nasrank.db.runs.status import ENDED, RunStatus, read_status, state_of
from nasrank.db.runs.submissions import Submission, read_submission, submitted_runs

LOOK_SECONDS: Final = 1.0  # between two looks, at least
_REST: Final = 9  # times as long as a look took, at least
_RECENT_EPOCHS: Final = 5


@dataclass(frozen=True, kw_only=True)
class Evaluating:
    """How far predicting has come, after `epoch` epochs and under one BN mode."""

    epoch: int
    bn_mode: str
    done: int  # architectures
    total: int | None  # None during training: the folder does not say how many
    seconds_left: float | None = None  # at the pace since it was first seen; None where there is none yet


@dataclass(frozen=True, kw_only=True)
class SeenRun:
    """A run that has not ended, or to which predictions are being added."""

    run_id: str
    state: str  # of nasrank.db.runs.status.STATES, or unreadable
    status: RunStatus | None = None
    message: str | None = None  # why it does not go on, or cannot be read
    holder: str | None = None  # who works on it, or did last
    silent_seconds: float | None = None  # since its holder's last heartbeat
    training_seconds_left: float | None = None  # at the pace of its recent epochs, without evaluation
    evaluating: Evaluating | None = None


@dataclass(frozen=True, kw_only=True)
class RunsSeen:
    """How a folder of runs stands. `problem` says why it cannot be read."""

    runs: tuple[SeenRun, ...] = ()  # by their names
    to_ingest: tuple[str, ...] = ()  # ended, and not in the warehouse
    submitted: tuple[str, ...] = ()  # to Slurm, and not begun; the queue itself is not asked
    ended: int = 0  # runs that have ended
    seconds: float = 0.0  # that the look took
    problem: str | None = None


@dataclass(slots=True)
class _Entry:
    """A folder, as it was when its status changed last."""

    state: State
    status: RunStatus | None = None  # None: it cannot be read, or the warehouse has it
    problem: str | None = None
    is_ended: bool = False
    may_be_held: bool = False  # ended, and perhaps predictions are being added
    epoch_seconds: float | None = None
    wanted: int | None = None  # architectures to predict
    first_seen: dict[str, tuple[float, int]] = field(
        default_factory=dict
    )  # partial file: when, and its lines


class RunsMonitor:
    """Looks at the runs below a folder; any number of threads may ask.

    Args:
        clock: seconds since 1970.
    """

    def __init__(self, runs_dir: Path, clock: Callable[[], float] = time.time) -> None:
        self._runs_dir, self._clock = runs_dir, clock
        self._entries: dict[str, _Entry] = {}
        self._submissions: dict[Path, tuple[int, Submission]] = {}  # by their file, and when that changed
        self._looking = threading.Lock()
        self._seen: RunsSeen | None = None
        self._ended: frozenset[str] = frozenset()
        self._next_look = 0.0
        self._is_first = True

    def look(self, ingested: Mapping[str, float]) -> RunsSeen:
        """How the runs stand now, or did a moment ago.

        `ingested` has the runs in the warehouse, and when each was ingested (seconds since 1970): those whose
        status is older need no reading.
        """
        is_due = self._clock() >= self._next_look
        # Only the first look is waited for: a file system that hangs holds one thread.
        if is_due and self._looking.acquire(blocking=self._seen is None):
            try:
                if self._clock() >= self._next_look:  # no other thread looked meanwhile
                    self._look_and_rest(ingested)
            finally:
                self._looking.release()
        seen, ended = self._seen, self._ended
        assert seen is not None
        return replace(seen, to_ingest=tuple(sorted(ended - ingested.keys())), ended=len(ended))

    def _look_and_rest(self, ingested: Mapping[str, float]) -> None:
        started = self._clock()
        seen = self._look(ingested)
        seconds = self._clock() - started
        self._ended = frozenset(name for name, entry in self._entries.items() if entry.is_ended)
        self._seen = replace(seen, seconds=seconds)
        self._next_look = self._clock() + max(LOOK_SECONDS, _REST * seconds)

    def _look(self, ingested: Mapping[str, float]) -> RunsSeen:
        try:
            found = status_files(self._runs_dir)
        except FileNotFoundError:
            self._entries.clear()
            return RunsSeen(problem=printable(f"there is no folder {self._runs_dir}"))
        except OSError as error:
            self._entries.clear()
            problem = f"the folder {self._runs_dir} cannot be read: {error.strerror}"
            return RunsSeen(problem=printable(problem))
        for gone in self._entries.keys() - found.keys():
            del self._entries[gone]
        runs: list[SeenRun | None] = []
        for name, state in found.items():
            if state is None:
                self._entries.pop(name, None)
                runs.append(self._without_status(name))
                continue
            entry = self._entries.get(name)
            if entry is None or entry.state != state or entry.problem is not None:
                entry = self._entries[name] = self._read(name, state, ingested.get(name))
            if not entry.is_ended or entry.may_be_held:
                runs.append(self._seen_run(name, entry))
        self._is_first = False
        known = [run for run in runs if run is not None]
        begun = {run.run_id for run in known} | self._entries.keys() | ingested.keys()
        return RunsSeen(
            runs=tuple(sorted(known, key=lambda run: run.run_id)),
            submitted=tuple(sorted(self._submitted() - begun)),
        )

    def _submitted(self) -> set[str]:
        """The runs that jobs have which nobody cancelled."""
        submissions = {}
        for path in layout.submission_files(self._runs_dir):
            try:
                stamp = path.stat().st_mtime_ns
                known = self._submissions.get(path)
                submissions[path] = known if known and known[0] == stamp else (stamp, read_submission(path))
            except (NasrankError, OSError):
                continue  # being written; `study status` says what is wrong with it
        self._submissions = submissions
        latest = submitted_runs([submission for _, submission in submissions.values()])
        return {
            run_id for run_id, (submission, job_id) in latest.items() if job_id not in submission.cancelled
        }

    def _read(self, name: str, state: State, ingested_at: float | None) -> _Entry:
        _, modified_ns, _ = state
        if ingested_at is not None and modified_ns / 1e9 <= ingested_at:
            return _Entry(state, is_ended=True)
        folder = self._runs_dir / name
        try:
            status = read_status(folder)
        except (NasrankError, OSError) as error:
            return _Entry(state, problem=str(error))
        if status is None:  # deleted meanwhile
            return _Entry(state, problem=f"{folder / layout.STATUS} is gone")
        if status.has_ended:
            may_be_held = ingested_at is not None or not self._is_first
            wanted = _wanted(folder) if may_be_held else None
            return _Entry(state, status, is_ended=True, may_be_held=may_be_held, wanted=wanted)
        return _Entry(state, status, epoch_seconds=_epoch_seconds(folder), wanted=_wanted(folder))

    def _without_status(self, name: str) -> SeenRun | None:
        """None for a folder that is no run's."""
        folder = self._runs_dir / name
        try:
            claim = find_claim(folder)
        except OSError as error:
            return _unreadable(name, f"{folder}: {error.strerror}")
        if claim is None:
            return None
        state = state_of(None, claim)
        messages = {"dead": _how_it_died(claim), "interrupted": "it ended before it began to train"}
        return self._seen_so(name, state, claim, message=messages.get(state))

    def _seen_run(self, name: str, entry: _Entry) -> SeenRun | None:
        """None for one that has ended, and that nobody works on."""
        folder, status = self._runs_dir / name, entry.status
        if status is None:
            return _unreadable(name, entry.problem or "")
        try:
            claim = find_claim(folder)
            state = state_of(status, claim)
            evaluating = self._evaluating(folder, entry, status) if state == "running" else None
        except (NasrankError, OSError) as error:
            return replace(_unreadable(name, str(error)), status=status)
        if state in ENDED:
            entry.may_be_held = False
            return None
        seen = self._seen_so(
            name, state, claim, message=_how_it_died(claim) if state == "dead" else status.message
        )
        left = self._training_left(status, entry) if state == "running" else None
        return replace(seen, status=status, training_seconds_left=left, evaluating=evaluating)

    def _seen_so(self, name: str, state: str, claim: FoundClaim | None, message: str | None) -> SeenRun:
        name = as_unicode(name)
        if claim is None:
            return SeenRun(run_id=name, state=state, message=message)
        silent = max(self._clock() - claim.touched, 0.0)
        return SeenRun(run_id=name, state=state, message=message, holder=claim.who, silent_seconds=silent)

    def _training_left(self, status: RunStatus, entry: _Entry) -> float | None:
        """The epochs left at the pace of the recent ones; of the current one, what its time so far leaves."""
        if entry.epoch_seconds is None:
            return None
        since = self._clock() - dt.datetime.fromisoformat(status.updated_at).timestamp()
        left = status.epochs - status.epoch
        return max((left - 1) * entry.epoch_seconds, left * entry.epoch_seconds - max(since, 0.0), 0.0)

    def _evaluating(self, folder: Path, entry: _Entry, status: RunStatus) -> Evaluating | None:
        evaluations = {
            evaluation: path
            for path in layout.partial_files(folder)
            if (evaluation := layout.evaluation_of(path)) is not None
        }
        if not evaluations:
            return None
        epoch, bn_mode = max(evaluations)
        path = evaluations[epoch, bn_mode]
        content = read_if_there(path, MAX_TABLE_BYTES)
        if content is None:  # just finished
            return None
        lines = content.count(b"\n")
        before = count_rows(layout.predictions_path(folder, epoch, bn_mode))
        done = lines + before
        total = entry.wanted if epoch == status.epochs else None
        seen_at, seen_lines = entry.first_seen.setdefault(path.name, (self._clock(), lines))
        seconds_left = None
        if total is not None and lines > seen_lines and self._clock() > seen_at:
            seconds_left = max(total - done, 0) * (self._clock() - seen_at) / (lines - seen_lines)
        return Evaluating(epoch=epoch, bn_mode=bn_mode, done=done, total=total, seconds_left=seconds_left)


def _unreadable(name: str, problem: str) -> SeenRun:
    return SeenRun(run_id=as_unicode(name), state="unreadable", message=printable(problem))


def _how_it_died(claim: FoundClaim | None) -> str:
    if claim is None:
        return "nobody works on it; it was killed, or copied from where it runs"
    if claim.holder is not None and claim.holder.is_gone():
        return f"{claim.who} was killed"
    return f"{claim.who} was not heard of for more than {STALE_SECONDS:.0f} seconds"


def _epoch_seconds(folder: Path) -> float | None:
    """What a recent epoch took, the median; None where none is done."""
    try:
        seconds = read_table(folder / layout.EPOCHS, EpochRow, ["seconds"])["seconds"].to_pylist()
    except NasrankError:
        return None  # only the estimate is missing; who ingests the folder hears what is wrong with it
    return statistics.median(seconds[-_RECENT_EPOCHS:]) if seconds else None


def _wanted(folder: Path) -> int | None:
    """How many architectures the run is to predict."""
    try:
        request = read_request(folder)
    except NasrankError:
        return None
    return len(request.arch_ids) if request else None
