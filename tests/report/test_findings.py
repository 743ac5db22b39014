from __future__ import annotations

import itertools
from importlib import resources
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
import scipy.stats

from nasrank.db.warehouse.file import Warehouse
from nasrank.report.figures import ReportKey
from nasrank.report.findings import STATEMENTS, VERDICTS, read_findings
from tests.db.views.test_views_of_experiments import holm
from tests.errors_of_means import errors_of
from tests.study_data import KEY

REPORT_KEY = ReportKey(KEY, "running")


@pytest.fixture(scope="module")
def evidence(studied: Warehouse) -> pd.DataFrame:
    return studied.query("SELECT * FROM finding_evidence WHERE gt_key = ?", [KEY])


def one(evidence: pd.DataFrame, claim: str, metric: str, **where: str) -> pd.Series:
    chosen = evidence[(evidence["claim"] == claim) & (evidence["metric"] == metric)]
    for column, value in where.items():
        chosen = chosen[chosen[column] == value]
    assert len(chosen) == 1
    return chosen.iloc[0]


def test_what_the_study_was_made_to_say(evidence: pd.DataFrame) -> None:
    s, m = {"size": "S"}, {"size": "M"}
    for claim, metric, where, verdict in [
        ("1a", "tau", {"mask": "Zero"} | s, "supported"),
        ("1a", "tau", {"mask": "Zero+Pool"} | s, "supported"),
        ("1b", "tau", {"mask": "Zero+Pool"} | s, "supported"),
        ("1c", "tau", {"mask": "Skip"} | s, "undecided"),  # exactly as no mask
        ("3a", "tau", {"lt": "Skip"} | s, "contradicted"),
        ("3a", "gap_std", {"lt": "Skip"} | s, "contradicted"),
        ("3a", "tau_a", {"lt": "Skip"} | s, "contradicted"),
        ("3b", "tau", {"mask": "Zero+Pool"} | s, "supported"),
        ("3b", "gap_std", {"mask": "Zero+Pool"} | s, "supported"),
        # From -1 no gain is possible, but harm would be.
        ("3b", "tau_a", {"mask": "Zero+Pool"} | s, "undecided"),
        ("3c", "a_n", m, "supported"),
        ("3d", "a_n_std", m, "supported"),
        ("4", "tau", {"variant": "warmup", "mask": ""} | s, "contradicted"),
        ("4", "gap_std", {"variant": "warmup", "mask": ""} | s, "contradicted"),
        ("4", "tau", {"variant": "grad-clipping"} | s, "supported"),
        ("4", "tau_a", {"variant": "warmup", "mask": "Zero+Pool"} | s, "at the limit"),
        ("5a", "a_n", s, "supported"),
        ("5b", "tau", s, "supported"),
        ("5b", "gap_std", s, "supported"),
        ("5b", "tau", m, "contradicted"),
        ("5c", "rescued", m, "supported"),
        ("6", "failing", m, "supported"),
    ]:
        row = one(evidence, claim, metric, **where)
        assert row["verdict"] == verdict, (claim, metric, where, row.to_dict())
    assert one(evidence, "5c", "rescued")["value"] == 1
    assert one(evidence, "6", "failing")["value"] == pytest.approx(1 / 3)


def test_what_decides_was_declared_before_the_numbers(studied: Warehouse, evidence: pd.DataFrame) -> None:
    claims = studied.query("SELECT * FROM finding_claim")
    assert set(claims.loc[~claims["decides"], "metric"]) == {"tau_a"}
    assert not claims.loc[claims["metric"] == "tau_a", "decides"].any()
    assert set(claims.loc[claims["decides"], "finding"]) == set(STATEMENTS)
    between_masks = claims[claims["claim"].isin(["1a", "1b", "1c"]) & claims["decides"]]
    assert set(between_masks["metric"]) == {"tau"}, "other masks have other gaps by themselves"
    both = evidence.merge(claims, on=["claim", "metric"], suffixes=("", "_claimed"))
    assert (both["decides"] == both["decides_claimed"]).all()


