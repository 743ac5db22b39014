"""The benchmark of training: its JSON is whole, and its two sides do the same work."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "bench_training.py"


def test_the_baseline_trains_the_same_weights() -> None:
    options = "--channels 4 --batch-size 16 --steps 10 --repetitions 2 --device cpu --threads 1 --json"
    done = subprocess.run(
        [sys.executable, SCRIPT, *options.split()], capture_output=True, text=True, check=True
    )
    result = json.loads(done.stdout)
    # After two updates; of the way that the weights went, another path or image would be a good part.
    assert 0 < result["weights_apart"] < 1e-3
    assert (result["threads"], result["channels"], result["batch_size"]) == (1, 4, 16)
    assert (result["steps"], result["repetitions"], result["cells_per_stage"]) == (10, 2, 1)
    assert result["torch"]
    assert result["device"].startswith("cpu: ")
    rows = {row["name"]: row for row in result["rows"]}
    assert list(rows) == ["baseline", "nasrank float32", "nasrank bfloat16", "convolutions alone"]
    for row in rows.values():
        for value in ("images_per_second", "ratio"):
            least, most = row[f"{value}_range"]
            assert 0 < least <= row[value] <= most
    assert rows["baseline"]["ratio_range"] == [1, 1]
