"""What a warehouse says of the paper's findings: the rows of its views, put into words.

A finding rests on measures that were declared before the numbers (the view `finding_claim`); the paper's own
τa stands beside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from nasrank.db.warehouse.reading import Reader
from nasrank.report import queries
from nasrank.report.charts.labels import set_name, signed, size_position
from nasrank.report.figures import ReportKey
from nasrank.report.power import about

STATEMENTS: Final[Mapping[int, str]] = {
    1: "Masking Zero, or Zero with Pool, makes S rank well; masking Skip or convolutions harms.",
    2: "The best architectures use C3x3 most, on about half of all edges, then Skip, C1x1, Zero and Pool.",
    3: "Linear transformers harm, unless only Skip and convolutions remain; there even M generalizes.",
    4: "Without topology sharing, with warm-up, clipping or regularization, S gains nothing measurable.",
    5: "Uniform sampling raises what S predicts but not how it ranks, and rescues some M networks.",
    6: "Many M networks fail to generalize.",
}
RULE: Final = (
    "A comparison is of means over seeds; its 95 % interval is Student's t with the deviation of all "
    "experiments that vary alike and, where these differ in how much they vary, the wider of that and its "
    "own. It supports a claim if the value is certainly where the claim says, contradicts it if the value is "
    "certainly on the other side, after Holm's correction for all comparisons of the finding, and is "
    "undecided otherwise. At the limit, what it is compared with leaves no other outcome. Fewer than three "
    "seeds are not enough runs. No gain means none of 0.05 in τ or of 0.1 deviations in the gap. A finding "
    "is supported or contradicted if all its comparisons are, partly so if the others are undecided, and "
    "mixed if there are both kinds."
)
WHAT_DECIDES: Final = (
    "What decides was declared before the numbers: τ in the random sample and, under one mask, the gap: by "
    "how many deviations of its predictions the top-500 are predicted above the random sample. The paper's "
    "own τa stands beside, and decides nothing."
)
SCALE: Final = (
    "The paper speaks of sizes S and M on CIFAR-10, with five seeds and 250 epochs: what other scales say is "
    "no repetition of it."
)
NOT_ASKED: Final = "not asked"
# In the order in which they are counted.
VERDICTS: Final = ("supported", "contradicted", "undecided", "at the limit", "not enough runs")
_BENCHMARK: Final = "benchmark"
# How a value is told: its name, the factor of what is shown, digits, unit.
_MEASURES: Final[Mapping[str, tuple[str, int, int, str]]] = {
    "tau_a": ("τa", 1, 2, ""),
    "tau": ("τ, random sample", 1, 3, ""),
    "gap_std": ("gap in deviations", 1, 2, ""),
    "a_n": ("predicted accuracy, random sample", 100, 1, " %"),
    "a_n_std": ("its deviation over seeds", 100, 1, " %"),
    "share": ("share of C3x3 on all edges", 100, 1, " %"),
    "lead": ("least lead over the next", 100, 1, " %"),
    "rescued": ("networks that no longer fail", 1, 0, ""),
    "failing": ("share of experiments that fail", 100, 0, " %"),
}
_SIGNS: Final = {"below": "<", "above": ">", "within": "from"}


_LEVEL: Final = 0.05


@dataclass(frozen=True, slots=True)
class Evidence:
    """One comparison, in words; `interval`, `reported` and `corrected` are empty where there is none.

    decides: whether the finding rests on it, and not only the paper's own measure. corrected: the p-value
    after Holm's correction, and for how many comparisons. meaning: what follows, in a sentence.
    """

    claim: str
    subject: str
    measure: str
    decides: bool
    expected: str
    reported: str
    value: str
    interval: str
    n: str
    corrected: str
    verdict: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Scale:
    """A finding on one data set and size of networks; `name` is `benchmark` where no network is in it.

    counts: of the comparisons that decide, by verdict. verdict_by_tau_a: what those of the paper's own
    measure come to; empty where there are none.
    """

    name: str
    verdict: str
    verdict_by_tau_a: str
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


def summarize(findings: Sequence[Finding]) -> tuple[list[str], dict[int, list[tuple[str, str]]]]:
    """The scales at hand, and each finding's verdict on each, with that by τa (empty where there is none).

    A finding about the benchmark is the same on all scales.
    """
    names = list(dict.fromkeys(scale.name for finding in findings for scale in finding.scales))
    scales = [name for name in names if name != _BENCHMARK] or names
    verdicts = {}
    for finding in findings:
        known = {scale.name: (scale.verdict, scale.verdict_by_tau_a) for scale in finding.scales}
        verdicts[finding.number] = [
            known.get(_BENCHMARK, known.get(name, (NOT_ASKED, ""))) for name in scales
        ]
    return scales, verdicts


def _scales(rows: Sequence[Mapping[Any, Any]]) -> Iterator[Scale]:
    for row in sorted(rows, key=lambda row: (row["dataset"] != "cifar10", size_position(str(row["size"])))):
        counts = {verdict: int(row[verdict.replace(" ", "_")]) for verdict in VERDICTS}
        told = tuple(_in_words(known) for known in row["evidence"])
        by_tau_a = "" if pd.isna(row["verdict_by_tau_a"]) else row["verdict_by_tau_a"]
        yield Scale(_scale(row["dataset"], row["size"]), row["verdict"], by_tau_a, counts, told)


def _scale(dataset: str | None, size: str | None) -> str:
    return _BENCHMARK if pd.isna(dataset) else f"{dataset}, {size}"


def _in_words(row: Mapping[Any, Any]) -> Evidence:
    measure, factor, digits, unit = _MEASURES[row["metric"]]

    def shown(number: float, more: int = 0) -> str:
        return f"{signed(number * factor, digits + more)}{unit}"

    is_difference = not pd.isna(row["other_id"])
    bounds = [row["bound"], row["opposite_bound"]] if row["direction"] == "within" else [row["bound"]]
    seeds = [f"{int(n):,}" for n in (row["n"], row["other_n"]) if not pd.isna(n)]
    return Evidence(
        claim=f"{row['claim']}. {row['statement']}",
        subject=_subject(row),
        measure=f"difference in {measure}" if is_difference else measure,
        decides=bool(row["decides"]),
        expected=f"{_SIGNS[row['direction']]} {' to '.join(shown(bound) for bound in bounds)}",
        reported="" if pd.isna(row["reported"]) else shown(row["reported"]),
        value=shown(row["value"]),
        interval="" if pd.isna(row["low"]) else f"{shown(row['low'])} to {shown(row['high'])}",
        n=" and ".join(dict.fromkeys(seeds)),
        corrected="" if pd.isna(row["p_holm"]) else f"{row['p_holm']:.3f} of {row['comparisons']}",
        verdict=row["verdict"],
        meaning=" ".join(filter(None, [_meaning(row), _between_masks(row)])),
    )


def _meaning(row: Mapping[Any, Any]) -> str:
    """What follows from a verdict; nothing for what is counted."""
    verdict, digits = row["verdict"], _MEASURES[row["metric"]][2]
    if verdict == "not enough runs":
        return "Three seeds of each are needed."
    if verdict == "at the limit":
        return "No other outcome was possible: what it is compared with is too near the end of the measure."
    if pd.isna(row["p_value"]):
        return ""
    if verdict != "undecided":
        return f"Certain after correction for {row['comparisons']}."
    if row["p_value"] < _LEVEL:
        return f"Certain alone, not after correction for {row['comparisons']}."
    few = int(min(n for n in (row["n"], row["other_n"]) if not pd.isna(n)))
    as_seen, for_smallest = (about(row[name]) for name in ("seeds_as_seen", "seeds_for_smallest"))
    factor, unit = _MEASURES[row["metric"]][1], _MEASURES[row["metric"]][3]
    smallest = f"{signed(row['smallest'] * factor, min(digits, 2))}{unit}"
    return (
        f"Cannot be told with {few} seeds; if the truth is as seen, {as_seen} would, and {for_smallest} tell "
        f"{smallest}, at 80 % power."
    )


def _between_masks(row: Mapping[Any, Any]) -> str:
    """What else differs between two masks: how well anything ranks, and how well counting does."""
    told = [
        f"{name} {signed(row[own], 2)} against {signed(row[other], 2)}"
        for name, own, other in (
            ("an oracle has", "oracle", "other_oracle"),
            ("counting parameters", "parameters", "other_parameters"),
        )
        if not pd.isna(row[own]) and not pd.isna(row[other])
    ]
    return f"Between these masks {', '.join(told)}." if told else ""


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
    return f"{mask} − {set_name('')}"
