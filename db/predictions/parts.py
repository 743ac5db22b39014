"""Several files that together hold what one seed predicts: parts, of which each has other architectures."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nasrank.db.errors import NasrankError
from nasrank.db.predictions.reading import ForeignRun


def share_nothing(runs: Sequence[ForeignRun]) -> bool:
    """Whether no architecture is in two of several runs."""
    return len(runs) > 1 and _shared(runs) is None


def joined(runs: Sequence[ForeignRun]) -> ForeignRun:
    """One run of the parts of a seed; a single run is itself.

    Its source has the first file's name, with how many more there are, and the hash of their hashes.

    Raises:
        NasrankError: an architecture is in two of them.
    """
    first, *others = runs
    if not others:
        return first
    shared = _shared(runs)
    if shared is not None:
        names = " and in ".join(run.source["file_name"] for run in runs if shared in run.arch_ids)
        raise NasrankError(
            f"seed {first.seed} is in {names}, as is architecture {shared}; each seed is needed once, and "
            "its parts have others each: give a folder of other files, or number them with --seed"
        )
    hashes = "".join(run.source["sha256"] for run in runs)
    source = first.source | {
        "file_name": f"{first.source['file_name']} and {len(others)} more",
        "size_bytes": sum(run.source["size_bytes"] for run in runs),
        "sha256": hashlib.sha256(hashes.encode()).hexdigest(),
        "rows": sum(run.source["rows"] for run in runs),
    }
    return replace(
        first,
        source=source,
        arch_ids=np.concatenate([run.arch_ids for run in runs]),
        numbers=np.concatenate([run.numbers for run in runs]),
        notes=tuple(dict.fromkeys(note for run in runs for note in run.notes)),
    )


def _shared(runs: Sequence[ForeignRun]) -> int | None:
    """An architecture that is in two of them."""
    found, counts = np.unique(np.concatenate([run.arch_ids for run in runs]), return_counts=True)
    return int(found[counts > 1][0]) if (counts > 1).any() else None
