"""A run from beginning to end: train, checkpoint, predict, and leave everything in its folder.

The same call begins a run, continues one that was interrupted or killed, adds predictions to a finished
one, and has nothing to do where all is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from nasrank.db.errors import NasrankError
from nasrank.db.nb201.architectures import NUM_ARCHITECTURES
from nasrank.db.runs.claims import Claim
from nasrank.db.runs.folder import Request, RunFolder
from nasrank.db.runs.status import RunStatus
from nasrank.trainer.config import ExperimentConfig, check_bn_modes, run_id
from nasrank.trainer.environment import choose_device, memory_that_may_end
from nasrank.trainer.evaluation.evaluator import EvaluationOptions, check_available, random_sample
from nasrank.trainer.images.run_images import RunImages, load_run_images
from nasrank.trainer.messages import say
from nasrank.trainer.network.supernet import build_supernet
from nasrank.trainer.predicting import Predictor, missing_predictions
from nasrank.trainer.progress import Progress, stderr_progress
from nasrank.trainer.record import RunRecord, continued_status, new_status, now, run_config
from nasrank.trainer.session import Session
from nasrank.trainer.stopping import StopSignal
from nasrank.trainer.training.checkpoint import Checkpointer
from nasrank.trainer.training.recording import record_on_cuda
from nasrank.trainer.training.training import WATCHED_IMAGES, Diverged, Training


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """A run: an experiment with a seed, and what it is to predict.

    Args:
        arch_ids: the architectures to predict; those that the run has noted earlier stay.
        ground_truth_keys: recorded with the run: by which rankings they were chosen.
        evaluation: under which BN modes, and whether during training, too.
    """

    config: ExperimentConfig
    seed: int
    arch_ids: Sequence[int]
    ground_truth_keys: Sequence[str] = ()
    evaluation: EvaluationOptions = field(default_factory=EvaluationOptions)

    def __post_init__(self) -> None:
        check_available(self.arch_ids, self.config.operations)
        check_bn_modes(self.config, self.evaluation.bn_modes)

    @property
    def run_id(self) -> str:
        """The name of the run and of its folder."""
        return run_id(self.config, self.seed)

    @property
    def wanted(self) -> list[int]:
        """All architectures to predict, those that the evaluation asks for included."""
        if self.evaluation.architectures == "all":
            return [*self.arch_ids, *random_sample(self.config.operations, NUM_ARCHITECTURES)]
        return list(self.arch_ids)


@dataclass(frozen=True, kw_only=True)
class RunPaths:
    """Where runs leave their folders, and where prepared images lie."""

    runs_dir: Path
    data_dir: Path


@dataclass(frozen=True, kw_only=True)
class Compute:
    """What a run computes with.

    Args:
        device: `auto`, `cpu` or `cuda`.
        threads: of PyTorch on the CPU, for the whole process; None leaves PyTorch's choice.
    """

    device: str = "auto"
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.threads is not None and self.threads < 1:
            raise NasrankError(f"threads is {self.threads}; give at least 1")


@dataclass(frozen=True)
class RunResult:
    """`already_finished`: every prediction asked for was there, and nothing was done."""

    run_id: str
    folder: Path
    status: str
    already_finished: bool


def run_experiment(
    spec: RunSpec,
    paths: RunPaths,
    compute: Compute | None = None,
    *,
    progress: Progress | None = None,
    patience: float = 0.0,
) -> RunResult:
    """Train a super-network and predict architectures with it, in `runs_dir/<run_id>`.

    Args:
        compute: None: the defaults of `Compute`.
        progress: None: on stderr.
        patience: seconds to wait for the claim of another process on the run's folder to end.

    Raises `Interrupted` after SIGINT, SIGTERM or SIGHUP (everything is saved), `Diverged` where the loss
    became infinite or NaN, and `NasrankError` for images, architectures or folders that do not fit.
    """
    compute = compute or Compute()
    device = choose_device(compute.device)
    folder = RunFolder(paths.runs_dir / spec.run_id)
    stop = StopSignal()
    with folder.claimed(patience=patience, on_loss=stop.request) as claim, stop:
        folder.write_config(run_config(spec.config, spec.seed))
        previous = folder.read_status()
        _refuse_failed(folder, previous)
        request = folder.add_architectures(spec.wanted, spec.ground_truth_keys)
        if previous is not None and _is_complete(folder, spec, previous, request):
            if request.ground_truth_keys != previous.ground_truth_keys:
                _note_keys(folder, previous, request)
            return RunResult(spec.run_id, folder.path, previous.status, already_finished=True)
        if compute.threads is not None:
            torch.set_num_threads(compute.threads)
        session = Session(progress or stderr_progress(), stop)
        try:
            with memory_that_may_end():
                images = load_run_images(spec.config, spec.seed, paths.data_dir, device)
                status = new_status(spec.run_id, spec.config.epochs, images, request.ground_truth_keys)
                status = continued_status(status, previous)
                work = _take_up(spec, images, status, _Claimed(folder, claim), session)
            work.do(request.arch_ids)
        finally:
            if progress is None:
                session.progress.close()
        return RunResult(spec.run_id, folder.path, work.record.status.status, already_finished=False)


@dataclass(frozen=True)
class _Work:
    """One process's work on a run, whose parts stand where its files say: trains, predicts, goes on."""

    folder: RunFolder
    training: Training
    checkpointer: Checkpointer
    predictor: Predictor
    record: RunRecord
    session: Session

    def do(self, wanted: Sequence[int]) -> None:
        """Train what is left and predict what is missing; the record says throughout how it stands."""
        record, was_finished = self.record, self.record.status.status == "finished"
        try:
            if was_finished and self.training.finished:
                # As it was, but written now: who watches the folder sees that somebody works on it again.
                record.mark("finished", finished_at=record.status.finished_at)
            else:
                record.mark("running")
            # Only on the CPU is it sure that training again ends with the very same weights.
            self.folder.drop_predictions(after=self.training.epoch)
            with memory_that_may_end():
                self._train()
                with record.evaluating():
                    self.predictor.predict(wanted)
        except Diverged as error:
            record.mark("failed", message=str(error), failed_epoch=error.epoch)
            raise
        except Exception as error:
            # A finished run stays one: what was to be added to it is missing, nothing that it had.
            if record.status.status != "finished":
                record.mark("interrupted", message=str(error) or type(error).__name__)
            raise
        record.mark("finished", finished_at=record.status.finished_at or now())

    def _train(self) -> None:
        if self.training.finished:
            return
        if self.training.batch == 0:
            self._predict_if_due()  # what was cut short
        if self.training.device.type == "cuda":
            _record_groups(self.training)
        self.training.run(
            after_epoch=self._after_epoch,
            save=self.checkpointer.save,
            progress=self.session.progress,
            stop=self.session.stop,
        )

    def _after_epoch(self) -> None:
        is_last = self.training.finished
        if is_last or self.predictor.is_due or self.checkpointer.is_due:
            self.checkpointer.save()
        if is_last or self.record.is_due:
            self.record.mark("running")
        self._predict_if_due()

    def _predict_if_due(self) -> None:
        if self.predictor.is_due:
            with self.record.evaluating():
                self.predictor.predict_sample()


