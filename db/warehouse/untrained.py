"""Predictors that need no training: what an architecture's size alone says, as runs without a seed.

They are what every network has to beat. Each is a column of the view `architecture_size`, larger for better,
and predicts whatever a mask leaves: without a mask, and under the masks of all experiments. They follow from
the architectures alone. Their metrics are stored under the ground-truth keys that any run was asked for.
"""

from __future__ import annotations

import datetime as dt
import importlib.metadata
from typing import Final

import sqlalchemy as sa

from nasrank.db.runs.experiment import named_experiment
from nasrank.db.warehouse.models import NO_EPOCH, UNTRAINED, Experiment, Prediction, Run

# Columns of architecture_size, which describes each.
PREDICTORS: Final = ("params", "flops", "c3x3", "convolution_depth")

_SIZE: Final = sa.table("architecture_size", sa.column("arch_id"), *map(sa.column, PREDICTORS))
_SPACE: Final = sa.table("search_space", *map(sa.column, ("mask", "one_per_class", "arch_id")))


def insert_untrained(connection: sa.Connection) -> list[str]:
    """Insert the predictors under every mask that lacks them and needs them; returns the new runs' ids."""
    known = set(connection.scalars(sa.select(Experiment.mask).where(Experiment.kind == UNTRAINED)))
    needed = {"", *connection.scalars(sa.select(Experiment.mask).distinct())}
    missing = [(mask, name) for mask in sorted(needed - known) for name in PREDICTORS]
    return [_insert(connection, mask, name) for mask, name in missing]


def _insert(connection: sa.Connection, mask: str, name: str) -> str:
    experiment = named_experiment(UNTRAINED, name, mask, "score")
    run_id = f"{UNTRAINED}-{name}-{mask or 'none'}"
    connection.execute(sa.insert(Experiment), experiment)
    connection.execute(
        sa.insert(Run),
        {
            "run_id": run_id,
            "experiment_id": experiment["experiment_id"],
            "seed": None,
            "status": "finished",
            "versions": {"nasrank": importlib.metadata.version("nasrank")},
            "ground_truth_keys": [],
            "ingested_at": dt.datetime.now(dt.UTC).replace(tzinfo=None),
        },
    )
    predicted = (
        sa.select(
            sa.literal(run_id),
            sa.literal(NO_EPOCH),
            sa.literal(UNTRAINED),
            _SIZE.c.arch_id,
            _SIZE.c[name],
            sa.literal("ok"),
        )
        .join_from(_SIZE, _SPACE, _SPACE.c.arch_id == _SIZE.c.arch_id)
        .where(_SPACE.c.mask == mask, sa.not_(_SPACE.c.one_per_class))
        .order_by(_SIZE.c.arch_id)
    )
    columns = ["run_id", "epoch", "bn_mode", "arch_id", "score", "status"]
    connection.execute(sa.insert(Prediction).from_select(columns, predicted, include_defaults=False))
    return run_id
