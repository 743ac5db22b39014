"""What the panels of the page Scatter show: which predictions, their numbers, and what lies in a range."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from nasrank.app.snapshot import Snapshot
from nasrank.app.views.scatter import queries
from nasrank.db.nb201.architectures import Architecture
from nasrank.db.warehouse.models import WITHOUT_NETWORK
from nasrank.report.charts.labels import signed
from nasrank.report.charts.scatter_chart import DRAWN, Panel

AT_THE_END = "last"
# What axes are called in sentences.
AXES: Final = {"truth": "ground truth", "predicted": "prediction"}
# A point is far from all others beyond so many times the range of all but the rarest at both ends.
_RARE: Final = 0.05
_FAR: Final = 0.5
# Lower and upper end; None is open.
Range = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose predictions: a run's, or the mean over the seeds of an experiment.

    predictor: run_id or experiment_id. label: on the screen. seeds: of an experiment; empty for a run, and
        where nothing is random.
    """

    predictor: str
    label: str
    predicts: str
    bn_mode: str
    epoch: int
    seeds: Sequence[int]


@dataclass(frozen=True, slots=True)
class AxisLimits:
    """The part that is looked at, in the units of the axes."""

    truth: Range = (None, None)
    predicted: Range = (None, None)

    @property
    def given(self) -> bool:
        """Whether anything is cut off."""
        return any(end is not None for end in (*self.truth, *self.predicted))

    def inside(self, points: pd.DataFrame) -> pd.DataFrame:
        """The points within, in their order."""
        for column, (low, high) in (("truth", self.truth), ("predicted", self.predicted)):
            if low is not None:
                points = points[points[column] >= low]
            if high is not None:
                points = points[points[column] <= high]
        return points


@dataclass(frozen=True, slots=True)
class Shown:
    """A panel with what surrounds it: its numbers (a row of `queries.rankings`), and all its points.

    points: as `queries.points`, in percent where they are accuracies. shown: the same as its axes have them.
    """

    subject: Subject
    architecture_set: str
    numbers: pd.Series
    points: pd.DataFrame
    shown: pd.DataFrame
    panel: Panel

    @property
    def name(self) -> str:
        """Of its files, and of its place on the page."""
        return f"scatter-{self.subject.predictor}-{self.architecture_set}"

    @property
    def alt(self) -> str:
        """What it shows, for those who do not see it; the numbers too."""
        how = "in bins" if len(self.panel.points) > DRAWN else "points"
        return (
            f"Predicted against true accuracy, {self.subject.label}, {self.architecture_set}: "
            f"{len(self.panel.points):,} {how}; {correlations(self.numbers)}"
        )


def subjects(
    evaluations: pd.DataFrame, names: Mapping[str, str], bn_mode: str, epoch: str
) -> Iterator[Subject | str]:
    """Each of `names` (by run_id or experiment_id) as it was evaluated, or its name where it was not so.

    `epoch` is a number or `AT_THE_END`; it and `bn_mode` mean nothing to what is no network of ours.
    """
    has_neither = evaluations["kind"].isin(WITHOUT_NETWORK)
    at_epoch = evaluations["is_final"] if epoch == AT_THE_END else evaluations["epoch"] == int(epoch)
    fitting = evaluations[has_neither | (at_epoch & (evaluations["bn_mode"] == bn_mode))]
    for predictor, name in names.items():
        is_run = (evaluations["run_id"] == predictor).any()
        own = fitting[fitting["run_id" if is_run else "experiment_id"] == predictor]
        if own.empty:
            yield name
            continue
        first = own.iloc[0]
        seeds = [] if is_run else sorted(own["seed"].dropna())
        yield Subject(
            predictor, name, str(first["predicts"]), str(first["bn_mode"]), int(first["epoch"]), seeds
        )


@dataclass(frozen=True, slots=True)
class Look:
    """What is looked at of every subject: sets by a ground truth, within limits, by value or by rank."""

    gt_key: str
    sets: Sequence[str]
    limits: AxisLimits
    by_rank: bool


