"""Names on the screen: of experiments by what differs among them, of numbers with a true minus sign."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from nasrank.db.nb201.architectures import all_masks
from nasrank.db.runs.configuration import OPTIONS, settings_of
from nasrank.db.warehouse.models import UNTRAINED, WITHOUT_NETWORK

# Sizes from small to large; others follow by name.
_SIZES: Final = ("tiny", "S", "M")
# Parts of a name that are told whatever the others are called.
_ALWAYS: Final = ("mask", "lt", "variant")
_MOST_IN_FILE_NAME: Final = 60
# Predictors that need no training, by their names in the warehouse, in the order of all pages.
UNTRAINED_NAMES: Final[Mapping[str, str]] = {
    "params": "number of parameters",
    "flops": "FLOPs",
    "c3x3": "number of C3x3",
    "convolution_depth": "most convolutions on a path",
}


def set_name(operations: str) -> str:
    """A mask or LT as shown: `none` for the empty set."""
    return operations or "none"


def kind_name(mask: str, lt: str, variant: str) -> str:
    """What an experiment is among others of its size: `mask Zero, LT Skip, warmup`; the usual is not told."""
    parts = [f"mask {set_name(mask)}", f"LT {lt}" if lt else "", "" if variant == "baseline" else variant]
    return ", ".join(filter(None, parts))


def given_name(kind: Any, name: Any) -> str:
    """The name of imported predictions, or what an untrained predictor is, in words."""
    return UNTRAINED_NAMES.get(name, str(name)) if kind == UNTRAINED else str(name)


def in_file_name(text: str) -> str:
    """The text as a part of a file's name; others than `[A-Za-z0-9_.+-]` become a digest."""
    plain = re.sub(r"[^\w.+-]+", "_", text, flags=re.ASCII)[:_MOST_IN_FILE_NAME]
    return text if plain == text else f"{plain}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def in_order(experiments: pd.DataFrame) -> pd.DataFrame:
    """Experiments by mask, few and early operations first, then LT, variant, size, and identity.

    Of each mask, imported ones come behind networks, by name, and untrained predictors last.
    """
    known = experiments.fillna({"name": "", "lt": "", "variant": "", "size": ""})
    masks = {str(mask): position for position, mask in enumerate(all_masks())}
    keys = {
        "mask": known["mask"].map(masks),
        "untrained": [
            1 + [*UNTRAINED_NAMES, name].index(name) if kind == UNTRAINED else 0
            for kind, name in zip(known["kind"], known["name"], strict=True)
        ],
        "name": known["name"],
        "lt": known["lt"],
        "variant": known["variant"].map(lambda variant: (variant != "baseline", variant)),
        "size": known["size"].map(size_position),
        "experiment_id": known["experiment_id"],
    }
    order = pd.DataFrame(keys, index=known.index).sort_values(list(keys)).index
    return experiments.loc[order]


def size_position(size: str) -> tuple[int, str]:
    """Where a size stands among others, small ones first."""
    return (_SIZES.index(size) if size in _SIZES else len(_SIZES), size)


def experiment_labels(experiments: pd.DataFrame, without: str | None = None) -> dict[str, str]:
    """Each `experiment_id`'s name: mask, LT and variant, and in what else it departs from most of these.

    The size is told where sizes differ; the usual (no LT, the baseline) never. Of an imported one or an
    untrained predictor it is its mask and its name. `experiments` has the columns of `queries.experiments`.
    No two names are equal: what words cannot tell apart is told by the identity. Only experiments that differ
    in nothing but the part `without` (lt, variant or size) share a name.
    """
    is_named = experiments["kind"].isin(WITHOUT_NETWORK)
    parts = {str(row.experiment_id): _parts(row) for row in experiments[~is_named].itertuples()}
    told = [name for name in _ALWAYS if name != without]
    if len({values["size"] for values in parts.values()}) > 1 and without != "size":
        told.append("size")
    usual = _usual(list(parts.values()))
    departing = [name for name in usual if name not in (*_ALWAYS, "size", without)]
    labels = {
        one: _joined(values, [*told, *(name for name in departing if values.get(name) != usual[name])])
        for one, values in parts.items()
    }
    for row in experiments[is_named].itertuples():
        labels[str(row.experiment_id)] = f"{set_name(str(row.mask))} · {given_name(row.kind, row.name)}"
    return labels if without else _unique(labels)


def _usual(parts: Sequence[Mapping[str, str]]) -> dict[str, str | None]:
    """Of each part in which these differ the value that most of them have; None where no value has most."""
    usual = {}
    for name in dict.fromkeys(name for values in parts for name in values):
        counts = Counter(values.get(name) for values in parts)
        value, count = counts.most_common(1)[0]
        if len(counts) > 1:
            usual[name] = value if 2 * count > len(parts) else None
    return usual


def _joined(parts: Mapping[str, str], names: Sequence[str]) -> str:
    return " · ".join(parts[name] for name in names if parts.get(name))


def _parts(row: Any) -> dict[str, str]:
    config = json.loads(row.config)
    size = row.size
    if size not in _SIZES:
        size = f"{size} {config.get('cells_per_stage')}×{config.get('channels')}"
    lt = f"LT {row.lt}" if row.lt else ""
    variant = "" if row.variant == "baseline" else row.variant
    told = {"mask": set_name(row.mask), "lt": lt, "variant": variant, "size": size}
    # Where a name has words for None, it tells it also of an option that the JSON leaves out.
    left_out = {
        name: None for name, option in OPTIONS.items() if option.joined_later and option.label_of_none
    }
    return told | {name: _worded(name, value) for name, value in (left_out | settings_of(config)).items()}


def _worded(name: str, value: object) -> str:
    option = OPTIONS.get(name)
    if option and option.label_of_none and value is None:
        return option.label_of_none
    if option and option.label and value is not None and not isinstance(value, bool):
        return option.label.format(value)
    return f"{name} {value}"


def _unique(labels: Mapping[str, str]) -> dict[str, str]:
    names = list(labels.values())
    return {
        experiment_id: label if names.count(label) == 1 else f"{label} · {experiment_id}"
        for experiment_id, label in labels.items()
    }


def signed(number: float | None, digits: int = 2) -> str:
    """So many decimals with a true minus sign, `−0.93`; a dash where there is no number."""
    if number is None or pd.isna(number):
        return "–"
    text = f"{number:.{digits}f}"
    return text.replace("-", "−") if float(text) else text.removeprefix("-")


_CENTURY_SECONDS: Final = 100 * 365.25 * 86_400


def roughly(seconds: float) -> str:
    """A time as one says it of an estimate: `40 s`, `4 min`, `1 h 20 min`, `3 days`, up to a century."""
    if seconds > _CENTURY_SECONDS:
        return "more than a century"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min" if minutes < 48 * 60 else f"{minutes / 1440:.0f} days"


def listed(names: Sequence[object], at_most: int = 8) -> str:
    """`a, b, c`, and how many more there are."""
    more = f" and {len(names) - at_most} more" if len(names) > at_most else ""
    return ", ".join(map(str, names[:at_most])) + more


def counted(noun: str, members: Sequence[object]) -> str:
    """`seed 0` or `seeds 0, 1`."""
    return f"{noun}{'s' if len(members) > 1 else ''} {listed(members)}"
