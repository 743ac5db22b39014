"""What the paper leaves open, answered from a warehouse: tables beside its figures, each with n and interval.

What the choice of ground truth, the statistics of BatchNorm and the sampling of paths do to the same
super-networks, which operations these take for good, how well anything could rank, given the benchmark's own
noise, and what a search of all architectures would find.
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
from nasrank.db.warehouse.models import IMPORTED
from nasrank.report import queries
from nasrank.report.charts.labels import in_order, set_name, signed, size_position
from nasrank.report.figures import Choice
from nasrank.report.queries import Asked

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
    "best rank": (0, ""),
    "random picks' rank": (0, ""),
}
# What a configuration may differ in from the one whose paths are sampled otherwise.
_SETTING_UPDATES: Final = frozenset(name for name, option in OPTIONS.items() if option.sets_updates)


@dataclass(frozen=True, slots=True)
class Question:
    """A table that answers a question.

    name: of its file, without ending. shown: the numbers in words, a column a header. data: the same in full
    precision; differences are of seeds that both have.
    """

    name: str
    title: str
    caption: str
    shown: pd.DataFrame
    data: pd.DataFrame


def answer_questions(warehouse: Asked, choice: Choice) -> Iterator[Question]:
    """Those that the warehouse has something for: for each data set and size of networks."""
    experiments = queries.experiments(warehouse)
    experiments = in_order(experiments[experiments["kind"] != IMPORTED])
    values = queries.seed_rankings(warehouse, choice.gt_key)
    values = values[values["architecture_set"].isin(_SETS)]
    scales = set(experiments[["dataset", "size"]].itertuples(index=False, name=None))
    # CIFAR-10, which the paper is about, and small sizes first.
    for dataset, size in sorted(scales, key=lambda of: (of[0] != "cifar10", of[0], size_position(of[1]))):
        known = experiments[(experiments["dataset"] == dataset) & (experiments["size"] == size)]
        masks = _masks(known, values)
        of_masks = values[values["experiment_id"].isin(masks["experiment_id"])]
        scale = f"{dataset}, {size}"
        yield from _ground_truths(masks, of_masks, choice, scale)
        yield from _ceilings(masks, of_masks, choice, scale, warehouse)
        yield from _bn_modes(masks, of_masks, choice, scale)
        yield from _operations(masks, choice, scale, warehouse)
        yield from _samplings(known, values, choice, scale)
        yield from _searches(masks, choice, scale, warehouse)


def _ground_truths(
    masks: pd.DataFrame, values: pd.DataFrame, choice: Choice, scale: str
) -> Iterator[Question]:
    """The same predictions under each key."""
    values = values[values["bn_mode"] == choice.bn_mode]
    if values["gt_key"].nunique() < 2:
        return
    rows = [
        {"mask": set_name(mask), "ground truth": key} | _measured(of_key, {"gt_key": choice.gt_key}, values)
        for mask, of_key, key in _split(masks, values, "gt_key", first=choice.gt_key)
    ]
    yield _question(
        "ground-truth",
        f"The choice of ground truth: {scale}",
        f"The same predictions (BatchNorm {choice.bn_mode}) under each key, which has top-N architectures "
        f"and an order of its own. Δ is the difference, seed by seed, from `{choice.gt_key}`.",
        rows,
        scale,
    )


def _bn_modes(masks: pd.DataFrame, values: pd.DataFrame, choice: Choice, scale: str) -> Iterator[Question]:
    """The same networks with other statistics."""
    values = values[values["gt_key"] == choice.gt_key]
    several = values.groupby("experiment_id")["bn_mode"].nunique()
    masks = masks[masks["experiment_id"].isin(several[several > 1].index)]
    if masks.empty:
        return
    rows = [
        {"mask": set_name(mask), "BatchNorm": mode} | _measured(of_mode, {"bn_mode": "running"}, values)
        for mask, of_mode, mode in _split(masks, values, "bn_mode", first="running")
    ]
    yield _question(
        "bn-mode",
        f"The statistics of BatchNorm: {scale}",
        f"The same trained networks, ranked by `{choice.gt_key}`. Running statistics mix over all paths "
        "that training sampled, batch statistics are those of the images that are predicted, recalibrated "
        "ones are measured anew for each architecture. Δ is the difference, seed by seed, from running "
        "statistics.",
        rows,
        scale,
    )


def _operations(masks: pd.DataFrame, choice: Choice, scale: str, warehouse: Asked) -> Iterator[Question]:
    """What an edge of each operation is worth, and what the networks take it for under each BN mode."""
    effects = queries.operation_effects(warehouse, choice.gt_key)
    effects = effects[effects["experiment_id"].isin(masks["experiment_id"])]
    if effects.empty:
        return
    modes = sorted(effects["bn_mode"].unique(), key=lambda mode: (mode != choice.bn_mode, mode))
    rows = []
    for experiment_id, mask in masks[["experiment_id", "mask"]].itertuples(index=False):
        of_mask = effects[effects["experiment_id"] == experiment_id]
        for operation in OPERATIONS:
            of_operation = of_mask[of_mask["operation"] == operation]
            if of_operation.empty:
                continue
            row: dict[str, Any] = {
                "mask": set_name(mask),
                "operation": operation,
                "seeds": of_operation["seed"].nunique(),
                "true": float(100 * of_operation["true_per_edge"].mean()),
            }
            for mode in modes:
                predicted = of_operation.loc[of_operation["bn_mode"] == mode, "predicted_per_edge"]
                row[f"predicted, {mode}"] = mean_and_half(100 * predicted)
            rows.append(row)
    yield _question(
        "operations",
        f"What an edge of each operation is worth: {scale}",
        "How much one edge more of an operation, in place of any other, adds to the accuracy by "
        f"`{choice.gt_key}` and to what the networks predict, in percentage points: slopes of least squares "
        "over the architectures of the random sample, by BN mode.",
        rows,
        scale,
    )


def _samplings(known: pd.DataFrame, values: pd.DataFrame, choice: Choice, scale: str) -> Iterator[Question]:
    """Uniform against strictly fair sampling, at whatever epochs and updates there are of the former."""
    values = values[(values["gt_key"] == choice.gt_key) & (values["bn_mode"] == choice.bn_mode)]
    known = known[known["experiment_id"].isin(values["experiment_id"])]
    configs: dict[str, dict[str, Any]] = {
        experiment_id: json.loads(config)
        for experiment_id, config in known[["experiment_id", "config"]].itertuples(index=False)
    }
    alike: dict[str, list[str]] = {}
    for experiment_id, config in configs.items():
        rest = config_without(config, _SETTING_UPDATES)
        alike.setdefault(json.dumps(rest, sort_keys=True), []).append(experiment_id)
    rows = []
    for ids in alike.values():
        fair = [one for one in ids if configs[one]["path_sampling"] == _FAIR]
        if len(fair) == len(ids):
            continue
        # What is compared with: of several, the one that most others share their epochs and batches with.
        base = max(fair, key=lambda one: (len(values[values["experiment_id"] == one]), one), default=None)
        ids.sort(key=lambda one: (one != base, *_sampled(configs[one])))
        for one in ids:
            of_one = values[values["experiment_id"] == one]
            config = configs[one]
            rows.append(
                {
                    "mask": set_name(config["mask"]),
                    "sampling": config["path_sampling"],
                    "epochs": config["epochs"],
                    "batch": config["batch_size"],
                    "updates": int(of_one["optimizer_updates"].median()),
                }
                | _measured(of_one, {"experiment_id": base}, values)
            )
    if rows:
        yield _question(
            "sampling",
            f"The sampling of paths: {scale}",
            "Experiments that differ in nothing but path sampling, epochs and batch size, ranked by "
            f"`{choice.gt_key}`, BatchNorm {choice.bn_mode}. Strictly fair sampling updates the weights once "
            "in as many batches as there are operations, uniform sampling after each. Δ is the difference, "
            "seed by seed, from strictly fair sampling.",
            rows,
            scale,
        )


def _sampled(config: Mapping[str, Any]) -> tuple[str, int, int]:
    """Strictly fair first, then long trainings, then small batches."""
    return config["path_sampling"], -config["epochs"], config["batch_size"]


def _ceilings(
    masks: pd.DataFrame, values: pd.DataFrame, choice: Choice, scale: str, warehouse: Asked
) -> Iterator[Question]:
    """What the benchmark's noise leaves for anything to rank."""
    values = values[(values["gt_key"] == choice.gt_key) & (values["bn_mode"] == choice.bn_mode)]
    rows = []
    for experiment_id, mask in masks[["experiment_id", "mask"]].itertuples(index=False):
        ceiling = queries.noise_ceiling(warehouse, choice.gt_key, mask).set_index("architecture_set")["tau"]
        of_mask = values[values["experiment_id"] == experiment_id]
        if ceiling.empty or of_mask.empty:
            continue
        row: dict[str, Any] = {"mask": set_name(mask), "seeds": of_mask["seed"].nunique()}
        for name in _SETS:
            taus = of_mask.loc[of_mask["architecture_set"] == name, "tau"]
            row |= {f"τ, {name}": mean_and_half(taus), f"one training, {name}": float(ceiling[name])}
        rows.append(row)
    if rows:
        yield _question(
            "noise",
            f"What the benchmark's noise leaves: {scale}",
            f"τ of the super-networks by `{choice.gt_key}`, BatchNorm {choice.bn_mode}, beside that of one "
            "stand-alone training: how it ranks the same architectures as the mean of the other trainings. "
            "No predictor can be expected to come closer to the truth than a training itself.",
            rows,
            scale,
        )


