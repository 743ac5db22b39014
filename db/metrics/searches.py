"""What a search finds that trusts the predictions: the definitions are those of the macro `search_of`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from nasrank.db.metrics.series import Members

# How many of the best predicted are looked at, and as a share of the pool, in thousandths.
_COUNTS: Final = (1, 5, 10, 25, 50, 100, 250, 500)
_SHARES: Final = {"0.1 %": 1, "0.5 %": 5, "1 %": 10, "5 %": 50, "10 %": 100}


def cuts(n: int) -> dict[str, int]:
    """How many of the best predicted of a pool of n are looked at, by their names: less than all of them."""
    numbers = {f"top-{k}": k for k in _COUNTS if k < n}
    return numbers | {name: -(-n * share // 1000) for name, share in _SHARES.items()}


def search(pool: Members) -> Iterator[dict[str, Any]]:
    """For each number of best predicted ones, what is among them: columns of `search_of`.

    `pool` are all architectures of the pool, the truly best first. Of equal predictions, the smallest
    `arch_id` is looked at first.
    """
    truth = pool.truth
    # Of the best predicted first, the place among the truly best, from 0.
    places = np.lexsort((pool.arch_ids, -pool.predicted_rank))
    best, worst = np.minimum.accumulate(places), np.maximum.accumulate(places)
    gain, discount = truth - truth[-1], 1 / np.log2(np.arange(pool.number) + 2)
    gained, to_gain = np.cumsum(gain[places] * discount), np.cumsum(gain * discount)
    for top_k, k in cuts(pool.number).items():
        # The truth falls from place to place, so that the best truth is that of the best place.
        regret = truth[0] - truth[best[k - 1]]
        yield {
            "top_k": top_k,
            "k": k,
            "precision_at_k": np.count_nonzero(places[:k] < k) / k,
            "best_rank": best[k - 1] + 1,
            "regret": regret,
            "worst_rank": worst[k - 1] + 1,
            "bottom_precision_at_k": np.count_nonzero(places[-k:] >= pool.number - k) / k,
            "ndcg_at_k": gained[k - 1] / to_gain[k - 1] if to_gain[k - 1] else math.nan,
        }
