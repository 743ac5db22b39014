"""Programs that run as where only some packages are installed."""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
from pathlib import Path

from nasrank.db.processes import python_command

BLOCK = """
import json, sys

class Without:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in blocked else self.finder.find_spec(name, path, target)

    def __getattr__(self, name):
        return getattr(self.finder, name)

blocked = set(json.loads(sys.argv.pop(1)))
sys.meta_path[:] = map(Without, sys.meta_path)
"""


def modules_but(*distributions: str) -> list[str]:
    """The names that all installed packages are imported by, but these ones, and what they need."""
    allowed: set[str] = set()
    left = set(distributions)
    while left:
        name = left.pop()
        allowed.add(name)
        try:
            needed = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:  # for another platform
            continue
        found = [re.match(r"[\w.-]+", text) for text in needed if "extra ==" not in text]
        left |= {normal(match[0]) for match in found if match} - allowed
    owners = importlib.metadata.packages_distributions()
    return [module for module, names in owners.items() if not allowed & set(map(normal, names))]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def run_with(program: str, folder: Path, *distributions: str) -> subprocess.CompletedProcess[str]:
    """Run a program that can import nasrank and these packages only."""
    blocked = set(modules_but(*distributions)) - {"nasrank"}
    command = [*python_command(), "-c", BLOCK + program, json.dumps(sorted(blocked))]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