METRICS = ("tau", "gap_std", "tau_a", "a_n")


@pytest.fixture(scope="module")
def of_seeds(studied: Warehouse) -> pd.DataFrame:
    """The metrics of every run in the random sample at its end, with its variance group."""
    return studied.query(
        """SELECT experiment_id, seed, epoch, variance_group, tau, gap_std, tau_a, a_n
        FROM run_ranking
        JOIN variance_group USING (experiment_id)
        WHERE gt_key = ? AND architecture_set = 'random' AND is_final""",
        [KEY],
    )


def test_differences_intervals_and_verdicts_by_scipy(
    studied: Warehouse, evidence: pd.DataFrame, of_seeds: pd.DataFrame
) -> None:
    """Each from the single runs: the interval by scipy, Holm by going through, the verdict by the rule."""
    claims = studied.query("SELECT * FROM finding_claim").set_index(["claim", "metric"])
    tested = evidence[evidence["metric"].isin(METRICS)]
    assert tested["other_id"].notna().sum() > 20
    assert tested["other_id"].isna().sum() >= 5
    sides: dict[Any, tuple[float, float]] = {}
    for place, row in tested.iterrows():
        known = errors_of(of_seeds, row["experiment_id"], row["metric"])
        if not pd.isna(row["other_id"]):
            other = errors_of(of_seeds, row["other_id"], row["metric"])
            assert row["other_n"] == other.n
            known = known.minus(other)
        has_one = row["metric"] == "a_n" or (row["metric"] == "tau" and not pd.isna(row["other_id"]))
        name, error, degrees = known.chosen(has_one_deviation=has_one)
        mean = known.mean
        assert row["n"] == known.n
        assert row["deviation"] == name
        assert row["value"] == pytest.approx(mean, abs=1e-12)
        half = known.half(has_one_deviation=has_one)
        assert row["high"] - row["low"] == pytest.approx(2 * half, rel=1e-5)
        claim = claims.loc[(row["claim"], row["metric"])]
        sign = 1 if claim["direction"] == "above" else -1
        beyond = sign * (mean - claim["bound"])
        short = sign * (claim["opposite_bound"] - mean)
        sides[place] = tuple(
            2 * scipy.stats.t.sf(distance / error, degrees) if distance > 0 else 1.0
            for distance in (beyond, short)
        )
    for _, family in tested.groupby(["finding", "size", "decides"]):
        counted = family[family["verdict"] != "at the limit"]
        p_values = [min(sides[place]) for place in counted.index]
        assert counted["p_value"].tolist() == pytest.approx(p_values, abs=1e-6)
        assert sorted(counted["p_holm"]) == pytest.approx(holm(p_values), abs=1e-6)
        assert (counted["comparisons"] == len(counted)).all()
        in_order = counted.iloc[np.argsort(p_values, kind="stable")]
        for (place, row), corrected in zip(in_order.iterrows(), holm(p_values), strict=True):
            supports, contradicts = sides[place]
            wanted = (
                "undecided"
                if corrected >= 0.05
                else "supported"
                if supports < contradicts
                else "contradicted"
            )
            assert row["verdict"] == wanted


def test_a_small_but_certain_gain_contradicts_that_there_is_none(studied: Warehouse) -> None:
    """Between both bounds: more than none, less than what would matter."""
    [row] = studied.query(
        """SELECT p_beyond(0.02, 0.05, 'below', 0.001, 40) AS supports,
            p_beyond(0.02, 0, 'above', 0.001, 40) AS gains,
            p_beyond(0.06, 0.05, 'below', 0.001, 40) AS beyond"""
    ).itertuples()
    assert max(row.supports, row.gains) < 1e-9
    assert row.beyond == 1


