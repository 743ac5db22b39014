from __future__ import annotations

import itertools
import math
from importlib import resources

import duckdb
import pandas as pd
import pytest
import scipy.stats

from nasrank.db.warehouse.file import Warehouse
from nasrank.report.figures import ReportKey
from nasrank.report.findings import STATEMENTS, read_findings
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
        ("1a", "tau_a", {"mask": "Zero"} | s, "supported"),
        ("1a", "tau_a", {"mask": "Zero+Pool"} | s, "supported"),
        ("1b", "tau_a", {"mask": "Zero+Pool"} | s, "supported"),
        ("1c", "tau_a", {"mask": "Skip"} | s, "undecided"),  # exactly as no mask
        ("3a", "tau_a", {"lt": "Skip"} | s, "contradicted"),
        ("3a", "tau", {"lt": "Skip"} | s, "contradicted"),
        ("3b", "tau_a", {"mask": "Zero+Pool"} | s, "supported"),
        ("3c", "a_n", m, "supported"),
        ("3d", "a_n_std", m, "supported"),
        ("4", "tau_a", {"variant": "warmup"} | s, "contradicted"),
        ("4", "tau", {"variant": "warmup"} | s, "contradicted"),
        ("4", "tau_a", {"variant": "grad-clipping"} | s, "supported"),
        ("5a", "a_n", s, "supported"),
        ("5b", "tau_a", s, "supported"),
        ("5b", "tau", s, "supported"),
        ("5c", "rescued", m, "supported"),
        ("6", "failing", m, "supported"),
    ]:
        row = one(evidence, claim, metric, **where)
        assert row["verdict"] == verdict, (claim, metric, where, row.to_dict())
    assert one(evidence, "5c", "rescued")["value"] == 1
    assert one(evidence, "6", "failing")["value"] == pytest.approx(1 / 3)


def test_differences_and_intervals_by_scipy(studied: Warehouse, evidence: pd.DataFrame) -> None:
    """Each difference from the single runs, its interval by scipy, its verdict by the rule in words."""
    runs = studied.query(
        """SELECT experiment_id, seed, epoch, tau_a, tau, a_n FROM run_ranking
        WHERE gt_key = ? AND architecture_set = 'random'""",
        [KEY],
    ).set_index("seed")
    claims = studied.query("SELECT * FROM finding_claim").set_index(["claim", "metric"])
    paired = evidence.dropna(subset="other_id")
    assert len(paired) > 15
    for row in paired.itertuples():
        one_run, other = (
            runs.loc[runs["experiment_id"] == experiment_id, row.metric]
            for experiment_id in (row.experiment_id, row.other_id)
        )
        differences = (one_run - other).dropna()
        assert row.n == len(differences)
        assert row.value == pytest.approx(differences.mean(), abs=1e-12)
        if row.n < 2:
            assert math.isnan(row.half_interval)
        else:
            wanted = scipy.stats.t.ppf(0.975, row.n - 1) * scipy.stats.sem(differences)
            assert row.half_interval == pytest.approx(wanted, rel=1e-5, abs=1e-12)
        claim = claims.loc[(row.claim, row.metric)]
        assert row.verdict == verdict(row.value, row.half_interval, row.n, claim)


def verdict(value: float, half: float, n: int, claim: pd.Series) -> str:
    if n < 3:
        return "not enough runs"
    sign = 1 if claim["direction"] == "above" else -1
    worst, best = sign * value - half, sign * value + half
    if best < sign * claim["opposite_bound"]:
        return "contradicted"
    return "supported" if worst > sign * claim["bound"] else "undecided"


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
    assert one(evidence, "4", "tau_a", variant="warmup")["reported"] == pytest.approx(0.07 - 0.07)
    assert evidence.loc[evidence["metric"] != "tau_a", "reported"].isna().all()


def test_a_finding_sums_up_its_comparisons(studied: Warehouse, evidence: pd.DataFrame) -> None:
    findings = studied.query("SELECT * FROM finding WHERE gt_key = ?", [KEY])
    assert set(findings["finding"]) == set(STATEMENTS)
    for row in findings.itertuples():
        of_scale = evidence[evidence["finding"] == row.finding]
        same = of_scale["size"].isna() if pd.isna(row.size) else of_scale["size"] == row.size
        counts = of_scale.loc[same, "verdict"].value_counts()
        counted = [row.supported, row.contradicted, row.undecided, row.not_enough_runs]
        names = ["supported", "contradicted", "undecided", "not enough runs"]
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
                unnest($verdicts) AS verdict""",
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
    zero = next(row for row in first.evidence if row.subject == "mask Zero − no mask")
    told = (zero.measure, zero.expected, zero.reported, zero.n)
    assert told == ("difference in τa", "< 0.00", "−1.00", 3)
    known = one(evidence, "1a", "tau_a", mask="Zero")
    assert zero.value == f"−{-known['value']:.2f}"
    assert zero.interval.startswith(f"−{known['half_interval'] - known['value']:.2f} to ")
    assert [scale.name for scale in findings[2].scales] == ["benchmark"]


def test_one_seed_is_not_enough(evidence: pd.DataFrame) -> None:
    assert (evidence.loc[evidence["n"] < 3, "verdict"] == "not enough runs").all()
    assert (
        not evidence["experiment_id"].isin(evidence.loc[evidence["size"] == "depth-3", "experiment_id"]).any()
    )
