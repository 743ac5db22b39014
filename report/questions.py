"""What the paper leaves open, answered from a warehouse: tables beside its figures, each with n and interval.

What the choice of ground truth, the statistics of BatchNorm and the sampling of paths do to the same
super-networks, which operations these take for good, how well anything could rank, given the benchmark's own
noise, what needs no training at all, what a search of all architectures would find, and what mask, LT and
variant change on average.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from nasrank.db.nb201.architectures import OPERATIONS
from nasrank.db.runs.configuration import OPTIONS, config_without
from nasrank.db.runs.experiment import TRAINED
from nasrank.db.warehouse.models import UNTRAINED
from nasrank.db.warehouse.reading import Reader
from nasrank.report import queries
from nasrank.report.charts.labels import (
    given_name,
    in_file_name,
    in_order,
    set_name,
    signed,
    size_position,
)
from nasrank.report.effects import effects
from nasrank.report.figures import ReportKey
from nasrank.report.queries import Series

# A mean over seeds and half of its 95 % interval; None where there is none.
Interval = tuple[float | None, float | None]
NO_INTERVAL: Final[Interval] = (None, None)

# The sets whose correlations a table has, by the name in its header.
_SETS: Final = ("random", "top-500", "top-50", "top-10")
# How many of the best predicted a search looks at.
_FEW: Final = "top-10"
_SHARE: Final = "5 %"
_FAIR: Final = "strictly-fair"
# Digits and unit of the columns whose header begins so; others have two digits.
_FORMS: Final = {
    "A, ": (1, " %"),
    "ΔA, ": (1, ""),
    "precision": (1, " %"),
    "p (": (3, ""),
    "best rank": (0, ""),
    "random picks' rank": (0, ""),
}
# What effects are told of: in the header, the metric, and in what unit.
_EFFECTS: Final = (
    ("τ, random", "tau", 1),
    ("gap", "gap_std", 1),
    ("A, random", "a_n", 100),
    ("τa", "tau_a", 1),
)
# What a configuration may differ in from the one whose paths are sampled otherwise.
_SETTING_UPDATES: Final = frozenset(name for name, option in OPTIONS.items() if option.sets_updates)


@dataclass(frozen=True, slots=True)
class Question:
    """A table that answers a question.

    name: of its file, without ending. shown: the numbers in words, a column a header. data: the same in full
    precision.
    """

    name: str
    title: str
    caption: str
    shown: pd.DataFrame
    data: pd.DataFrame


def answer_questions(warehouse: Reader, key: ReportKey) -> Iterator[Question]:
    """Those that the warehouse has something for: for each data set and size of networks."""
    experiments = queries.experiments(warehouse)
    untrained = in_order(experiments[experiments["kind"] == UNTRAINED])
    experiments = in_order(experiments[experiments["kind"] == TRAINED])
    means = queries.series_means(warehouse, key.gt_key, _SETS)
    scales = set(experiments[["dataset", "size"]].itertuples(index=False, name=None))
    # CIFAR-10, which the paper is about, and small sizes first.
    for dataset, size in sorted(scales, key=lambda of: (of[0] != "cifar10", of[0], size_position(of[1]))):
        of_scale = experiments[(experiments["dataset"] == dataset) & (experiments["size"] == size)]
        yield from _QuestionsOfScale(
            warehouse, key, f"{dataset}, {size}", of_scale, untrained, means
        ).answer()
    yield from _effects(warehouse, key)


def _effects(warehouse: Reader, key: ReportKey) -> Iterator[Question]:
    """What mask, LT, variant and size change on average, a table for each setting of all else."""
    found = effects(warehouse, key.gt_key, key.bn_mode)
    if found.empty:
        return
    named: set[str] = set()
    for _, known in found.groupby(["dataset", "sizes", "epochs", "batch_size"], sort=False):
        first = known.iloc[0]
        epochs, batch = first["epochs"], first["batch_size"]
        # The setting of most experiments has the plain name.
        scale = f"{first['dataset']}, {first['sizes']}"
        if scale in named:
            scale += f", {epochs} epochs, batch {batch}"
        named.add(scale)
        rows = []
        for _, of_level in known.groupby(["factor", "level", "reference"], sort=False):
            factor, level, reference = (
                str(of_level[name].iloc[0]) for name in ("factor", "level", "reference")
            )
            by_metric = {row["metric"]: row for _, row in of_level.iterrows()}
            row: dict[str, Any] = {
                "of": {"lt": "LT"}.get(factor, factor),
                "level": f"{set_name(level)} − {set_name(reference)}",
                "runs": int(of_level["runs"].max()),
            }
            for header, metric, unit in _EFFECTS:
                own = by_metric.get(metric)
                row[f"Δ{header}"] = (
                    NO_INTERVAL if own is None else _interval(own, "estimate", "half_interval", unit)
                )
                if metric == "tau":
                    row["p (Holm)"] = None if own is None else float(own["p_holm"])
            rows.append(row)
        lack = known.drop_duplicates("metric").set_index("metric")["lack_of_fit"]
        told = ", ".join(
            f"{header} {lack[metric]:.2f}"
            for header, metric, _ in _EFFECTS
            if metric in lack.index and not pd.isna(lack[metric])
        )
        experiments = int(known["experiments"].max())
        yield _question(
            "effects",
            scale,
            "Effects on average",
            f"What changes by a mask, an LT, a variant or a size, if effects add up: by least squares over "
            f"{experiments} experiments of {epochs} epochs with batch {batch}, ranked by `{key.gt_key}`, "
            f"BatchNorm {key.bn_mode}. p: of no effect on τ, after Holm's correction for all of them. The "
            "gap is compared within masks only. Whether effects add up, a test says: small p-values would "
            f"speak against it; here {told or 'too few experiments tell'}.",
            rows,
        )


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of a table: what names it, whose numbers it has, and what these are compared with."""

    names: Mapping[str, Any]
    series: Series
    base: Series | None