@dataclass(frozen=True)
class _Claimed:
    """A run's folder, and this process's claim on it."""

    folder: RunFolder
    claim: Claim


def _take_up(
    spec: RunSpec, images: RunImages, status: RunStatus, claimed: _Claimed, session: Session
) -> _Work:
    """Bring a run to where its files say it stands."""
    folder, claim = claimed.folder, claimed.claim
    supernet = build_supernet(
        spec.config,
        spec.seed,
        image_shape=images.dataset.images.shape[1:],
        num_classes=images.dataset.num_classes,
    )
    training = Training(
        spec.config, spec.seed, supernet.to(images.device), images.train, images.watched(WATCHED_IMAGES)
    )
    predictor = Predictor(folder, training, images, spec.evaluation, session)
    checkpointer = Checkpointer(folder.path, claim, training)
    # A network without training is its seed's.
    if not checkpointer.resume() and status.status == "finished" and not training.finished:
        raise NasrankError(
            f"run {spec.run_id} is finished, but its checkpoint is gone, so it can predict no "
            f"further architectures; delete {folder.path} to train it again"
        )
    record = RunRecord(folder, claim, training, status)
    return _Work(folder, training, checkpointer, predictor, record, session)


def _refuse_failed(folder: RunFolder, status: RunStatus | None) -> None:
    if status is not None and status.status == "failed":
        raise NasrankError(
            f"run {folder.path.name} failed before: {status.message}; "
            f"delete {folder.path} to try it again, or run another seed"
        )


def _is_complete(folder: RunFolder, spec: RunSpec, status: RunStatus, request: Request) -> bool:
    return status.status == "finished" and not any(
        missing_predictions(folder, request.arch_ids, spec.config.epochs, bn_mode)
        for bn_mode in spec.evaluation.bn_modes
    )


def _note_keys(folder: RunFolder, status: RunStatus, request: Request) -> None:
    folder.write_status(replace(status, ground_truth_keys=request.ground_truth_keys, updated_at=now()))


def _record_groups(training: Training) -> None:
    """Where groups can be recorded, and it pays; says which. No run fails for it."""
    try:
        ratio = training.record_groups(record_on_cuda)
    except RuntimeError as error:
        say(f"each path is trained by itself, as their groups cannot be recorded on this GPU: {error}")
        return
    if ratio is not None:
        how = "played as recorded" if training.plays_groups else "trained path by path"
        say(f"groups of paths are {how}: recorded, they take {1 / ratio:.2f} times as long as path by path")
