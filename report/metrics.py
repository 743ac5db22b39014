"""What a ranking is judged by, as pages and the report name it; the view metric says what each means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Metric:
    """How pages tell a metric.

    name: in sentences. short: where there is little room. is_percent: a fraction in the warehouse, told in
    percent. is_less_better: as the name says.
    """

    name: str
    short: str
    is_percent: bool = False
    is_less_better: bool = False

    @property
    def header(self) -> str:
        """The short name with its unit."""
        return f"{self.short} (%)" if self.is_percent else self.short

    @property
    def scale(self) -> int:
        """What numbers of the warehouse are multiplied by."""
        return 100 if self.is_percent else 1

    @property
    def digits(self) -> int:
        """Decimals that are worth telling."""
        return 1 if self.is_percent else 2


# Of every set of architectures.
CORRELATIONS: Final[Mapping[str, Metric]] = {
    "tau": Metric("Kendall's τ (tau-b)", "τ tau-b"),
    "tau_eq2": Metric("Kendall's τ (Equation 2)", "Equation 2"),
    "spearman": Metric("Spearman", "Spearman"),
    "pearson": Metric("Pearson", "Pearson"),
    "tau_same_size": Metric("τ among equal sizes", "equal size"),
    "tau_partial": Metric("τ given the size", "given size"),
    "tau_sparse": Metric("τ of the rounded truth", "rounded truth"),
    "tau_weighted": Metric("τ weighted by rank", "weighted"),
}
# All that experiments are compared in; a gap and what follows it belong to a run.
COMPARED: Final[Mapping[str, Metric]] = {
    **CORRELATIONS,
    "a_n": Metric("A_N", "A_N", is_percent=True),
    "tau_a": Metric("τa", "τa", is_less_better=True),
    "gap": Metric("Gap", "gap", is_percent=True),
    "gap_std": Metric("Gap in deviations", "gap in deviations"),
    "gap_share": Metric("Share of the true gap", "share of true gap"),
    "auc": Metric("Best above random (AUC)", "AUC"),
}
# The τ of an experiment by that of an oracle, which knows every expected accuracy.
SHARE: Final = "tau_share"
# Of a search that looks at the 10 best predicted: by what pages call each, the column of run_search.
SEARCHES: Final[Mapping[str, str]] = {
    "precision_at_10": "precision_at_k",
    "ndcg_at_10": "ndcg_at_k",
    "regret_at_10": "regret",
    "best_rank_at_10": "best_rank",
}
METRICS: Final[Mapping[str, Metric]] = {
    **COMPARED,
    SHARE: Metric("Share of the oracle's τ", "share of oracle's τ", is_percent=True),
    "precision_at_10": Metric("Precision at 10", "precision at 10", is_percent=True),
    "ndcg_at_10": Metric("NDCG at 10", "NDCG at 10"),
    "regret_at_10": Metric("Regret at 10", "regret at 10", is_percent=True, is_less_better=True),
    "best_rank_at_10": Metric("Rank of the best of 10 predicted", "best rank of 10", is_less_better=True),
}