@dataclass(frozen=True, slots=True)
class _QuestionsOfScale:
    """The questions about one data set and size.

    experiments: of these. untrained: the predictors that need no training. means: of `queries.series_means`.
    """

    warehouse: Reader
    key: ReportKey
    scale: str
    experiments: pd.DataFrame
    untrained: pd.DataFrame
    means: pd.DataFrame

    def answer(self) -> Iterator[Question]:
        masks = _masks(self.experiments, self.means)
        of_masks = self.means[self.means["experiment_id"].isin(masks["experiment_id"])]
        yield from self._untrained(masks)
        yield from self._ground_truths(masks, of_masks[of_masks["bn_mode"] == self.key.bn_mode])
        yield from self._levels(masks, of_masks)
        yield from self._bn_modes(masks, of_masks[of_masks["gt_key"] == self.key.gt_key])
        yield from self._operations(masks)
        yield from self._samplings()
        yield from self._searches(masks)

    def _untrained(self, masks: pd.DataFrame) -> Iterator[Question]:
        """What an architecture's size alone ranks, beside the networks."""
        key = self.key
        known = _by_series(self.means)
        rows = []
        for experiment_id, mask in masks[["experiment_id", "mask"]].itertuples(index=False):
            own = known.get(Series(experiment_id, key.bn_mode, key.gt_key))
            if own is None:
                continue
            rows.append(_beside("the networks", mask, own, own.seeds))
            of_mask = self.untrained[self.untrained["mask"] == mask]
            for identity, name in of_mask[["experiment_id", "name"]].itertuples(index=False):
                if of_size := known.get(Series(identity, UNTRAINED, key.gt_key)):
                    rows.append(_beside(given_name(UNTRAINED, name), mask, of_size, None))
        if rows:
            yield _question(
                "untrained",
                self.scale,
                "Against what needs no training",
                f"How the super-networks rank by `{key.gt_key}`, BatchNorm {key.bn_mode}, beside what an "
                "architecture's size alone says of it, larger for better. A network that ranks no better has "
                "learned nothing that is worth its training. Equal size: τ among pairs with equally many "
                "parameters, what is known beyond counting them. Gap: how much higher the top-500 are "
                "predicted than the random sample, in deviations of the predictions in the latter.",
                rows,
            )

    def _ground_truths(self, masks: pd.DataFrame, means: pd.DataFrame) -> Iterator[Question]:
        """The same predictions under each key."""
        key = self.key
        if means["gt_key"].nunique() < 2:
            return
        rows = [
            _Row(
                {"mask": set_name(mask), "ground truth": gt_key},
                Series(experiment_id, key.bn_mode, gt_key),
                Series(experiment_id, key.bn_mode, key.gt_key),
            )
            for experiment_id, mask, gt_key in _split(masks, means, "gt_key", first=key.gt_key)
        ]
        yield _question(
            "ground-truth",
            self.scale,
            "The choice of ground truth",
            f"The same predictions (BatchNorm {key.bn_mode}) under each key, which has top-N architectures "
            f"and an order of its own. Δ is the difference, seed by seed, from `{key.gt_key}`.",
            # Under another key, the random sample and its A are the same.
            self._measured(rows, with_accuracy=False),
        )

    def _bn_modes(self, masks: pd.DataFrame, means: pd.DataFrame) -> Iterator[Question]:
        """The same networks with other statistics."""
        key = self.key
        several = means.groupby("experiment_id")["bn_mode"].nunique()
        masks = masks[masks["experiment_id"].isin(several[several > 1].index)]
        if masks.empty:
            return
        rows = [
            _Row(
                {"mask": set_name(mask), "BatchNorm": mode},
                Series(experiment_id, mode, key.gt_key),
                Series(experiment_id, "running", key.gt_key),
            )
            for experiment_id, mask, mode in _split(masks, means, "bn_mode", first="running")
        ]
        yield _question(
            "bn-mode",
            self.scale,
            "The statistics of BatchNorm",
            f"The same trained networks, ranked by `{key.gt_key}`. Running statistics mix over all paths "
            "that training sampled, batch statistics are those of the images that are predicted, "
            "recalibrated ones are measured anew for each architecture. Δ is the difference, seed by seed, "
            "from running statistics.",
            self._measured(rows),
        )

    def _operations(self, masks: pd.DataFrame) -> Iterator[Question]:
        """What an edge of each operation is worth, and what the networks take it for under each BN mode."""
        effects = queries.operation_effects(self.warehouse, self.key.gt_key)
        effects = effects[effects["experiment_id"].isin(masks["experiment_id"])]
        if effects.empty:
            return
        modes = sorted(effects["bn_mode"].unique(), key=lambda mode: (mode != self.key.bn_mode, mode))
        rows = []
        for experiment_id, mask in masks[["experiment_id", "mask"]].itertuples(index=False):
            of_mask = effects[effects["experiment_id"] == experiment_id]
            for operation in OPERATIONS:
                of_operation = of_mask[of_mask["operation"] == operation].set_index("bn_mode")
                if of_operation.empty:
                    continue
                row: dict[str, Any] = {
                    "mask": set_name(mask),
                    "operation": operation,
                    "seeds": int(of_operation["seeds"].max()),
                    "true": 100 * float(of_operation["true_per_edge"].iloc[0]),
                }
                for mode in modes:
                    row[f"predicted, {mode}"] = (
                        _interval(
                            of_operation.loc[mode], "predicted_per_edge", "predicted_interval", unit=100
                        )
                        if mode in of_operation.index
                        else NO_INTERVAL
                    )
                rows.append(row)
        yield _question(
            "operations",
            self.scale,
            "What an edge of each operation is worth",
            "How much one edge more of an operation, in place of any other, adds to the accuracy by "
            f"`{self.key.gt_key}` and to what the networks predict, in percentage points: slopes of least "
            "squares over the architectures of the random sample, by BN mode.",
            rows,
        )

    def _samplings(self) -> Iterator[Question]:
        """Uniform against strictly fair sampling, at whatever epochs and updates there are of the former."""
        key = self.key
        means = self.means[(self.means["gt_key"] == key.gt_key) & (self.means["bn_mode"] == key.bn_mode)]
        measured = self.experiments[self.experiments["experiment_id"].isin(means["experiment_id"])]
        configs: dict[str, dict[str, Any]] = {
            experiment_id: json.loads(config)
            for experiment_id, config in measured[["experiment_id", "config"]].itertuples(index=False)
        }
        alike: dict[str, list[str]] = {}
        for experiment_id, config in configs.items():
            rest = config_without(config, _SETTING_UPDATES)
            alike.setdefault(json.dumps(rest, sort_keys=True), []).append(experiment_id)
        updates = queries.optimizer_updates(self.warehouse).set_index("experiment_id")["updates"]
        # How many sets of how many seeds there are of each.
        extents = means[means["metric"] == "a_n"].groupby("experiment_id")["seeds"].sum()
        rows = []
        for ids in alike.values():
            fair = [one for one in ids if configs[one]["path_sampling"] == _FAIR]
            if len(fair) == len(ids):
                continue
            # What is compared with: of several, the one that most others share their epochs and batches with.
            base = max(fair, key=lambda one: (extents[one], one), default=None)
            for one in sorted(ids, key=lambda one: (one != base, *_sampled(configs[one]))):
                config = configs[one]
                names = {
                    "mask": set_name(config["mask"]),
                    "sampling": config["path_sampling"],
                    "epochs": config["epochs"],
                    "batch": config["batch_size"],
                    "updates": int(updates[one]),
                }
                of_base = Series(base, key.bn_mode, key.gt_key) if base else None
                rows.append(_Row(names, Series(one, key.bn_mode, key.gt_key), of_base))
        if rows:
            yield _question(
                "sampling",
                self.scale,
                "The sampling of paths",
                "Experiments that differ in nothing but path sampling, epochs and batch size, ranked by "
                f"`{key.gt_key}`, BatchNorm {key.bn_mode}. Strictly fair sampling updates the weights once "
                "in as many batches as there are operations, uniform sampling after each. Δ is the "
                "difference from strictly fair sampling.",
                self._measured(rows),
            )

    def _levels(self, masks: pd.DataFrame, means: pd.DataFrame) -> Iterator[Question]:
        """From what no information gives to what perfect information would."""
        key = self.key
        known, sizes = _by_series(means), _by_series(self.means)
        chance = queries.tau_beside_chance(self.warehouse, key.gt_key, key.bn_mode)
        beside = chance.set_index(["experiment_id", "architecture_set"])
        rows = []
        for experiment_id, mask in masks[["experiment_id", "mask"]].itertuples(index=False):
            own = known.get(Series(experiment_id, key.bn_mode, key.gt_key))
            if own is None:
                continue
            ceiling = queries.noise_ceiling(self.warehouse, key.gt_key, mask).set_index("architecture_set")
            of_mask = self.untrained[(self.untrained["mask"] == mask) & (self.untrained["name"] == "params")]
            counted = [sizes.get(Series(one, UNTRAINED, key.gt_key)) for one in of_mask["experiment_id"]]
            for name in _SETS:
                place = (experiment_id, name)
                levels = beside.loc[place] if place in beside.index else pd.Series(dtype=object)
                rows.append(
                    {
                        "mask": set_name(mask),
                        "set": name,
                        "seeds": own.seeds,
                        "permutations": _between(levels, "permutations"),
                        "initial networks": _between(levels, "initial"),
                        "parameters": counted[0].of(name, "tau")[0] if counted and counted[0] else None,
                        "the networks": own.of(name, "tau"),
                        "leaves": levels.get("leaves"),
                        "one training": ceiling["tau"].get(name),
                        "oracle": ceiling["tau_oracle"].get(name),
                    }
                )
        if rows:
            yield _question(
                "levels",
                self.scale,
                "Between chance and the ceiling",
                f"τ by `{key.gt_key}`, BatchNorm {key.bn_mode}, from what no information gives to what "
                "perfect information would. Permutations: the middle 95 % of means over as many random "
                "orders. Initial networks: the same of networks before training, which know nothing but the "
                "structure; beside running statistics, recalibrated ones. Leaves: which of both the "
                "networks' mean is outside of. Parameters: counting them. One training: how it ranks the "
                "architectures as the mean of the others; no bound, for it carries noise of its own. An "
                "oracle has none: it knows the expected accuracy of each architecture, and still not the "
                "noise of the truth; estimated from the trainings.",
                rows,
            )

    def _searches(self, masks: pd.DataFrame) -> Iterator[Question]:
        """What is found among all architectures of a mask, beside what as many random picks would find."""
        key = self.key
        searches = queries.whole_space_searches(self.warehouse, key.gt_key, key.bn_mode)
        searches = searches[searches["experiment_id"].isin(masks["experiment_id"])]
        if searches.empty:
            return
        classes = queries.class_differences(self.warehouse, key.gt_key, key.bn_mode).set_index(
            "experiment_id"
        )
        rows = []
        for experiment_id, mask in masks[["experiment_id", "mask"]].itertuples(index=False):
            cuts = searches[searches["experiment_id"] == experiment_id].set_index("top_k")
            if cuts.empty:
                continue
            few, share, of_classes = cuts.loc[_FEW], cuts.loc[_SHARE], classes.loc[experiment_id]
            truths = queries.truths(self.warehouse, key.gt_key, mask)["accuracy"].to_numpy()
            k, n = int(few["k"]), len(truths)
            rows.append(
                {
                    "mask": set_name(mask),
                    "architectures": n,
                    "seeds": int(few["seeds"]),
                    "τ, all": _interval(of_classes, "other_mean"),
                    "τ, all classes": _interval(of_classes, "mean"),
                    "Δτ, all classes": _interval(of_classes, "difference"),
                    f"precision, top {_SHARE}": _interval(
                        share, "precision_at_k_mean", "precision_at_k_interval", unit=100
                    ),
                    f"regret, top-{k}": _interval(few, "regret_mean", "regret_interval", unit=100),
                    "random picks' regret": 100 * random_regret(truths, k),
                    f"best rank, top-{k}": _interval(few, "best_rank_mean", "best_rank_interval"),
                    "random picks' rank": (n + 1) / (k + 1),
                }
            )
        yield _question(
            "whole-space",
            self.scale,
            "All architectures",
            f"Every architecture that the mask leaves, predicted (BatchNorm {key.bn_mode}) and ranked by "
            f"`{key.gt_key}`. All classes: one of each class of isomorphic architectures; Δ is the "
            "difference, seed by seed, from all architectures. A search looks at the best predicted. "
            "Precision: the share of the best 5 % among them; random picks have 5 %. Regret: by how many "
            "points the best of ten falls short of the best there is; its rank: 1 is that best. Beside them, "
            "what ten random picks can expect.",
            rows,
        )

    def _measured(self, rows: Sequence[_Row], *, with_accuracy: bool = True) -> list[dict[str, Any]]:
        """Means over seeds with half of their 95 % intervals, and the differences from each base."""
        compared = [row for row in rows if row.base is not None and row.base != row.series]
        pairs = [(row.series, row.base) for row in compared if row.base is not None]
        differences = queries.series_differences(self.warehouse, pairs) if pairs else pd.DataFrame()
        found = {
            (compared[pair].series, metric): (difference, half)
            for pair, metric, _, difference, half in differences.itertuples(index=False)
        }
        known = _by_series(self.means)
        measured = []
        for row in rows:
            own = known[row.series]
            numbers: dict[str, Any] = {**row.names, "seeds": own.seeds}
            shown = [("τa", "tau_a", 1), ("τ, random", "tau", 1), ("A, random", "a_n", 100)]
            for header, metric, unit in shown if with_accuracy else shown[:2]:
                difference = found.get((row.series, metric), NO_INTERVAL)
                numbers[header] = own.of("random", metric, unit)
                numbers[f"Δ{header}"] = _scaled(difference, unit)
                if metric == "tau":
                    numbers |= {f"τ, {name}": own.of(name, "tau") for name in ("top-500", "top-50")}
            measured.append(numbers)
        return measured


