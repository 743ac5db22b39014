"""The paper's figures, each drawn from what a warehouse holds, or why it cannot be drawn."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from nasrank.db.runs.configuration import settings_of
from nasrank.db.runs.experiment import TRAINED
from nasrank.db.warehouse.reading import Reader
from nasrank.report import queries
from nasrank.report.charts.labels import in_file_name, in_order, kind_name, listed, set_name, size_position
from nasrank.report.charts.line_looks import looks_of
from nasrank.report.charts.paper_charts import agreement_chart, dataset_chart, scatter_chart, usage_chart
from nasrank.report.charts.ranking_chart import Lines, ranking_chart
from nasrank.report.charts.ranking_table import POINTS, RankingTables, rank

# What the paper's figures show, in our words. 11 to 13 are the same lines at two widths.
TITLES: Final[Mapping[str, str]] = {
    "2": "Predicted against true accuracy",
    "3": "Operations of the best architectures",
    "4": "Masks",
    "5": "Linear transformers",
    "6": "Variants of the training",
    "7": "Masks of Skip and convolutions",
    "8": "Linear transformers, other masks",
    "9": "Variants of the training, other masks",
    "10": "Data sets and splits against each other",
    "11": "Masks, with Spearman's and Pearson's correlation",
    "12": "Linear transformers on Skip, with Spearman's and Pearson's correlation",
    "14": "Depth of the network",
}
_CORRELATIONS: Final = {"tau": "Kendall's τ (tau-b)", "spearman": "Spearman", "pearson": "Pearson"}
_SCATTER_MASKS: Final = ("", "Zero", "Zero+Pool")
# The paper's other names of depth-2 and depth-4.
# Of a figure that is drawn in parts, what each shows, by the end of its name.
PARTS: Final[Mapping[str, str]] = {"datasets": "all architectures", "agreement": "the N best"}
_DEPTHS_BY_OTHER_NAMES: Final = ("S", "M")
_SETS: Final[Mapping[str, str]] = {**POINTS, "all": "all"}
_TOP_AND_ALL: Final = [point for point in _SETS.values() if point != "random"]
_WIDTH: Final = 900


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the paper, drawn from this warehouse.

    number: the paper's. name: of its files, without ending. data: the numbers that it shows.
    """

    number: str
    name: str
    title: str
    caption: str
    chart: Any
    data: pd.DataFrame


@dataclass(frozen=True, slots=True)
class NotDrawn:
    """A figure of the paper that this warehouse has nothing for."""

    number: str
    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReportKey:
    """What is drawn: all under one ground-truth key and one kind of BatchNorm statistics."""

    gt_key: str
    bn_mode: str


@dataclass(frozen=True, slots=True)
class _Group:
    """Experiments of a data set (and a size) that differ in nothing but mask, LT and variant (or size)."""

    dataset: str
    size: str
    experiments: pd.DataFrame
    left_out: int


@dataclass(frozen=True, slots=True)
class _Heading:
    """Which figure it is: the paper's number, of which experiments, and which part of several."""

    number: str
    group: _Group | None = None
    part: str = ""

    def figure(self, caption: str, chart: Any, data: pd.DataFrame) -> Figure:
        of_group = [self.group.dataset, self.group.size] if self.group else []
        name = "-".join(
            filter(None, [f"figure-{int(self.number):02}", *map(in_file_name, of_group), self.part])
        )
        told = [PARTS[self.part]] if self.part else filter(None, of_group)
        title = ": ".join(filter(None, [TITLES[self.number], ", ".join(told)]))
        return Figure(self.number, name, title, caption, chart, data.reset_index(drop=True))


def draw_figures(warehouse: Reader, key: ReportKey) -> Iterator[Figure | NotDrawn]:
    """All figures, in the paper's order; those of super-networks once for each data set and size.

    Experiments that differ in more than mask, LT and variant are not comparable: of each data set and size
    the setting with most runs is drawn, and the caption says how many experiments that leaves out.
    """
    drawing = _Drawing(warehouse, key)
    ways: dict[str, Callable[[], Iterator[Figure]]] = {
        "2": drawing.scatters,
        "3": drawing.usage,
        "10": drawing.datasets,
        "14": drawing.depths,
    }
    for number, title in TITLES.items():
        draw = ways.get(number)
        drawn = list(draw() if draw else drawing.rankings(number))
        yield from drawn
        if not drawn:
            yield NotDrawn(number, title, drawing.lacking(number))


