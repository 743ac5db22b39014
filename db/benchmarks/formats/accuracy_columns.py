"""What the columns of a table of ground truth are of: data set, split and trial, as their names say it.

The benchmark's own names of splits are understood, and the words that people put beside them:
`cifar10-valid/x-valid`, `cifar100.test`, `val_acc`, `validation accuracy`, `seed_777`. What a name leaves
open, the person who imports says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from nasrank.db.benchmarks.benchmark import DATASETS, SPLITS, VALID_AND_TEST
from nasrank.db.errors import NasrankError, nearest

# Names of data sets and splits, as words without signs between them.
_DATASETS: Final[dict[tuple[str, ...], str]] = {
    ("cifar10", "valid"): "cifar10-valid",
    ("cifar", "10", "valid"): "cifar10-valid",
    ("cifar10",): "cifar10",
    ("cifar", "10"): "cifar10",
    ("cifar100",): "cifar100",
    ("cifar", "100"): "cifar100",
    ("imagenet16", "120"): "ImageNet16-120",
    ("imagenet", "16", "120"): "ImageNet16-120",
    ("imagenet16",): "ImageNet16-120",
    ("imagenet",): "ImageNet16-120",
}
_ORIGINAL_TEST: Final = "ori-test"
_SPLITS: Final[dict[tuple[str, ...], str]] = {
    ("train",): "train",
    ("training",): "train",
    ("x", "valid"): "valid",
    ("valid",): "valid",
    ("val",): "valid",
    ("validation",): "valid",
    ("x", "test"): "test",
    ("test",): "test",
    ("ori", "test"): _ORIGINAL_TEST,
}
# Beside them, these say only that a number is an accuracy.
_ACCURACY: Final = (
    *("accuracy", "accuracies", "acc", "acc1", "top1", "value"),
    *("mean", "average", "avg", "eval", "final", "percent"),
)
_TRIAL: Final = re.compile(r"(?:seed|trial|value)[-_ .]?(\d{1,9})$")
_OF_TEN_CLASSES: Final = ("cifar10-valid", "cifar10")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What accuracies are of; None is not said."""

    dataset: str | None = None
    split: str | None = None
    trial: str | None = None

    def filled(self, other: Meaning) -> Meaning:
        """With what another says where this says nothing."""
        return Meaning(self.dataset or other.dataset, self.split or other.split, self.trial or other.trial)

    @property
    def key(self) -> str | None:
        """As `cifar10-valid/valid`; None where a part is not said.

        Of cifar100 and ImageNet16-120, the original test images are those of valid and test together.
        """
        if self.dataset is None or self.split is None:
            return None
        if self.split != _ORIGINAL_TEST:
            return f"{self.dataset}/{self.split}"
        return f"{self.dataset}/{'test' if self.dataset in _OF_TEN_CLASSES else VALID_AND_TEST}"


def meaning_of(name: str) -> Meaning | None:
    """What a column's name says; None where it has other words, and may be of anything."""
    found, trial = _said(name)
    if (not found and trial is None) or any(kind == "other" for kind, _ in found):
        return None
    by_kind = {kind: value for kind, value in found if kind != "accuracy"}
    is_clear = all(kind == "accuracy" or by_kind[kind] == value for kind, value in found)
    return Meaning(by_kind.get("dataset"), by_kind.get("split"), trial) if is_clear else None


def is_of_something_else(name: str) -> bool:
    """Whether a name has a data set or split beside other words, as `mnist/valid` and `test loss`."""
    kinds = {kind for kind, _ in _said(name)[0]}
    return "other" in kinds and bool(kinds & {"dataset", "split"})


def _said(name: str) -> tuple[list[tuple[str, str]], str | None]:
    """What each word of a name is, and the trial that it ends in."""
    text = name.strip().lower()
    trial = _TRIAL.search(text)
    if trial is not None:
        text = text[: trial.start()]
    # Where a sign divides it, `cifar10/valid` is not `cifar10-valid`.
    parts = [tuple(re.findall(r"[a-z0-9]+", part)) for part in re.split(r"[/.]", text)]
    return [found for words in parts for found in _named(words)], trial[1] if trial else None


def _named(words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """(`dataset`, `split`, `accuracy` or `other`, what) of words, the longest names first."""
    while words:
        for length in range(len(words), 0, -1):
            if words[:length] in _DATASETS:
                yield "dataset", _DATASETS[words[:length]]
                break
            if words[:length] in _SPLITS:
                yield "split", _SPLITS[words[:length]]
                break
        else:
            length = 1
            yield "accuracy" if words[0] in _ACCURACY else "other", words[0]
        words = words[length:]


def given_meaning(text: str | None) -> Meaning:
    """What a person says of a file: `<dataset>/<split>`, or one of both.

    Raises:
        NasrankError: there is no such data set or split.
    """
    if text is None:
        return Meaning()
    found = meaning_of(text)
    if found is None or found == Meaning() or found.trial is not None:
        keys = [f"{dataset}/{split}" for dataset in DATASETS for split in SPLITS]
        raise NasrankError(
            f"--split {text!r} is not one of {', '.join(keys)}, nor a data set or a split of these"
            f"{nearest(text, keys)}"
        )
    return found
