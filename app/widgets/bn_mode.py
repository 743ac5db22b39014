"""Choosing how BatchNorm stood, where there is a choice."""

from __future__ import annotations

import pandas as pd

from nasrank.app.widgets.filters import Filters
from nasrank.db.warehouse.models import WITHOUT_NETWORK


def choose_bn_mode(filters: Filters, evaluations: pd.DataFrame) -> str:
    """One of the modes of `evaluations` (rows of `shared_queries.evaluations`), `running` first.

    What no network of ours predicts has none. A single mode needs no widget.
    """
    known = set(evaluations["bn_mode"]) - {*WITHOUT_NETWORK}
    modes: list[str] = sorted(known, key=lambda mode: (mode != "running", mode)) or ["running"]
    if len(modes) == 1:
        return modes[0]
    return filters.choose_one("bn_mode", "BatchNorm statistics", modes, modes[0])
