"""Serves the dashboard: `python -m nasrank.app --warehouse PATH --runs PATH --host ADDRESS --port NUMBER`."""

import argparse
import os
from pathlib import Path

from nasrank.app.serve import DEFAULT_RUNS, DEFAULT_WAREHOUSE, command

parser = argparse.ArgumentParser(prog="python -m nasrank.app", description="Serve the dashboard.")
parser.add_argument("--warehouse", type=Path, default=Path(DEFAULT_WAREHOUSE))
parser.add_argument("--runs", type=Path, default=Path(DEFAULT_RUNS))
parser.add_argument("--host", default="localhost")
parser.add_argument("--port", type=int, default=8501)
options = parser.parse_args()
arguments = command(options.warehouse, options.host, options.port, options.runs)
os.execv(arguments[0], arguments)
