"""Predictions that others made, as runs of an experiment of kind `imported`: super-networks, proxies, any.

A file holds what one seed predicts. Its numbers are accuracies, as fraction or percent, or scores: any real
numbers, of which higher is better. An experiment is a name and a mask; a run is one file of it. Every file is
checked before anything is imported, and all are imported in one transaction.
"""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from numpy.typing import NDArray

from nasrank.db.columns.finding import Choice
from nasrank.db.errors import NasrankError
from nasrank.db.nb201.architectures import NUM_ARCHITECTURES, OperationSet
from nasrank.db.nb201.notations import spearman
from nasrank.db.predictions.parts import joined, share_nothing
from nasrank.db.predictions.process import ReadFile, prediction_reader
from nasrank.db.predictions.reading import (
    ForeignRun,
    KnownAccuracies,
    PredictionOptions,
    prediction_files,
    read_runs,
    seeds_of,
)
from nasrank.db.runs.experiment import named_experiment
from nasrank.db.warehouse.derived import derive_runs, forget_runs, insert_predictions
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.ground_truth import resolve_key
from nasrank.db.warehouse.models import (
    IMPORTED,
    NO_EPOCH,
    Experiment,
    Prediction,
    PredictionSource,
    Run,
)

# Spearman's correlation of what looks like errors; of what tells nothing, from so many predictions on; and by
# how much another truth fits better than the one that was asked for.
_LOWEST: Final = -0.2
_NOTHING: Final = 0.1
_MANY: Final = 200
_BETTER: Final = 0.2


@dataclass(slots=True)
class ImportReport:
    """The runs of the files given, `imported` now or `unchanged` since.

    `notes` say how files were read, and how the first fits what is known; `doubts` where it can hardly be
    what it is said to be; `understood` how each run was read, a row each.
    """

    imported: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    understood: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class ImportNotices:
    """What is called during an import.

    Args:
        on_file: before each file, with how many were read, and how many there are.
        on_wait: once where another process writes to the warehouse.
    """

    on_file: Callable[[int, int], None] = lambda done, total: None
    on_wait: Callable[[], None] = lambda: None


