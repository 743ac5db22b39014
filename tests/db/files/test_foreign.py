"""The processes that read files of others have what their limits leave, always."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa

from nasrank.db.columns.finding import Choice
from nasrank.db.nb201.architectures import NUM_ARCHITECTURES
from nasrank.db.predictions.process import prediction_reader
from nasrank.db.processes import limited_environment


def test_arrow_takes_no_addresses_in_advance() -> None:
    """A GiB at once, of the 1.1 that a file of 12 MB may take, left the rest to chance."""
    said = subprocess.run(
        [sys.executable, "-P", "-c", "import pyarrow as pa; print(pa.default_memory_pool().backend_name)"],
        env=limited_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "system\n"


def test_a_large_file_is_read_every_time(tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).random((NUM_ARCHITECTURES, 50))
    path = tmp_path / "seeds.npy"
    np.save(path, numbers)
    for _ in range(3):
        with prediction_reader() as read:
            found = read(path, Choice())
        assert len(found) == 50
        assert pa.array(found[7].numbers) == pa.array(numbers[:, 7])