def _searches(masks: pd.DataFrame, choice: Choice, scale: str, warehouse: Asked) -> Iterator[Question]:
    """What is found among all architectures of a mask, beside what as many random picks would find."""
    searches = queries.whole_space_searches(warehouse, choice.gt_key, choice.bn_mode)
    rows = []
    for experiment_id, mask in masks[["experiment_id", "mask"]].itertuples(index=False):
        of_mask = searches[searches["experiment_id"] == experiment_id]
        if of_mask.empty:
            continue
        few, share = (of_mask[of_mask["top_k"] == top_k] for top_k in (_FEW, _SHARE))
        truths = queries.truths(warehouse, choice.gt_key, mask)["accuracy"].to_numpy()
        k, n = int(few["k"].iloc[0]), len(truths)
        rows.append(
            {
                "mask": set_name(mask),
                "architectures": n,
                "seeds": few["seed"].nunique(),
                "τ, all": mean_and_half(few["tau"]),
                "τ, all classes": mean_and_half(few["tau_classes"]),
                "Δτ, all classes": mean_and_half(few["tau_classes"] - few["tau"]),
                f"precision, top {_SHARE}": mean_and_half(100 * share["precision_at_k"]),
                f"regret, top-{k}": mean_and_half(100 * few["regret"]),
                "random picks' regret": 100 * random_regret(truths, k),
                f"best rank, top-{k}": mean_and_half(few["best_rank"]),
                "random picks' rank": (n + 1) / (k + 1),
            }
        )
    if rows:
        yield _question(
            "whole-space",
            f"All architectures: {scale}",
            f"Every architecture that the mask leaves, predicted (BatchNorm {choice.bn_mode}) and ranked by "
            f"`{choice.gt_key}`. All classes: one of each class of isomorphic architectures; Δ is the "
            "difference, seed by seed, from all architectures. A search looks at the best predicted. "
            "Precision: the share of the best 5 % among them; random picks have 5 %. Regret: by how many "
            "points the best of ten falls short of the best there is; its rank: 1 is that best. Beside them, "
            "what ten random picks can expect.",
            rows,
            scale,
        )