def _question(name: str, scale: str, title: str, caption: str, rows: Sequence[Mapping[str, Any]]) -> Question:
    shown = pd.DataFrame([{header: _told(header, value) for header, value in row.items()} for row in rows])
    data = pd.DataFrame([dict(_numbers(row)) for row in rows])
    caption += (
        " Means over the seeds, with 95 % intervals: Student's t with the deviation of all experiments that "
        "vary alike and, where these differ in how much they vary, the wider of that and its own."
    )
    if any(str(header).startswith(("A, ", "ΔA, ")) for header in data):
        caption += " A: the mean predicted accuracy; its Δ in percentage points."
    return Question(
        f"{name}-{in_file_name(scale.replace(', ', '-'))}", f"{title}: {scale}", caption, shown, data
    )


@dataclass(frozen=True, slots=True)
class _Means:
    """What a series reaches: by architecture set and metric, the mean over seeds and half of its interval."""

    seeds: int
    values: Mapping[tuple[str, str], Interval]

    def of(self, architecture_set: str, metric: str, unit: int = 1) -> Interval:
        return _scaled(self.values.get((architecture_set, metric), NO_INTERVAL), unit)


def _beside(name: str, mask: str, means: _Means, seeds: int | None) -> dict[str, Any]:
    """A row of the networks of a mask, or of what is set beside them."""
    row: dict[str, Any] = {"mask": set_name(mask), "predictor": name, "seeds": seeds}
    row |= {f"τ, {members}": means.of(members, "tau") for members in _SETS}
    return row | {
        "equal size, random": means.of("random", "tau_same_size"),
        "gap": means.of("random", "gap_std"),
    }