class _Drawing:
    """Draws all figures under one key; asks for what several of them show once."""

    def __init__(self, warehouse: Reader, key: ReportKey) -> None:
        self._warehouse = warehouse
        self._key = key
        self._members = queries.figure_members(warehouse)
        self._runs = queries.runs(warehouse)
        experiments = queries.experiments(warehouse)
        # The paper's figures have nothing but super-networks of its own.
        experiments = in_order(experiments[experiments["kind"] == TRAINED])
        experiments["setting"] = experiments["config"].map(_setting)
        experiments["runs"] = experiments["experiment_id"].map(
            self._runs.groupby("experiment_id")["runs"].sum()
        )
        experiments["trained_as"] = _kinds(experiments)
        self._experiments = experiments.dropna(subset="runs")
        self._known: dict[str, queries.RankingAnswers] = {}
        self._ceilings: dict[str, pd.DataFrame] = {}

    def scatters(self) -> Iterator[Figure]:
        """Figure 2: one run for each of three masks."""
        for group in self._groups():
            wanted = [(mask, "", "baseline") for mask in _SCATTER_MASKS]
            of_masks = group.experiments["trained_as"].isin(wanted)
            shown = group.experiments[of_masks]
            runs = [self._first_run(experiment_id) for experiment_id in shown["experiment_id"]]
            taus = pd.concat([pd.DataFrame(), *runs])
            if taus.empty:
                continue
            taus = taus.merge(shown[["experiment_id", "mask"]], on="experiment_id")
            taus["label"] = "mask " + taus["mask"].map(set_name) + ", seed " + taus["seed"].astype(str)
            data = pd.concat(
                queries.points(self._warehouse, self._key.gt_key, run_id, self._key.bn_mode).assign(
                    label=label, run_id=run_id
                )
                for run_id, label in taus[["run_id", "label"]].drop_duplicates().itertuples(index=False)
            )
            data[["truth", "predicted"]] *= 100
            caption = (
                "One run for each mask, the one with the smallest seed: what the super-network predicts, "
                f"against `{self._key.gt_key}`."
            )
            chart = scatter_chart(data, taus)
            yield _Heading("2", group).figure(self._told(caption, group), chart, data)

    def usage(self) -> Iterator[Figure]:
        """Figure 3: of the benchmark alone."""
        usage = queries.operation_usage(self._warehouse, self._key.gt_key)
        usage["point"] = usage["architecture_set"].map(_SETS)
        usage["mask"] = "mask " + usage["mask"].map(set_name)
        measures = {"usage": "architectures that use it (%)", "share": "share of all edges (%)"}
        data = usage.rename(columns=measures).melt(
            ["mask", "point", "n", "operation"],
            list(measures.values()),
            var_name="measure",
            value_name="percent",
        )
        data["percent"] *= 100
        caption = (
            f"Over the N best by `{self._key.gt_key}`, by mask: how many use an operation at all, and its "
            "share of all edges, six a cell. From the benchmark alone; no super-network is in it."
        )
        yield _Heading("3").figure(caption, usage_chart(data, _TOP_AND_ALL), data)

    def rankings(self, number: str) -> Iterator[Figure]:
        """Figures 4 to 9, 11 and 12: A_N and correlations over N, with the baselines of the same masks."""
        wanted = set(_kinds(self._members[self._members["figure"] == number]))
        baselines = {(mask, "", "baseline") for mask, _, _ in wanted}
        for group in self._groups():
            kinds = group.experiments["trained_as"]
            if kinds.isin(wanted).any():
                shown = group.experiments[kinds.isin(wanted | baselines)]
                yield from self._ranking_figure(number, group, shown)

    def depths(self) -> Iterator[Figure]:
        """Figure 14: sizes against each other."""
        members = self._members[self._members["figure"] == "14"]
        sizes = [*members["size"], *_DEPTHS_BY_OTHER_NAMES]
        known = self._experiments[self._experiments["size"].isin(sizes)]
        known = known[known["trained_as"].isin(set(_kinds(members)))]
        for dataset, of_dataset in known.groupby("dataset"):
            if of_dataset["size"].isin(members["size"]).any():
                group = _most_run(str(dataset), "", of_dataset)
                yield from self._ranking_figure("14", group, group.experiments)

    def datasets(self) -> Iterator[Figure]:
        """Figure 10: of all architectures, and over top-N."""
        known = queries.accuracies(self._warehouse, self._key.gt_key)
        names = list(known["dataset"].unique())
        if len(names) > 1:
            wide = known.pivot(index="arch_id", columns="dataset", values="accuracy") * 100
            caption = (
                f"Accuracies of all {len(wide):,} architectures on each data set against the others, of the "
                f"split, epochs and source of `{self._key.gt_key}`; darker where there are more."
            )
            heat_maps = dataset_chart(wide, list(itertools.combinations(names, 2)))
            yield _Heading("10", part="datasets").figure(caption, heat_maps, wide.reset_index())
        agreement = queries.agreement(self._warehouse, self._key.gt_key)
        if not agreement.empty:
            agreement["point"] = agreement["architecture_set"].map(_SETS)
            agreement["series"] = agreement["dataset"] + " " + agreement["split"]
            caption = (
                f"How other data sets, and other splits of the same, rank the N best by `{self._key.gt_key}`."
            )
            lines = agreement_chart(agreement, _TOP_AND_ALL, _CORRELATIONS)
            yield _Heading("10", part="agreement").figure(caption, lines, agreement)

    def lacking(self, number: str) -> str:
        """Why there is no such figure."""
        if number == "10":
            return f"the source of {self._key.gt_key} has no other data set or split at these epochs"
        members = self._members[self._members["figure"] == number]
        kinds = dict.fromkeys(_kinds(members) or [(mask, "", "baseline") for mask in _SCATTER_MASKS])
        wanted = "; ".join(kind_name(*kind) for kind in itertools.islice(kinds, 4))
        more = "; …" if len(kinds) > 4 else ""
        sizes = f" of size {listed(list(members['size'].unique()))}" if number == "14" else ""
        return (
            f"no finished run{sizes} with {wanted}{more} has predicted a whole set under "
            f"{self._key.gt_key} with BatchNorm {self._key.bn_mode}"
        )

    def _ranking_figure(self, number: str, group: _Group, shown: pd.DataFrame) -> Iterator[Figure]:
        if group.dataset not in self._known:
            self._known[group.dataset] = queries.rankings(self._warehouse, group.dataset, self._key.gt_key)
        known = self._known[group.dataset]
        ceiling = pd.concat([self._ceiling(mask) for mask in shown["mask"].unique()])
        tables = RankingTables(known.ranking, known.tau_a, ceiling, known.chance)
        ranked = rank(shown, tables, self._key.bn_mode)
        rows = ranked.rows[ranked.rows["series"].isin(ranked.points["series"])]
        if rows.empty:
            return
        fewest, most = rows["seeds"].min(), rows["seeds"].max()
        seeds = f"{fewest} to {most} seeds" if fewest < most else f"{most} seed{'s' if most > 1 else ''}"
        caption = (
            f"Mean over {seeds}, with a band of one deviation; ranked by `{self._key.gt_key}`, BatchNorm "
            f"{self._key.bn_mode}."
        )
        if ranked.points["tau_ceiling"].notna().any():
            caption += (
                " Dashed in grey (of several masks, their range): how well one trial of the benchmark ranks "
                "as the mean of the others."
            )
        if ranked.points["tau_oracle"].notna().any():
            caption += (
                " Long dashes: how well a predictor would rank that knew every expected accuracy, for the "
                "benchmark's truth has noise of its own."
            )
        values = ("a_n", *_CORRELATIONS) if number in ("11", "12") else ("a_n", "tau")
        names = dict(zip(rows["experiment_id"], rows["series"], strict=True))
        looks = looks_of(shown, names)
        chart = ranking_chart(Lines(ranked.points, list(rows["series"]), looks), values, width=_WIDTH)
        data = ranked.points.drop(columns="series")
        yield _Heading(number, group).figure(self._told(caption, group), chart, data)

    def _told(self, caption: str, group: _Group) -> str:
        """The caption, with where the images come from, and what the figure leaves out."""
        of_group = self._runs["experiment_id"].isin(group.experiments["experiment_id"])
        origins = list(self._runs.loc[of_group, "dataset_origin"].dropna().unique())
        if origins:
            caption += f" Images: {listed(origins)}."
        if group.left_out:
            caption += f" {group.left_out} experiments with other settings and fewer runs are left out."
        return caption

    def _groups(self) -> list[_Group]:
        """Of each data set and size; CIFAR-10, which the paper is about, and small sizes first."""
        groups = [
            _most_run(str(dataset), str(size), known)
            for (dataset, size), known in self._experiments.groupby(["dataset", "size"])
        ]
        return sorted(groups, key=lambda g: (g.dataset != "cifar10", g.dataset, size_position(g.size)))

    def _first_run(self, experiment_id: str) -> pd.DataFrame:
        gt_key, bn_mode = self._key.gt_key, self._key.bn_mode
        taus = queries.run_taus(self._warehouse, gt_key, experiment_id, bn_mode)
        of_first: pd.DataFrame = taus[taus["seed"] == taus["seed"].min()]
        return of_first

    def _ceiling(self, mask: str) -> pd.DataFrame:
        if mask not in self._ceilings:
            self._ceilings[mask] = queries.noise_ceiling(self._warehouse, self._key.gt_key, mask)
        return self._ceilings[mask]


def _most_run(dataset: str, size: str, experiments: pd.DataFrame) -> _Group:
    """The experiments of the setting with most runs."""
    runs = experiments.groupby("setting", sort=True)["runs"].sum()
    chosen = experiments[experiments["setting"] == runs.idxmax()]
    return _Group(dataset, size, chosen, len(experiments) - len(chosen))


def _kinds(experiments: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Mask, LT and variant of each."""
    return list(experiments[["mask", "lt", "variant"]].itertuples(index=False, name=None))


def _setting(config: str) -> str:
    """What is left of a configuration without data set, size, mask, LT and variant."""
    return json.dumps(settings_of(json.loads(config)), sort_keys=True)