def random_regret(truths: npt.NDArray[np.float64], k: int) -> float:
    """The best of `truths` minus the expected best of `k` of them, picked at random without repetition."""
    falling = np.sort(truths)[::-1]
    left = np.arange(len(falling) - 1, -1, -1)  # how many are worse than each
    # The chance that the best pick is the i-th: none is better, and the other k - 1 are worse.
    chance = k / len(falling) * np.ones_like(falling)
    for other in range(k - 1):
        chance *= np.clip(left - other, 0, None) / (len(falling) - 1 - other)
    return float(falling[0] - chance @ falling)


def _masks(known: pd.DataFrame, values: pd.DataFrame) -> pd.DataFrame:
    """One baseline a mask, without LT: of several, the one with the most runs."""
    baselines = known[(known["variant"] == "baseline") & (known["lt"] == "")]
    seeds = values.groupby("experiment_id")["seed"].nunique()
    counted = baselines.assign(seeds=baselines["experiment_id"].map(seeds)).dropna(subset="seeds")
    most = counted.sort_values("seeds", ascending=False, kind="stable").drop_duplicates("mask")
    return counted.loc[counted.index.isin(most.index)]


def _split(
    masks: pd.DataFrame, values: pd.DataFrame, column: str, first: str
) -> Iterator[tuple[str, pd.DataFrame, str]]:
    """(mask, its rows under one value of `column`, that value); `first` comes first, then by name."""
    for experiment_id, mask in masks[["experiment_id", "mask"]].itertuples(index=False):
        of_mask = values[values["experiment_id"] == experiment_id]
        for value in sorted(of_mask[column].unique(), key=lambda value: (value != first, value)):
            yield mask, of_mask[of_mask[column] == value], value


