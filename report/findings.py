"""What a warehouse says of the paper's findings: the rows of its views, put into words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from nasrank.db.warehouse.reading import Reader
from nasrank.report import queries
from nasrank.report.charts.labels import set_name, signed, size_position
from nasrank.report.figures import ReportKey

STATEMENTS: Final[Mapping[int, str]] = {
    1: "Masking Zero, or Zero with Pool, makes S rank well; masking Skip or convolutions harms.",
    2: "The best architectures use C3x3 most, on about half of all edges, then Skip, C1x1, Zero and Pool.",
    3: "Linear transformers harm, unless only Skip and convolutions remain; there even M generalizes.",
    4: "Without topology sharing, with warm-up, clipping or regularization, S gains nothing measurable.",
    5: "Uniform sampling raises what S predicts but not how it ranks, and rescues some M networks.",
    6: "Many M networks fail to generalize.",
}
NOT_ENOUGH: Final = "not enough runs"
_BENCHMARK: Final = "benchmark"
# How a value is told: its name, the factor of what is shown, digits, unit.
_MEASURES: Final[Mapping[str, tuple[str, int, int, str]]] = {
    "tau_a": ("τa", 1, 2, ""),
    "tau": ("τ, random sample", 1, 3, ""),
    "a_n": ("predicted accuracy, random sample", 100, 1, " %"),
    "a_n_std": ("its deviation over seeds", 100, 1, " %"),
    "share": ("share of C3x3 on all edges", 100, 1, " %"),
    "lead": ("least lead over the next", 100, 1, " %"),
    "rescued": ("networks that no longer fail", 1, 0, ""),
    "failing": ("share of experiments that fail", 100, 0, " %"),
}
_SIGNS: Final = {"below": "<", "above": ">", "within": "from"}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One comparison, in words; `interval` and `reported` are empty where there is none."""

    claim: str
    subject: str
    measure: str
    expected: str
    reported: str
    value: str
    interval: str
    n: int
    verdict: str


@dataclass(frozen=True, slots=True)
class Scale:
    """A finding on one data set and size of networks; `name` is `benchmark` where no network is in it."""

    name: str
    verdict: str
    counts: Mapping[str, int]
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding of the paper, and what becomes of it on each scale; none where nothing was compared."""

    number: int
    statement: str
    scales: tuple[Scale, ...]


def read_findings(warehouse: Reader, key: ReportKey) -> list[Finding]:
    """All six, by the views `finding` and `finding_evidence`."""
    rows = queries.findings(warehouse, key.gt_key, key.bn_mode).to_dict("records")
    return [
        Finding(number, statement, tuple(_scales([row for row in rows if row["finding"] == number])))
        for number, statement in STATEMENTS.items()
    ]


def summarize(findings: Sequence[Finding]) -> tuple[list[str], dict[int, list[str]]]:
    """The scales at hand, and each finding's verdict on each; one about the benchmark is the same on all."""
    names = list(dict.fromkeys(scale.name for finding in findings for scale in finding.scales))
    scales = [name for name in names if name != _BENCHMARK] or names
    verdicts = {}
    for finding in findings:
        known = {scale.name: scale.verdict for scale in finding.scales}
        verdicts[finding.number] = [known.get(_BENCHMARK, known.get(name, NOT_ENOUGH)) for name in scales]
    return scales, verdicts


def _scales(rows: Sequence[Mapping[Any, Any]]) -> Iterator[Scale]:
    for row in sorted(rows, key=lambda row: (row["dataset"] != "cifar10", size_position(str(row["size"])))):
        counts = {
            "supported": int(row["supported"]),
            "contradicted": int(row["contradicted"]),
            "undecided": int(row["undecided"]),
            NOT_ENOUGH: int(row["not_enough_runs"]),
        }
        told = tuple(_in_words(known) for known in row["evidence"])
        yield Scale(_scale(row["dataset"], row["size"]), row["verdict"], counts, told)


def _scale(dataset: str | None, size: str | None) -> str:
    return _BENCHMARK if pd.isna(dataset) else f"{dataset}, {size}"


def _in_words(row: Mapping[Any, Any]) -> Evidence:
    measure, factor, digits, unit = _MEASURES[row["metric"]]

    def shown(number: float, more: int = 0) -> str:
        return f"{signed(number * factor, digits + more)}{unit}"

    is_difference = not pd.isna(row["other_id"])
    half = 0 if pd.isna(row["half_interval"]) else row["half_interval"]
    bounds = [row["bound"], row["opposite_bound"]] if row["direction"] == "within" else [row["bound"]]
    return Evidence(
        claim=f"{row['claim']}. {row['statement']}",
        subject=_subject(row),
        measure=f"difference in {measure}" if is_difference else measure,
        expected=f"{_SIGNS[row['direction']]} {' to '.join(shown(bound) for bound in bounds)}",
        reported="" if pd.isna(row["reported"]) else shown(row["reported"]),
        value=shown(row["value"]),
        interval=f"{shown(row['value'] - half)} to {shown(row['value'] + half)}" if half else "",
        n=int(row["n"]),
        verdict=row["verdict"],
    )


def _subject(row: Mapping[Any, Any]) -> str:
    if pd.isna(row["dataset"]):
        return str(row["architecture_set"])
    if pd.isna(row["experiment_id"]):
        return f"all of size {row['size']}"
    mask = f"mask {set_name(row['mask'])}"
    changed = " and ".join(filter(None, [row["lt"] and f"LT {row['lt']}", row["variant"]]))
    if pd.isna(row["other_id"]):
        return f"{mask}, {changed}"
    if row["lt"] or row["variant"] != "baseline":
        changed = f"LT {row['lt']}" if row["lt"] else row["variant"]
        return f"{mask}: {changed} − baseline"
    return f"{mask} − no mask"