def panels(snapshot: Snapshot, subject: Subject, look: Look) -> Iterator[Shown | str]:
    """A panel for each set, or why there is none."""
    evaluation = queries.EvaluationKey(subject.predictor, look.gt_key, subject.bn_mode, subject.epoch)
    known = queries.rankings(snapshot, evaluation).set_index("architecture_set")
    for name in look.sets:
        points = queries.points(snapshot, evaluation, name)
        if name not in known.index or points.empty:
            yield missing(name)
            continue
        unit = "%" if subject.predicts == "accuracy" else ""
        points = points.assign(truth=points["truth"] * 100)
        if unit:
            points["predicted"] *= 100
        shown = by_rank(points) if look.by_rank else points
        inside = look.limits.inside(shown)
        if inside.empty:
            yield f"{set_title(name)}: none of its {len(points):,} architectures lies within the limits."
            continue
        numbers = known.loc[[name]].iloc[0]
        members = f"{len(points):,} architectures"
        if len(inside) < len(points):
            members = f"{len(inside):,} of {members}"
        if numbers["n_predicted"] < numbers["n"]:
            members += f", {int(numbers['n'] - numbers['n_predicted']):,} not predicted"
        domains = tuple(_domain(*ends, inside[column]) for column, ends in _ends(look.limits))
        title = [f"{set_title(name)}: {members}", correlations(numbers)]
        drawn = inside
        for column, ends in zip(("truth", "predicted"), domains, strict=True):
            if ends is None:
                continue
            outside = int((~drawn[column].between(*ends)).sum())
            drawn = drawn.assign(**{column: drawn[column].clip(*ends)})
            if outside:
                title.append(f"{outside:,} beyond the axis of {AXES[column]}, at its edge")
        panel = Panel(drawn, title, "rank" if look.by_rank else unit, (domains[0], domains[1]))
        yield Shown(subject, name, numbers, points, shown, panel)


def by_rank(points: pd.DataFrame) -> pd.DataFrame:
    """The points with ranks within the set in place of values, 1 for the best; equal ones share one."""
    return points.assign(
        truth=points["gt_rank"].rank(method="first"),
        predicted=points["predicted"].rank(ascending=False, method="average"),
    )


def missing(architecture_set: str) -> str:
    """Why a set has no panel."""
    if architecture_set == "all":
        return "whole space: it was not predicted wholly (--evaluate all does)."
    return f"{architecture_set}: the mask leaves fewer architectures, or none of them was predicted."


def set_title(architecture_set: str) -> str:
    """As shown."""
    return {"all": "whole space", "predicted": "all predicted"}.get(architecture_set, architecture_set)


def correlations(numbers: pd.Series) -> str:
    """`τ 0.41 · ρ 0.55 · r 0.61`, over seeds with the deviation of τ."""
    deviation = f" ± {signed(numbers['tau_std'])}" if pd.notna(numbers["tau_std"]) else ""
    return (
        f"τ {signed(numbers['tau'])}{deviation} · ρ {signed(numbers['spearman'])} · "
        f"r {signed(numbers['pearson'])}"
    )


def inside_of(limits: AxisLimits, one: Shown) -> pd.DataFrame:
    """The points of a panel that lie within the limits of its axes, with their values."""
    return one.points.loc[limits.inside(one.shown).index]


def points_inside(shown: Sequence[Shown], inside: Sequence[AxisLimits | None]) -> pd.DataFrame:
    """The architectures within each panel's limits (None: none of it), one panel below the other.

    Columns predictor, predicted_by, architecture_set, arch_id, digits, gt_rank, truth_percent, predicted.
    """
    parts = [
        inside_of(limits, one).assign(
            predictor=one.subject.predictor,
            predicted_by=one.subject.label,
            architecture_set=one.architecture_set,
        )
        for one, limits in zip(shown, inside, strict=True)
        if limits is not None
    ]
    columns = ["predictor", "predicted_by", "architecture_set", "arch_id", "digits", "gt_rank"]
    found = pd.concat(parts, ignore_index=True)[[*columns, "truth", "predicted"]]
    return found.rename(columns={"truth": "truth_percent"})


def with_strings(points: pd.DataFrame) -> pd.DataFrame:
    """With the benchmark's string of each architecture, `arch_str`."""
    strings = points["digits"].map(lambda digits: Architecture.from_digits(digits).string)
    return points.assign(arch_str=strings)


def _ends(limits: AxisLimits) -> tuple[tuple[str, Range], tuple[str, Range]]:
    return ("truth", limits.truth), ("predicted", limits.predicted)


def _domain(low: float | None, high: float | None, shown: pd.Series[float]) -> tuple[float, float] | None:
    """From limit to limit; where both are open to where nearly all points are, None for all of them.

    A few architectures that learn nothing would leave all others a tenth of the axis.
    """
    if low is not None or high is not None:
        return (shown.min() if low is None else low, shown.max() if high is None else high)
    ends = [float(shown.quantile(share)) for share in (_RARE, 1 - _RARE)]
    reach = _FAR * (ends[1] - ends[0])
    least, most = float(shown.min()), float(shown.max())
    if least >= ends[0] - reach and most <= ends[1] + reach:
        return None
    return (max(least, ends[0] - reach), min(most, ends[1] + reach))
