"""What a warehouse says at first sight, where it holds and where it does not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nasrank.app.snapshot import Snapshot
from nasrank.db.ingest.folders import ingest
from nasrank.db.nb201.architectures import parse_mask
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.ground_truth import architectures_to_predict, resolve_key
from nasrank.report import queries
from nasrank.report.headlines import (
    Headline,
    against_baseline,
    against_chance,
    against_oracle,
    against_parameters,
    baseline,
    headlines,
)
from nasrank.report.overview import Slice
from tests.samples import write_run_folder
from tests.study_data import KEY


def rows(*taus: float, half: float = 0.1, **columns: Any) -> pd.DataFrame:
    """Networks of the masks none, Zero, Skip, … with these τ, as `overview` tells of them."""
    masks = ["", "Zero", "Skip", "C1x1", "C3x3", "Pool"][: len(taus)]
    known = pd.DataFrame(
        {
            "experiment_id": [f"e{place}" for place in range(len(taus))],
            "mask": masks,
            "lt": "",
            "variant": "baseline",
            "size": "tiny",
            "label": [f"mask {mask or 'none'}" for mask in masks],
            "mean": taus,
            "half_interval": half,
            "seeds": 3,
            "difference": [float("nan"), *(tau - taus[0] for tau in taus[1:])],
            "difference_interval": half,
            "p_holm": float("nan"),
            "seeds_to_tell": 7,
            "parameters_difference": [tau - 0.5 for tau in taus],
            "parameters_p_holm": float("nan"),
            "permutations_low": -0.04,
            "permutations_high": 0.04,
        }
    )
    return known.assign(**columns)


def said(found: Headline | None) -> str:
    assert found is not None
    return found.sentence


@pytest.mark.parametrize(
    ("taus", "p_values", "expected"),
    [
        (
            (0.1, 0.2),
            (0.01, 0.01),
            "Counting parameters ranks better than every network here, certainly: mask Zero",
        ),
        (
            (0.1,),
            (0.01,),
            "Counting parameters ranks better than the network here, certainly: mask none has τ 0.10",
        ),
        (
            (0.1, 0.4),
            (0.01, 0.2),
            "No network here ranks certainly better than counting parameters does, and 1 of 2",
        ),
        (
            (0.4, 0.45),
            (0.2, 0.3),
            "No network here can be told from counting parameters: the highest, mask Zero,",
        ),
        (
            (0.7, 0.6),
            (0.01, 0.3),
            "1 of 2 networks ranks better than counting parameters does, certainly: mask none",
        ),
        (
            (0.7, 0.6),
            (0.01, 0.02),
            "Every network here ranks better than counting parameters does, certainly: mask",
        ),
    ],
)
def test_networks_and_the_number_of_parameters(
    taus: tuple[float, ...], p_values: tuple[float, ...], expected: str
) -> None:
    found = against_parameters(rows(*taus, parameters_p_holm=list(p_values)))
    assert said(found).startswith(expected)
    assert "counting parameters 0.50." in said(found)


@pytest.mark.parametrize(
    ("taus", "expected"),
    [
        (
            (0.0, 0.03),
            "No network here ranks the 50 best architectures certainly better than chance: at best, mask Z",
        ),
        (
            (0.03,),
            "The network here does not rank the 50 best architectures certainly better than chance: at best",
        ),
        # One in twenty alone is above 1.64 deviations; of six that is no finding.
        ((0.0, 0.04, 0.0, 0.0, 0.0, 0.0), "No network here ranks the 50 best architectures certainly better"),
        (
            (0.0, 0.3),
            "1 of 2 networks ranks the 50 best architectures better than chance, certainly: mask Zero has",
        ),
        (
            (0.2, 0.3, 0.2),
            "Every network here ranks the 50 best architectures better than chance, certainly: mask Z",
        ),
        # What is below chance is no better than it.
        ((-0.3, -0.2), "No network here ranks the 50 best architectures certainly better than chance"),
    ],
)
def test_the_best_architectures_and_chance(taus: tuple[float, ...], expected: str) -> None:
    found = against_chance(rows(*taus))
    assert said(found).startswith(expected)
    assert "chance up to 0.04" in said(found)
    assert found is not None
    assert found.parameters["set"] == ["top-50"]


@pytest.mark.parametrize(
    ("taus", "p_values", "expected"),
    [
        (
            (0.2, 0.3, 0.1),
            (0.01, 0.2),
            "Mask Zero ranks certainly better than mask none: τ 0.30 against 0.20, a diff",
        ),
        (
            (0.2, 0.3, 0.1),
            (0.2, 0.2),
            "No mask ranks certainly better than mask none: the highest, mask Zero, has τ ",
        ),
        (
            (0.2, 0.3, 0.1),
            (0.2, 0.01),
            "No mask ranks certainly better than mask none, and 1 of 2 certainly worse: the highest, mask Z",
        ),
        (
            (0.2, 0.1, 0.0),
            (0.01, 0.01),
            "Every other mask ranks certainly worse than mask none: the nearest, mask Z",
        ),
    ],
)
def test_masks_and_none(taus: tuple[float, ...], p_values: tuple[float, ...], expected: str) -> None:
    found = against_baseline(rows(*taus, p_holm=[float("nan"), *p_values]), "e0")
    assert said(found).startswith(expected)
    assert found is not None
    assert found.page == "compare"
    assert found.parameters["experiment"][0] == "e0"
    assert ("takes 7 seeds each, and it has 3" in said(found)) == (
        min(p_values) > 0.05 or p_values == (0.2, 0.01)
    )


def test_variants_are_held_against_the_baseline_where_there_is_one_mask() -> None:
    known = rows(0.2, 0.3, p_holm=[float("nan"), 0.01]).assign(mask="", label=["none", "none · warmup"])
    assert said(against_baseline(known, "e0")).startswith(
        "None · warmup ranks certainly better than none: τ 0.30"
    )


def test_what_could_be_reached() -> None:
    found = against_oracle(rows(0.2, 0.45), {"": 0.95, "Zero": 0.9})
    assert said(found).startswith(
        "The highest reaches 50 % of what the benchmark's own noise leaves to be reached"
    )
    assert said(against_oracle(rows(-0.2), {"": 0.95})).startswith("The highest reaches 0 % ")


def test_without_numbers_nothing_is_said() -> None:
    nothing = rows(0.1).iloc[:0]
    unknown = rows(0.1, 0.2, permutations_low=float("nan"), parameters_difference=float("nan"))
    for known in (nothing, unknown):
        assert against_parameters(known) is None
        assert against_chance(known) is None
        assert against_baseline(known, "e0") is None
        assert against_oracle(known, {}) is None


def headlines_of(warehouse: Warehouse, bn_mode: str = "running") -> list[str]:
    snapshot = Snapshot.take(warehouse.path)
    of = Slice("cifar10", KEY, bn_mode)
    return [one.sentence for one in headlines(snapshot, queries.experiments(snapshot), of, {})]


def test_the_shipped_networks_rank_no_better_than_their_parameters(shipped: Warehouse) -> None:
    """Checked by the intervals of the means alone, without any of what the rules use."""
    by_parameters, by_chance, by_mask = headlines_of(shipped)
    known = shipped.query(
        """SELECT experiment_id, mask, tau_mean FROM experiment_ranking
        WHERE gt_key = ? AND bn_mode = 'running' AND architecture_set = 'random' AND dataset = 'cifar10'
            AND is_final""",
        [KEY],
    )
    params = shipped.query(
        """SELECT mask, tau FROM run_ranking
        WHERE gt_key = ? AND name = 'params' AND architecture_set = 'random'""",
        [KEY],
    ).set_index("mask")["tau"]
    assert (known["tau_mean"] < known["mask"].map(params)).all()
    assert re.match(
        r"No network here ranks certainly better than counting parameters .* \d\d of 27", by_parameters
    )
    highest = known["tau_mean"].max()
    assert f"τ {highest:.2f} (" in by_parameters
    assert by_chance.startswith(
        "No network here ranks the 50 best architectures certainly better than chance"
    )
    assert by_mask.startswith("No mask ranks certainly better than mask none")


def test_networks_that_know_the_truth_are_told_to(warehouse: Warehouse, tmp_path: Path) -> None:
    truth = dict(
        warehouse.query("SELECT arch_id, accuracy FROM ground_truth WHERE gt_key = ?", [KEY]).itertuples(
            index=False
        )
    )
    folders = []
    for mask, noise in (("", 0.02), ("Zero", 0.0005)):
        with warehouse.read() as connection:
            arch_ids = architectures_to_predict(connection, parse_mask(mask), [resolve_key(connection, KEY)])
        for seed in range(3):
            errors = np.random.default_rng(seed).normal(0, noise, len(arch_ids))
            predictions: dict[int, float | None] = {
                arch_id: float(np.clip(truth[arch_id] + error, 0, 1))
                for arch_id, error in zip(arch_ids, errors, strict=True)
            }
            folders.append(write_run_folder(tmp_path, predictions, seed=seed, mask=mask))
    assert not ingest(warehouse, folders).problems
    by_parameters, by_chance, by_mask = headlines_of(warehouse)
    assert by_parameters.startswith(
        "Every network here ranks better than counting parameters does, certainly:"
    )
    assert by_chance.startswith(("Every network here ranks", "1 of 2 networks ranks"))
    assert by_mask.startswith("Mask Zero ranks certainly better than mask none: τ 0.9")


def test_a_warehouse_without_networks_says_nothing(warehouse: Warehouse) -> None:
    assert headlines_of(warehouse) == []


def test_the_baseline_has_neither_lt_nor_variant() -> None:
    known = pd.DataFrame(
        {"experiment_id": ["a", "b"], "lt": ["Skip", ""], "variant": ["baseline", "baseline"]}
    )
    assert baseline(known) == "b"
    assert baseline(known.iloc[:1]) == "a"
