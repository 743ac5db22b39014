"""Reads CIFAR-10 from files of others in a process with limits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from nasrank.db.files.foreign import Answer, ForeignReader, Progress, answer_tasks
from nasrank.trainer.images.sources import Source, read_cifar10

PROCESS: Final = "nasrank.trainer.images.process"
# By which memory and time are limited; the official archive has 170 MB, also unpacked.
SIZE: Final = 192 * 2**20
# Of SIZE: a minute in all. The slowest, PNG in Parquet, took 9 seconds.
BYTES_A_SECOND: Final = 5 * 10**6
_SHAPE: Final = (3, 32, 32)


def read_in_process(source: Path, progress: Progress) -> Source:
    """As `read_cifar10`, in a process of its own."""
    with ForeignReader(PROCESS, BYTES_A_SECOND) as reader:
        answer = reader.read(source, SIZE, {}, progress)
    [table] = answer.tables
    pixels = table["image"].combine_chunks().buffers()[1]
    # Copied, for what Arrow holds cannot be changed, which PyTorch wants of what it shares.
    images = np.frombuffer(pixels, np.uint8).reshape(-1, *_SHAPE).copy()
    return images, table["label"].to_numpy().copy(), str(answer.told["origin"])


def _read(source: Path, _: Mapping[str, Any], progress: Progress) -> Answer:
    images, labels, origin = read_cifar10(source, progress=progress)
    pixels = pa.py_buffer(np.ascontiguousarray(images))
    column = pa.Array.from_buffers(pa.binary(int(np.prod(_SHAPE))), len(images), [None, pixels])
    return Answer({"origin": origin}, (pa.table({"image": column, "label": labels}),))


if __name__ == "__main__":
    answer_tasks(_read)