@pytest.mark.parametrize(
    ("direction", "bound", "least", "greatest", "is_at_limit"),
    [
        ("above", -0.25, -0.02, 1.98, True),  # no gain of 0.25 is possible from -0.98
        ("above", -0.25, -0.5, 1.5, False),
        ("above", 0, 0, 2, False),  # harm is possible from -1, and so is none
        ("below", 0, 0, 2, True),  # nothing is better than -1
        ("below", 0.05, -1.2, 0.8, False),
        ("above", 0, None, None, False),
        ("within", 0.4, None, None, False),
    ],
)
def test_at_the_limit_no_other_outcome_is_possible(
    studied: Warehouse,
    direction: str,
    bound: float,
    least: float | None,
    greatest: float | None,
    is_at_limit: bool,
) -> None:
    found = studied.query("SELECT is_at_the_limit(?, ?, ?, ?) AS it", [direction, bound, least, greatest])
    assert bool(found["it"][0]) is is_at_limit


def test_masks_have_oracle_and_parameters_beside(studied: Warehouse, evidence: pd.DataFrame) -> None:
    row = one(evidence, "1a", "tau", mask="Zero")
    oracle = studied.query(
        """SELECT mask, mean FROM oracle_ceiling
        WHERE gt_key = ? AND architecture_set = 'random' AND metric = 'tau'""",
        [KEY],
    ).set_index("mask")["mean"]
    counted = studied.query(
        """SELECT mask, tau FROM run_ranking
        WHERE gt_key = ? AND architecture_set = 'random' AND kind = 'untrained' AND name = 'params'""",
        [KEY],
    ).set_index("mask")["tau"]
    assert (row["oracle"], row["other_oracle"]) == (oracle["Zero"], oracle[""])
    assert (row["parameters"], row["other_parameters"]) == (counted["Zero"], counted[""])
    within = evidence[evidence["claim"].isin(["3a", "4"])]
    assert within[["oracle", "parameters"]].isna().all().all()


def test_operations_by_counting(studied: Warehouse, evidence: pd.DataFrame) -> None:
    """Finding 2 from the strings of the N best."""
    best = studied.query(
        """SELECT arch_str FROM ground_truth JOIN architecture USING (arch_id)
        WHERE gt_key = ? ORDER BY accuracy DESC, arch_id""",
        [KEY],
    )["arch_str"]
    names = ["nor_conv_3x3", "skip_connect", "nor_conv_1x1", "none", "avg_pool_3x3"]
    for n in (10, 25, 50, 100, 150, 250, 500):
        text = " ".join(best[:n])
        shares = [text.count(f"|{name}~") / (6 * n) for name in names]
        assert one(evidence, "2a", "share", architecture_set=f"top-{n}")["value"] == pytest.approx(shares[0])
        lead = min(one - other for one, other in itertools.pairwise(shares))
        assert one(evidence, "2b", "lead", architecture_set=f"top-{n}")["value"] == pytest.approx(lead)


def test_what_the_paper_reports_stands_beside(evidence: pd.DataFrame) -> None:
    assert one(evidence, "1b", "tau_a", mask="Zero")["reported"] == pytest.approx(-0.93)
    assert one(evidence, "1a", "tau_a", mask="Zero")["reported"] == pytest.approx(-0.93 - 0.07)
    assert one(evidence, "4", "tau_a", variant="warmup", mask="")["reported"] == pytest.approx(0.07 - 0.07)
    assert evidence.loc[evidence["metric"] != "tau_a", "reported"].isna().all()


def test_a_finding_sums_up_its_comparisons(studied: Warehouse, evidence: pd.DataFrame) -> None:
    findings = studied.query("SELECT * FROM finding WHERE gt_key = ?", [KEY])
    assert set(findings["finding"]) == set(STATEMENTS)
    for row in findings.itertuples():
        of_scale = evidence[(evidence["finding"] == row.finding) & evidence["decides"]]
        same = of_scale["size"].isna() if pd.isna(row.size) else of_scale["size"] == row.size
        counts = of_scale.loc[same, "verdict"].value_counts()
        counted = [getattr(row, name.replace(" ", "_")) for name in VERDICTS]
        names = VERDICTS
        assert counted == [counts.get(name, 0) for name in names]
    verdicts = findings.set_index(["finding", "size"])["verdict"]
    assert verdicts[1, "S"] == "partly supported"
    assert verdicts[4, "S"] == "mixed"
    assert verdicts[6, "M"] == "supported"


