#!/usr/bin/env python3
"""Packs a study's ended runs into its folder in db/results, for `nasrank-train init --with-results STUDY`.

usage: .venv/bin/python scripts/pack_results.py STUDY RUNS
STUDY is a study file or the name of one that comes with nasrank, RUNS the folder of its run folders.
"""

import sys
from pathlib import Path

from nasrank.db.errors import NasrankError
from nasrank.db.ingest.packed import pack_runs
from nasrank.db.runs.reader import read_run_folder
from nasrank.db.runs.status import read_status
from nasrank.trainer.studies.file import load_study

RESULTS = Path(__file__).resolve().parents[1] / "db" / "results"


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    study, runs_dir = load_study(sys.argv[1]), Path(sys.argv[2])
    folder = RESULTS / study.name
    paths = [runs_dir / run.run_id for run in study.runs]
    ended = [path for path in paths if (status := read_status(path)) and status.has_ended]
    try:
        pack_runs([read_run_folder(path) for path in ended], folder)
    except NasrankError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    size = sum(file.stat().st_size for file in folder.glob("*.parquet"))
    print(f"packed {len(ended)} of {len(paths)} runs: {size / 1e6:.2f} MB in {RESULTS.name}/{folder.name}/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
