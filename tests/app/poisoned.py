"""A warehouse and run folders of others: `TEXT` stands in every column of text, and in names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb

from nasrank.db.ingest.folders import ingest
from nasrank.db.predictions.importing import import_predictions
from nasrank.db.predictions.reading import PredictionOptions
from nasrank.db.runs import layout
from nasrank.db.warehouse.file import Warehouse
from tests.app.dashboard_data import add_run
from tests.hostile_texts import NAME, TEXT
from tests.samples import begin_run, write_run_folder

# Words that the program knows; any other value is poisoned.
KEPT: Final = (
    *("", "cifar10", "S", "baseline", "mean", "running", "imported", "ok", "train", "valid", "test"),
    *("trained", "finished", "failed", "accuracy", "score"),
)
KEY_OF_POISONED: Final = """
    poisoned(split_part(key, ':', 1)) || ':' || poisoned(split_part(split_part(key, ':', 2), '/', 1)) || '/'
    || split_part(split_part(key, '/', 2), '#', 1)
    || CASE WHEN contains(key, '#') THEN '#' || poisoned(split_part(key, '#', 2)) ELSE '' END
"""
# Columns that have only words of the program, which its own tables check or its code computes.
FIXED: Final[Mapping[str, str]] = {
    "alembic_version.*": "the revision of the schema",
    "architecture.*": "the benchmark's own notations",
    "view_text.sha256": "which SQL the views were made of",
    "*.mask": "one of the 26 masks, which a foreign key holds",
    "*.kind": "checked by the table",
    "*.predicts": "checked by the table",
    "*.status": "checked by the table",
    "*.split": "checked by the table",
    "*.architecture_set": "a word of the views",
    "*.pool": "a word of the views",
    "*.top_k": "a word of the views",
    "*.bn_mode": "one of three, by the reader of run folders",
    "experiment.node_inputs": "a word of the training options",
    "prediction_source.scale": "a word of the importer",
    "*.lt": "operations, by the reader of run folders",
    "reported_result.*": "the paper's",
}


def poisoned(value: str) -> str:
    """What stands in place of a value."""
    return value if value in KEPT else f"{value} {TEXT}"


def poisoned_key(key: str) -> str:
    """A key whose parts are poisoned, as `KEY_OF_POISONED` in SQL."""
    source, _, rest = key.partition(":")
    dataset, _, rest = rest.partition("/")
    rest, has_trial, trial = rest.partition("#")
    return f"{poisoned(source)}:{poisoned(dataset)}/{rest}{has_trial}{has_trial and poisoned(trial)}"


def is_fixed(table: str, column: str) -> bool:
    return any(name in FIXED for name in (f"{table}.*", f"{table}.{column}", f"*.{column}"))


def poison(path: Path) -> set[tuple[str, str]]:
    """Poison a warehouse, without its constraints; the columns of text that have nothing to poison.

    Comments go with the tables; those of columns are poisoned where there are any.
    """
    with duckdb.connect(str(path)) as connection:
        kept = ", ".join(map(_quoted, KEPT))
        connection.execute(
            f"CREATE TEMP MACRO poisoned(value) AS "
            f"CASE WHEN value IN ({kept}) THEN value ELSE value || ' ' || {_quoted(TEXT)} END"
        )
        connection.execute(f"CREATE TEMP MACRO poisoned_key(key) AS {KEY_OF_POISONED}")
        connection.create_function("poisoned_keys", _poisoned_keys, ["VARCHAR"], "VARCHAR")
        connection.create_function("poisoned_json", _poisoned_json, ["VARCHAR"], "VARCHAR")
        tables = connection.sql("SELECT table_name FROM duckdb_tables() WHERE NOT internal").fetchall()
        clean = set()
        for (table,) in tables:
            changed = dict(_changes(connection, table))
            selected = ", ".join(f'{sql} AS "{column}"' for column, sql in changed.items())
            replaced = f" REPLACE ({selected})" if changed else ""
            made = f"CREATE TABLE poisoned_{table} AS SELECT *{replaced} FROM {table}"  # noqa: S608
            connection.execute(made)
            for column in changed:
                has = f"count(*) FILTER (contains(CAST({column} AS VARCHAR), 'evil.test')), count({column})"
                counted = f"SELECT {has} FROM poisoned_{table}"  # noqa: S608
                [(found, known)] = connection.execute(counted).fetchall()
                clean |= {(table, column)} if known and not found else set()
        for _ in range(len(tables)):  # those that others refer to cannot go first
            tables = [(table,) for (table,) in tables if not _replace(connection, table)]
        assert not tables
        connection.execute(f"COMMENT ON COLUMN run.message IS {_quoted(TEXT)}")
    return clean


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _changes(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple[str, str]]:
    rows = connection.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ?", [table]
    ).fetchall()
    by_kind = {"VARCHAR": "poisoned", "JSON": "poisoned_json"}
    by_name = {"gt_key": "poisoned_key", "ground_truth_keys": "poisoned_keys"}
    return [
        (column, f'CAST({by_name.get(column, by_kind[kind])}("{column}") AS {kind})')
        for column, kind in rows
        if kind in by_kind and not is_fixed(table, column)
    ]


def _replace(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    try:
        connection.execute(f"DROP TABLE {table}")
    except duckdb.CatalogException:
        return False
    connection.execute(f"ALTER TABLE poisoned_{table} RENAME TO {table}")
    return True


def _poisoned_keys(text: str) -> str:
    return json.dumps(list(map(poisoned_key, json.loads(text))))


def _poisoned_json(text: str) -> str:
    def changed(value: Any) -> Any:
        match value:
            case str():
                return poisoned(value)
            case list():
                return [changed(one) for one in value]
            case dict():
                return {name: one if name in ("mask", "lt") else changed(one) for name, one in value.items()}
        return value

    content = changed(json.loads(text))
    return json.dumps(content | {TEXT: TEXT} if isinstance(content, dict) else content)


def add_folders(runs_dir: Path) -> list[str]:
    """A run that goes on, one that ended and one that cannot be read, by their names; all are poisoned."""
    failed = {"status": "failed", "failed_epoch": 3, "message": TEXT, "device": TEXT, "dataset_origin": TEXT}
    begun = runs_dir / begin_run(runs_dir, seed=71)
    ended = write_run_folder(runs_dir, {}, seed=72, status=failed)
    broken = write_run_folder(runs_dir, {}, seed=73, status={"status": TEXT})
    names = []
    for place, folder in enumerate((begun, ended, broken)):
        name = f"{NAME}{place}"
        for file in (layout.CONFIG, layout.STATUS):
            content = json.loads((folder / file).read_text())
            (folder / file).write_text(json.dumps(content | {"run_id": name}))
        (folder / f"{NAME}.txt").touch()
        folder.rename(runs_dir / name)
        names.append(name)
    return names


@dataclass(frozen=True)
class Poisoned:
    """A poisoned warehouse with run folders beside it, and for each page an address that shows much of it.

    clean: columns of text that have values and none poisoned.
    """

    path: Path
    runs_dir: Path
    clean: set[tuple[str, str]]
    addresses: Mapping[str, dict[str, str | list[str]]]


def make_poisoned(path: Path) -> Poisoned:
    """Poison the filled warehouse at `path`, with one more variant and imported predictions."""
    warehouse, runs_dir = Warehouse(path), path.parent / "runs"
    origins = path.parent / "ingested"
    warm = {"size": "S", "variant": "warmup", "warmup_epochs": 5}
    runs = [add_run(warehouse, origins, "Skip", seed, **warm) for seed in (0, 1)]
    assert not ingest(warehouse, runs).problems
    scores = path.parent / "scores.csv"
    scores.write_text("arch,points\n" + "".join(f"{arch_id},{arch_id % 97}\n" for arch_id in range(500)))
    import_predictions(warehouse, scores, "synflow", PredictionOptions())
    clean = poison(path)
    names = add_folders(runs_dir)
    return Poisoned(path, runs_dir, clean, _addresses(warehouse, names))


def _addresses(warehouse: Warehouse, names: list[str]) -> dict[str, dict[str, str | list[str]]]:
    def values(sql: str) -> list[str]:
        return [str(value) for value in warehouse.query(sql).iloc[:, 0]]

    key = values("SELECT gt_key FROM ground_truth_key WHERE dataset LIKE 'cifar100%' AND trial = 'mean'")[0]
    trial = values("SELECT gt_key FROM ground_truth_key WHERE trial <> 'mean'")[0]
    sizes = values("SELECT DISTINCT size FROM experiment WHERE size IS NOT NULL")
    runs = values("SELECT run_id FROM run JOIN experiment USING (experiment_id) WHERE size = 'S' ORDER BY 1")
    experiments = values(
        "SELECT experiment_id FROM experiment WHERE kind <> 'untrained' ORDER BY variant DESC, kind, 1"
    )
    wrong = {"set": TEXT, "bn_mode": TEXT, TEXT: TEXT, "ground_truth": key}
    return {
        "rankings": wrong | {"size": sizes, "mask": TEXT, "experiment": [*experiments[:2], TEXT], "lt": ""},
        "scatter": wrong | {"run": [*runs[:1], TEXT], "experiment": experiments[:1], "set": "top-50"},
        "compare": wrong | {"experiment": experiments[:4], "reference": experiments[0]},
        "search_space": wrong | {"arch": TEXT, "run_mask": TEXT, "mask": TEXT},
        "datasets": wrong | {"metric": TEXT, "ground_truth": trial},
        "runs": wrong | {"run": [*names, *runs[:1], TEXT], "status": TEXT, "search": ""},
        "paper": wrong,
        "sql": {"sql": f"SELECT '{TEXT.replace(chr(39), '')}'", TEXT: TEXT},
    }