def _between(levels: pd.Series[Any], reference: str) -> Interval:
    """The middle of a band of `queries.tau_beside_chance`, and half of its width."""
    low, high = levels.get(f"{reference}_low"), levels.get(f"{reference}_high")
    return NO_INTERVAL if low is None or pd.isna(low) else ((low + high) / 2, (high - low) / 2)


def random_regret(truths: npt.NDArray[np.float64], k: int) -> float:
    """The best of `truths` minus the expected best of `k` of them, picked at random without repetition."""
    falling = np.sort(truths)[::-1]
    left = np.arange(len(falling) - 1, -1, -1)  # how many are worse than each
    # The chance that the best pick is the i-th: none is better, and the other k - 1 are worse.
    chance = k / len(falling) * np.ones_like(falling)
    for other in range(k - 1):
        chance *= np.clip(left - other, 0, None) / (len(falling) - 1 - other)
    return float(falling[0] - chance @ falling)


def _sampled(config: Mapping[str, Any]) -> tuple[str, int, int]:
    """Strictly fair first, then long trainings, then small batches."""
    return config["path_sampling"], -config["epochs"], config["batch_size"]


def _masks(experiments: pd.DataFrame, means: pd.DataFrame) -> pd.DataFrame:
    """One baseline a mask, without LT: of several, the one with the most runs."""
    baselines = experiments[(experiments["variant"] == "baseline") & (experiments["lt"] == "")]
    seeds = means.groupby("experiment_id")["seeds"].max()
    counted = baselines.assign(seeds=baselines["experiment_id"].map(seeds)).dropna(subset="seeds")
    most = counted.sort_values("seeds", ascending=False, kind="stable").drop_duplicates("mask")
    return counted.loc[counted.index.isin(most.index)]


