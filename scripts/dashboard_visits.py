"""What the readers of a dashboard open, and the tally of what went wrong and how long they waited."""

import contextlib
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from nasrank.app.views.sql.examples import EXAMPLES
from nasrank.db.warehouse.file import Warehouse

PAGES = ("", "scatter", "compare", "search_space", "datasets", "runs", "paper", "sql")
# Seconds that a reader looks at a page, at least and at most.
PAUSE = (1.0, 5.0)
# Seconds until an answer that does not come is an error.
PATIENCE = 300.0
ARCHITECTURES = 15_625


@dataclass
class Tally:
    """How often each thing went wrong, and the seconds that each kind of visit took."""

    problems: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def note(self, problem: str) -> None:
        """Count it, and say it at once."""
        self.problems[problem] += 1
        print(f"problem: {problem}", file=sys.stderr)

    @contextlib.contextmanager
    def noted(self, page: str, *errors: type[Exception]) -> Iterator[None]:
        """Note errors of these kinds, which end the block."""
        try:
            yield
        except errors as error:
            self.note(f"{page or '/'}: {type(error).__name__} {error}")

    @contextlib.contextmanager
    def timed(self, kind: str) -> Iterator[None]:
        """Time the block, unless it fails."""
        started = time.perf_counter()
        yield
        self.seconds.setdefault(kind, []).append(time.perf_counter() - started)


@dataclass(frozen=True)
class Addresses:
    """Addresses of pages with parameters that this warehouse has."""

    runs: Sequence[str]
    experiments: Sequence[str]
    keys: Sequence[str]

    @classmethod
    def read(cls, warehouse: Path) -> "Addresses":
        query = Warehouse(warehouse).query
        return cls(
            list(query("SELECT run_id FROM run ORDER BY ALL")["run_id"]),
            list(query("SELECT experiment_id FROM experiment ORDER BY ALL")["experiment_id"]),
            list(query("SELECT gt_key FROM ground_truth_key ORDER BY ALL")["gt_key"]),
        )

    def draw(self, page: str, draw: random.Random) -> str:
        """The page, half of the times with parameters."""
        choices: dict[str, Callable[[], dict[str, object]]] = {
            "": lambda: {"metric": draw.choice(["tau", "tau_eq2", "spearman", "tau_a"])},
            "scatter": lambda: {"run": draw.sample(self.runs, min(2, len(self.runs)))},
            "compare": lambda: {"experiment": draw.sample(self.experiments, min(3, len(self.experiments)))},
            "search_space": lambda: {"arch": draw.randrange(ARCHITECTURES)},
            "datasets": lambda: {"set": draw.choice(["top-10", "top-50", "top-250", "random"])},
            "runs": lambda: {"run": draw.sample(self.runs, min(2, len(self.runs)))},
            "paper": lambda: {"bn_mode": draw.choice(["running", "batch", "recalibrated"])},
            "sql": lambda: {"sql": draw.choice(list(EXAMPLES.values()))},
        }
        if draw.random() < 0.5:
            return page
        parameters = choices[page]()
        if page != "sql" and self.keys and draw.random() < 0.5:
            parameters["ground_truth"] = draw.choice(self.keys)
        return f"{page}?{urlencode(parameters, doseq=True)}"
