"""What a person may choose of an import, the same for every format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nasrank.db.columns.finding import BY_LOOKING, Choice
from nasrank.db.errors import NasrankError

# (what, done, total): called now and then, so that a person sees that it goes on. May raise, to stop it.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Curve:
    """Which epochs of a training are kept; the last one always is.

    `last`, `last-three`, `all`, or numbers of completed epochs, such as `1,50,100`, beside the last three.
    """

    text: str = "last-three"

    def __post_init__(self) -> None:
        if self.text not in ("last", "last-three", "all") and not self._numbers():
            raise NasrankError(
                f"unknown epochs of the curve {self.text!r}; give last, last-three, all, or numbers such "
                "as 1,50,100"
            )

    def kept(self, epochs: int) -> list[int]:
        """The completed epochs that are kept of a training of so many, ascending."""
        if self.text == "all":
            return list(range(1, epochs + 1))
        first = epochs if self.text == "last" else max(1, epochs - 2)
        return sorted({*range(first, epochs + 1), *(n for n in self._numbers() if n <= epochs)})

    def _numbers(self) -> list[int]:
        parts = self.text.split(",")
        if not all(part.strip().isascii() and part.strip().isdecimal() for part in parts):
            return []
        numbers = [int(part) for part in parts if len(part) < 6]
        return numbers if len(numbers) == len(parts) and min(numbers) > 0 else []


@dataclass(frozen=True)
class BenchmarkOptions:
    """How to read a file.

    Args:
        epochs: of stand-alone training, where the file does not say.
        split: `<dataset>/<split>` or one of both, where the file does not say.
        choice: which columns to read, where that is not clear.
        is_other_benchmark: whether these are no results of NAS-Bench-201 itself, but of its architectures
            trained otherwise, with other epochs or splits.
        curve: which epochs are kept, where the file has more than the last.
        work_dir: where a long import keeps what it has read, so that it can go on; None: not kept.
        processes: that read at the same time.
        progress: told how far it is.
        say: told in a line what a person should know before it begins.
    """

    epochs: int | None = None
    split: str | None = None
    is_other_benchmark: bool = False
    curve: Curve = Curve()
    choice: Choice = BY_LOOKING
    work_dir: Path | None = None
    processes: int = 2
    progress: Progress = lambda what, done, total: None
    say: Callable[[str], None] = lambda line: None