def _split(
    masks: pd.DataFrame, means: pd.DataFrame, column: str, first: str
) -> Iterator[tuple[str, str, str]]:
    """(experiment_id, mask, a value of `column` that it has); `first` comes first, then by name."""
    for experiment_id, mask in masks[["experiment_id", "mask"]].itertuples(index=False):
        of_mask = means[means["experiment_id"] == experiment_id]
        for value in sorted(of_mask[column].unique(), key=lambda value: (value != first, value)):
            yield experiment_id, mask, value


def _by_series(means: pd.DataFrame) -> dict[Series, _Means]:
    """The rows of `queries.series_means`, by their series."""
    seeds: dict[Series, int] = {}
    values: dict[Series, dict[tuple[str, str], Interval]] = {}
    for row in means.to_dict("records"):
        series = Series(row["experiment_id"], row["bn_mode"], row["gt_key"])
        seeds[series] = max(seeds.get(series, 0), row["seeds"])
        of_series = values.setdefault(series, {})
        of_series[row["architecture_set"], row["metric"]] = row["mean"], row["half_interval"]
    return {series: _Means(seeds[series], of_series) for series, of_series in values.items()}


def _interval(row: pd.Series[Any], mean: str, half: str | None = None, unit: int = 1) -> Interval:
    """A mean of a row and half of its interval, of the column `<mean>_interval` unless another is named."""
    return _scaled((row[mean], row[half or f"{mean}_interval"]), unit)


def _scaled(interval: Interval, unit: int) -> Interval:
    """In the unit that is shown; None where there is no number."""
    mean, half = (None if end is None or pd.isna(end) else float(unit * end) for end in interval)
    return mean, half


def _numbers(row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for header, value in row.items():
        if isinstance(value, tuple):
            yield header, value[0]
            yield f"{header}: half interval", value[1]
        else:
            yield header, value


def _told(header: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return f"{value:,}"
    digits, unit = next((form for start, form in _FORMS.items() if header.startswith(start)), (2, ""))
    mean, half = value if isinstance(value, tuple) else (value, None)
    told = f"{signed(mean, digits)}{unit if mean is not None else ''}"
    if half is None or mean is None:
        return told
    return f"{told} ({signed(mean - half, digits)} to {signed(mean + half, digits)})"