def _measured(rows: pd.DataFrame, base: Mapping[str, Any], values: pd.DataFrame) -> dict[str, Any]:
    """Means over seeds with half of their 95 % intervals, and the paired differences from `base`."""
    others = values
    for column in ("experiment_id", "gt_key", "bn_mode"):
        value = base.get(column, rows[column].iloc[0])
        others = others[others[column] == value]
    random = rows[rows["architecture_set"] == "random"]
    paired = random.merge(others[others["architecture_set"] == "random"], on="seed", suffixes=("", "_base"))
    is_base = all(rows[column].iloc[0] == value for column, value in base.items())

    def compared(header: str, name: str, unit: int = 1) -> dict[str, Any]:
        differences = unit * (paired[name] - paired[f"{name}_base"])
        return {
            header: mean_and_half(unit * random[name]),
            f"Δ{header}": (None, None) if is_base else mean_and_half(differences),
        }

    measured = {"seeds": rows["seed"].nunique()} | compared("τa", "tau_a") | compared("τ, random", "tau")
    for name in ("top-500", "top-50"):
        measured[f"τ, {name}"] = mean_and_half(rows.loc[rows["architecture_set"] == name, "tau"])
    if "gt_key" not in base:  # under another key, the random sample and its A are the same
        measured |= compared("A, random", "a_n", 100)
    return measured


def mean_and_half(values: pd.Series) -> tuple[float | None, float | None]:
    """The mean, and half of its 95 % interval by Student's t: the SQL macro `interval_95`."""
    known = values.dropna()
    if known.empty:
        return None, None
    if len(known) < 2:
        return float(known.mean()), None
    from scipy.stats import t  # which takes half a second to import

    return float(known.mean()), float(t.ppf(0.975, len(known) - 1) * known.std() / len(known) ** 0.5)


def _question(name: str, title: str, caption: str, rows: Sequence[Mapping[str, Any]], scale: str) -> Question:
    shown = pd.DataFrame([{header: _told(header, value) for header, value in row.items()} for row in rows])
    data = pd.DataFrame([dict(_numbers(row)) for row in rows])
    caption += " Means over the seeds, with 95 % intervals (Student's t)."
    if "A, random" in data:
        caption += " A: the mean predicted accuracy; its Δ in percentage points."
    return Question(f"{name}-{scale.replace(', ', '-')}", title, caption, shown, data)


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