def import_predictions(
    warehouse: Warehouse,
    path: Path,
    name: str,
    options: PredictionOptions,
    notices: ImportNotices | None = None,
) -> ImportReport:
    """Import a file, or a folder of one file a seed, under `name`; what is there already stays as it is.

    Of several columns (`Choice`) each is an experiment of its own. A trial only says how they are read.

    Raises:
        NasrankError: a file cannot be read, is unclear, or is another one than that of its name, mask and
            seed in the warehouse. Nothing is imported then.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise NasrankError(
            f"{name!r} cannot name predictions; give --name with letters, digits, dot, underscore and hyphen"
        )
    notices = notices or ImportNotices()
    keys, known_accuracies = _ground_truth(warehouse, options.ground_truth)
    report = ImportReport()
    runs = _read(path, known_accuracies, options, notices, report)
    truths = _truths(warehouse)
    by_name: dict[str, list[ForeignRun]] = {}
    for run in runs:
        by_name.setdefault(_experiment_name(name, options.choice, run), []).append(run)
    new: list[tuple[dict[str, Any], list[ForeignRun]]] = []
    for own_name, own in by_name.items():
        _tell_fit(truths, own[0], keys[0], report, own_name if len(by_name) > 1 else "")
        predicts = "score" if own[0].source["scale"] == "score" else "accuracy"
        experiment = named_experiment(IMPORTED, own_name, str(options.mask), predicts)
        known = _known_sources(warehouse, experiment)
        lacking = []
        for run in own:
            run_id = _run_id(experiment, run.seed)
            report.understood.append(_understood(own_name, run))
            if run.seed in known:
                _refuse_other_source(run, known[run.seed], own_name, options.mask)
                report.unchanged.append(run_id)
            else:
                lacking.append(run)
                report.imported.append(run_id)
        if lacking:
            new.append((experiment, lacking))
    if new and not options.is_trial:
        with warehouse.write(notices.on_wait) as connection:
            for experiment, lacking in new:
                _insert(connection, experiment, lacking, keys)
            derive_runs(connection)
    return report


def _read(
    path: Path,
    known: KnownAccuracies,
    options: PredictionOptions,
    notices: ImportNotices,
    report: ImportReport,
) -> list[ForeignRun]:
    """All runs of a file or folder, each seed in one; says how they were read."""
    files = prediction_files(path)
    seeds, told = seeds_of(files, options.seed)
    if options.are_parts:
        seeds = [seeds[0] if len(set(seeds)) == 1 else options.seed or 0] * len(files)
        told = f"seed {seeds[0]}, in {len(files)} parts"
    elif options.are_parts is False and len(set(seeds)) < len(files):
        seeds, told = list(range(len(files))), f"seeds 0 to {len(files) - 1}, in the order of the names"
    of_file: list[list[ForeignRun]] = []
    with prediction_reader() as read_file:
        for file, number in zip(files, seeds, strict=True):
            notices.on_file(len(of_file), len(files))
            of_file.append(read_runs(file, number, known, options, read_file))
        if doubt := _other_notation(of_file[0][0], files[0], known, options, read_file):
            report.doubts.append(doubt)
    runs = [run for own in of_file for run in own]
    by_seed: dict[tuple[str, int], list[ForeignRun]] = {}
    for run in runs:
        by_seed.setdefault((run.source["value_column"], run.seed), []).append(run)
    is_one_each = len(files) == len(runs) == len(by_seed)
    if options.are_parts is None and is_one_each and share_nothing(runs):
        raise NasrankError(
            f"the {len(files)} files of {path} share no architecture: give --join if they are parts of one "
            "seed, or --seeds if each is a seed of its own"
        )
    if len(runs) > len(files) and not options.choice.has_star:
        told = f"seeds {', '.join(str(run.seed) for run in runs)} from the columns"
    report.notes += [*dict.fromkeys(line for run in runs for line in run.notes), told]
    # Each column where each is an experiment; else the first, of which all others are seeds.
    for place in range(len(of_file[0]) if options.choice.has_star else 1):
        _refuse_differences([own[place] for own in of_file])
    return [joined(parts) for parts in by_seed.values()]


def _experiment_name(name: str, choice: Choice, run: ForeignRun) -> str:
    """`name`, and of several columns what the star in the chosen name stands for."""
    before, star, after = (choice.value_column or "").partition("*")
    column = run.source["value_column"]
    if not star or column == choice.value_column:
        return name
    own = column[len(before) : len(column) - len(after)]
    return f"{name}-{re.sub(r'[^A-Za-z0-9._-]+', '-', own)}"


def _understood(name: str, run: ForeignRun) -> dict[str, Any]:
    """How a run was read, for who asks before it is imported."""
    source = run.source
    return {
        "name": name,
        "seed": run.seed,
        "file_name": source["file_name"],
        "format": source["format"],
        "architectures": len(run.arch_ids),
        "architecture_column": source["architecture_column"],
        "notation": source["notation"],
        "value_column": source["value_column"],
        "scale": source["scale"],
        "lower_is_better": source["lower_is_better"],
        "finite": int(np.isfinite(run.numbers).sum()),
    }


def _other_notation(
    run: ForeignRun, file: Path, known: KnownAccuracies, options: PredictionOptions, read_file: ReadFile
) -> str | None:
    """Which notation fits what is known better than the one that was forced, if any does."""
    if options.choice.notation is None:
        return None
    found = replace(options, choice=replace(options.choice, notation=None))
    try:
        other = read_runs(file, 0, known, found, read_file)[0]
    except NasrankError:
        return None  # nothing tells others apart
    fits = [spearman(one.numbers, known.values[one.arch_ids])[0] for one in (run, other)]
    if other.source["notation"] == run.source["notation"] or abs(fits[1]) - abs(fits[0]) < _BETTER:
        return None
    return (
        f"read as {other.source['notation']} they fit {known.key} better (ρ {fits[1]:.2f}) than as "
        f"{run.source['notation']} (ρ {fits[0]:.2f})"
    )


def remove_predictions(
    warehouse: Warehouse, name: str, on_wait: Callable[[], None] = lambda: None
) -> list[str]:
    """Remove all runs imported under `name`, under whatever mask; returns their ids.

    Raises:
        NasrankError: there are none.
    """
    known = warehouse.query(
        """SELECT run_id, name FROM run JOIN experiment USING (experiment_id)
        WHERE kind = 'imported' ORDER BY ALL"""
    )
    run_ids: list[str] = known.run_id[known.name == name].tolist()
    if not run_ids:
        names = ", ".join(sorted(set(known.name))) or "none at all"
        raise NasrankError(f"no predictions were imported as {name!r}; there are {names}")

    def remove_runs(connection: sa.Connection) -> None:
        forget_runs(connection, run_ids)
        for table in (Prediction, PredictionSource, Run):
            connection.execute(sa.delete(table).where(table.run_id.in_(run_ids)))

    def remove_experiments(connection: sa.Connection) -> None:
        connection.execute(sa.delete(Experiment).where(Experiment.kind == IMPORTED, Experiment.name == name))

    warehouse.write_in_steps([remove_runs, remove_experiments], on_wait)
    return run_ids


def list_predictions(warehouse: Warehouse) -> pa.Table:
    """One row an imported run, with the file that it comes from."""
    return warehouse.query_arrow(
        """SELECT name, mask, seed, predicts, rows, notation, scale, file_name, sha256, ingested_at
        FROM run JOIN experiment USING (experiment_id) JOIN prediction_source USING (run_id)
        ORDER BY name, mask, seed"""
    )


def coverage(warehouse: Warehouse, run_ids: Sequence[str]) -> pa.Table:
    """Which sets all these runs, of one mask, predicted wholly; a row a key that is a mean over trials.

    Columns gt_key, covered, and not_covered: how many other sets there are, and how many architectures that
    lacks of which the fewest are missing.
    """
    return warehouse.query_arrow(
        """WITH predicted AS (
            SELECT arch_id, TRUE AS is_predicted FROM prediction
            WHERE run_id IN (SELECT unnest($run_ids)) AND status <> 'non-finite'
            GROUP BY arch_id HAVING count(*) = len($run_ids)
        ),
        chosen AS (
            SELECT gt_key, architecture_set, n, count(*) - count(is_predicted) AS missing
            FROM architecture_set
            JOIN ground_truth_key AS key USING (gt_key)
            LEFT JOIN predicted USING (arch_id)
            WHERE key.trial = 'mean' AND NOT one_per_class AND set_kind IN ('top', 'random', 'all')
                AND mask = (
                    SELECT mask FROM run JOIN experiment USING (experiment_id) WHERE run_id = $run_ids[1]
                )
            GROUP BY ALL
        )
        SELECT
            gt_key,
            string_agg(architecture_set, ', ' ORDER BY position) FILTER (WHERE missing = 0) AS covered,
            CASE WHEN max(missing) > 0 THEN
                count(*) FILTER (WHERE missing > 0) || ' sets; ' || arg_min(architecture_set, missing)
                FILTER (WHERE missing > 0) || ' lacks ' || min(missing) FILTER (WHERE missing > 0)
            END AS not_covered
        FROM (SELECT *, row_number() OVER (ORDER BY n, architecture_set DESC) AS position FROM chosen)
        GROUP BY ALL ORDER BY ALL""",
        {"run_ids": list(run_ids)},
    )


def _ground_truth(warehouse: Warehouse, texts: Sequence[str]) -> tuple[list[str], KnownAccuracies]:
    """The keys in full (none given: the default key), and the accuracies under the first."""
    with warehouse.read() as connection:
        keys = [str(resolve_key(connection, text)) for text in texts or (None,)]
        rows = connection.execute(
            "SELECT arch_id, accuracy FROM ground_truth WHERE gt_key = ?", [keys[0]]
        ).fetchnumpy()
    truth = np.full(NUM_ARCHITECTURES, np.nan)
    truth[rows["arch_id"]] = rows["accuracy"]
    return keys, KnownAccuracies(keys[0], truth)


def _truths(warehouse: Warehouse) -> dict[str, NDArray[np.float64]]:
    """By key, each a mean over trials: the accuracies [architectures], NaN if unknown."""
    rows = warehouse.query(
        """SELECT gt_key, arch_id, truth.accuracy
        FROM ground_truth AS truth
        JOIN ground_truth_key AS key USING (gt_key)
        WHERE key.trial = 'mean'"""
    )
    truths = {}
    for key, own in rows.groupby("gt_key"):
        truths[str(key)] = np.full(NUM_ARCHITECTURES, np.nan)
        truths[str(key)][own["arch_id"]] = own["accuracy"]
    return truths


def _tell_fit(
    truths: Mapping[str, NDArray[np.float64]], run: ForeignRun, asked: str, report: ImportReport, name: str
) -> None:
    """How the predictions rank by each truth that is known, and what cannot well be so."""
    of = f"{name}: " if name else ""
    fits = {key: spearman(run.numbers, truth[run.arch_ids])[0] for key, truth in truths.items()}
    n = int(np.isfinite(run.numbers).sum())
    best = max(fits, key=lambda key: abs(fits[key]), default=None)
    if best is None:
        report.notes.append(f"{of}{n:,} predictions; the warehouse has no ground truth to set them beside")
        return
    rho = fits[best]
    report.notes.append(f"{of}{n:,} predictions; Spearman's ρ is {rho:.2f} to {best}, of {len(fits)} truths")
    own = fits.get(asked, rho)
    if rho < _LOWEST:
        report.doubts.append(
            f"{of}ρ is {rho:.2f}: where the truth is high, these are low, as errors are; if so, remove them "
            "and import them with --scale score --lower-is-better"
        )
    elif abs(rho) < _NOTHING and n >= _MANY:
        report.doubts.append(
            f"{of}ρ is {rho:.2f}: they tell next to nothing of any known truth; are the architectures "
            "theirs, in the order of the file?"
        )
    elif rho - own >= _BETTER:
        report.doubts.append(f"{of}they fit {best} better (ρ {rho:.2f}) than {asked} (ρ {own:.2f})")


def _refuse_differences(runs: Sequence[ForeignRun]) -> None:
    """Files of one folder are read alike, or one of them was misread."""
    for name, option in (("notation", "--notation"), ("scale", "--scale"), ("value_column", "--column")):
        by_value = {run.source[name]: run.source["file_name"] for run in runs}
        if len(by_value) > 1:
            told = ", ".join(f"{file} as {value}" for value, file in by_value.items())
            raise NasrankError(f"the files differ in {name} ({told}); force one for all with {option}")


def _run_id(experiment: dict[str, Any], seed: int) -> str:
    mask = experiment["mask"] or "none"
    return f"imported-{experiment['name']}-{mask}-{experiment['experiment_id'][:8]}-s{seed}"


def _known_sources(warehouse: Warehouse, experiment: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """By seed, what was imported under this name and mask.

    Raises:
        NasrankError: it predicts something else.
    """
    rows = warehouse.query_arrow(
        """SELECT seed, predicts, prediction_source.*
        FROM prediction_source JOIN run USING (run_id) JOIN experiment USING (experiment_id)
        WHERE kind = 'imported' AND name = ? AND mask = ?""",
        [experiment["name"], experiment["mask"]],
    ).to_pylist()
    for row in rows:
        if row["predicts"] != experiment["predicts"]:
            raise NasrankError(
                f"the warehouse has {experiment['name']!r}, mask {experiment['mask'] or 'none'}, with "
                f"another scale ({row['scale']}, from {row['file_name']}); force the scale with --scale, or "
                "give another --name"
            )
    return {row["seed"]: row for row in rows}


def _refuse_other_source(run: ForeignRun, known: dict[str, Any], name: str, mask: OperationSet) -> None:
    told = ("sha256", "part", "value_column", "notation", "scale", "lower_is_better")
    differing = [column for column in told if run.source[column] != known[column]]
    if differing:
        what = "another file" if "sha256" in differing else f"the same file with another {differing[0]}"
        raise NasrankError(
            f"the warehouse has seed {run.seed} of {name!r}, mask {str(mask) or 'none'}, from "
            f"{known['file_name']}; {run.source['file_name']} is {what}; nothing was imported: give another "
            "--seed or --name, or first remove what is there with nasrank-train import-predictions "
            f"--remove {name}"
        )


def _insert(
    connection: sa.Connection, experiment: dict[str, Any], runs: Sequence[ForeignRun], keys: Sequence[str]
) -> None:
    known = connection.scalar(
        sa.select(Experiment.experiment_id).where(Experiment.experiment_id == experiment["experiment_id"])
    )
    if known is None:
        connection.execute(sa.insert(Experiment), experiment)
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    run_ids = [_run_id(experiment, run.seed) for run in runs]
    connection.execute(
        sa.insert(Run),
        [
            {
                "run_id": run_id,
                "experiment_id": experiment["experiment_id"],
                "seed": run.seed,
                "status": "finished",
                "versions": {"nasrank": importlib.metadata.version("nasrank")},
                "ground_truth_keys": list(keys),
                "ingested_at": now,
            }
            for run_id, run in zip(run_ids, runs, strict=True)
        ],
    )
    connection.execute(
        sa.insert(PredictionSource),
        [{"run_id": run_id, **run.source} for run_id, run in zip(run_ids, runs, strict=True)],
    )
    insert_predictions(
        connection,
        pa.concat_tables(
            _prediction_rows(run_id, run, experiment["predicts"])
            for run_id, run in zip(run_ids, runs, strict=True)
        ),
    )


def _prediction_rows(run_id: str, run: ForeignRun, predicts: str) -> pa.Table:
    rows = len(run.arch_ids)
    status = np.select(
        [np.isnan(run.numbers), np.isposinf(run.numbers), np.isneginf(run.numbers)],
        ["non-finite", "positive-infinity", "negative-infinity"],
        "ok",
    )
    return pa.table(
        {
            "run_id": pa.array([run_id] * rows, pa.string()),
            "epoch": pa.array([NO_EPOCH] * rows, pa.int32()),
            "bn_mode": pa.array([IMPORTED] * rows, pa.string()),
            "arch_id": pa.array(run.arch_ids, pa.int16()),
            predicts: pa.array(run.numbers, pa.float64(), mask=status != "ok"),
            "status": pa.array(status.tolist(), pa.string()),
        }
    )