@pytest.mark.parametrize(
    ("supported", "contradicted", "undecided", "not_enough", "verdict"),
    [
        (2, 0, 0, 1, "supported"),
        (1, 0, 9, 0, "partly supported"),
        (0, 2, 0, 0, "contradicted"),
        (0, 1, 9, 0, "partly contradicted"),
        (1, 1, 9, 0, "mixed"),
        (0, 0, 1, 3, "undecided"),
        (0, 0, 0, 3, "not enough runs"),
    ],
)
def test_a_finding_claims_no_more_than_its_comparisons(
    supported: int, contradicted: int, undecided: int, not_enough: int, verdict: str
) -> None:
    counts = {
        "supported": supported,
        "contradicted": contradicted,
        "undecided": undecided,
        "not enough runs": not_enough,
    }
    verdicts = [name for name, count in counts.items() for _ in range(count)]
    with duckdb.connect() as connection:
        connection.execute(
            """CREATE TABLE finding_evidence AS
            SELECT 1 AS finding, 'cifar10' AS dataset, 'S' AS size, 'running' AS bn_mode, 'key' AS gt_key,
                TRUE AS decides, unnest($verdicts) AS verdict
            UNION ALL SELECT 1, 'cifar10', 'S', 'running', 'key', FALSE, 'mixed'""",
            {"verdicts": verdicts},
        )
        view = resources.files("nasrank.db").joinpath("views", "paper", "71_finding.sql")
        connection.execute(view.read_text(encoding="utf-8"))
        assert connection.execute("SELECT verdict FROM finding").fetchall() == [(verdict,)]


def test_findings_in_words(studied: Warehouse, evidence: pd.DataFrame) -> None:
    with studied.reading() as reading:
        findings = {finding.number: finding for finding in read_findings(reading, REPORT_KEY)}
    assert list(findings) == list(STATEMENTS)
    first = findings[1].scales[0]
    assert (first.name, first.verdict) == ("cifar10, S", "partly supported")
    of_zero = [row for row in first.evidence if row.subject == "mask Zero − none"]
    assert [row.decides for row in of_zero] == [True, False]
    decides, beside = of_zero
    assert (decides.measure, decides.expected, decides.reported) == (
        "difference in τ, random sample",
        "> 0.000",
        "",
    )
    assert "Certain after correction for 5. Between these masks an oracle has 0." in decides.meaning
    told = (beside.measure, beside.expected, beside.reported, beside.n)
    assert told == ("difference in τa", "< 0.00", "−1.00", "3")
    known = one(evidence, "1a", "tau_a", mask="Zero")
    assert beside.value == f"−{-known['value']:.2f}"
    assert beside.interval.startswith(f"−{-known['low']:.2f} to ")
    assert beside.meaning == "Certain alone, not after correction for 5."
    skip = next(row for row in first.evidence if row.subject == "mask Skip − none" and row.decides)
    assert skip.meaning.startswith("Cannot be told with 3 seeds; if the truth is as seen, ")
    assert " tell 0.05, at 80 % power." in skip.meaning
    fourth = next(scale for scale in findings[4].scales if scale.name == "cifar10, S")
    assert any(row.meaning.startswith("No other outcome was possible") for row in fourth.evidence)
    assert [scale.name for scale in findings[2].scales] == ["benchmark"]


def test_one_seed_is_not_enough(evidence: pd.DataFrame) -> None:
    few = (evidence["n"] < 3) | (evidence["other_n"] < 3)
    assert (evidence.loc[few, "verdict"] == "not enough runs").all()
    assert evidence.loc[few, "p_value"].isna().all()
    assert (
        not evidence["experiment_id"].isin(evidence.loc[evidence["size"] == "depth-3", "experiment_id"]).any()
    )
