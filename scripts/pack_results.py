#!/usr/bin/env python3
"""Packs a study's ended runs into its folder in db/results, for `nasrank-train init --with-results STUDY`.

usage: .venv/bin/python scripts/pack_results.py STUDY RUNS
STUDY is a study file or the name of one that comes with nasrank, RUNS the folder of its run folders. Runs
that were packed before and have no folder in RUNS stay, so that a long study can be packed as it goes on.
"""

import sys
from pathlib import Path

from nasrank.db.errors import NasrankError
from nasrank.db.ingest.packed import pack_more_runs
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
    wanted = [run.run_id for run in study.runs]
    ended = [run for run in wanted if (status := read_status(runs_dir / run)) and status.has_ended]
    try:
        kept = pack_more_runs([read_run_folder(runs_dir / run) for run in ended], folder, wanted)
    except NasrankError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    size = sum(file.stat().st_size for file in folder.glob("*.parquet"))
    print(
        f"packed {len(ended)} runs beside {kept} packed before, of {len(wanted)}: "
        f"{size / 1e6:.2f} MB in {RESULTS.name}/{folder.name}/"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
