"""What every warehouse holds: the architectures, the masks, and the τa values that the paper reports."""

from __future__ import annotations

import csv
from importlib import resources
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from nasrank.db.nb201.architectures import (
    EDGES,
    NUM_ARCHITECTURES,
    OPERATIONS,
    all_architectures,
    all_masks,
    sample_order,
)
from nasrank.db.nb201.equivalence import CellRules, isomorphism_classes, supernet_classes
from nasrank.db.warehouse.derived import derive_all
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.models import Architecture, ArchitectureClass, Mask, ReportedResult


def create_warehouse(path: Path | str) -> Warehouse:
    """Make the warehouse at `path`, or bring its tables and views up to this version, with nothing lost.

    The file of an older version stays beside it. Raises NasrankError where the file is of a newer version, is
    no warehouse, or cannot be written.
    """
    warehouse = Warehouse(Path(path))
    warehouse.create(seed_warehouse)
    return warehouse


def seed_warehouse(connection: sa.Connection) -> None:
    """Fill the tables that nothing changes where they are empty, and derive all; for `Warehouse.create`."""
    rows = {
        Architecture: architecture_rows,
        ArchitectureClass: architecture_class_rows,
        Mask: mask_rows,
        ReportedResult: reported_rows,
    }
    for table, rows_of_table in rows.items():
        if connection.scalar(sa.select(sa.func.count()).select_from(table)) == 0:
            connection.execute(sa.insert(table), rows_of_table())
    derive_all(connection)


def architecture_rows() -> list[dict[str, Any]]:
    """All 15,625 rows of `architecture`."""
    sample_position = {arch_id: position for position, arch_id in enumerate(sample_order())}
    return [
        {
            "arch_id": arch_id,
            "arch_str": architecture.string,
            "digits": architecture.digits,
            "used_bits": architecture.used.bits,
            "sample_position": sample_position[arch_id],
            **{
                f"edge_{source}{target}": OPERATIONS[operation]
                for (source, target), operation in zip(EDGES, architecture.operations, strict=True)
            },
        }
        for arch_id, architecture in enumerate(all_architectures())
    ]


def architecture_class_rows() -> list[dict[str, Any]]:
    """All 15,625 rows of `architecture_class`."""
    columns = {
        "class_id": isomorphism_classes(),
        "supernet_class_id": supernet_classes(CellRules()),
        "supernet_batch_class_id": supernet_classes(CellRules(zero_stays_zero=True)),
    }
    return [
        {"arch_id": arch_id} | {name: classes[arch_id] for name, classes in columns.items()}
        for arch_id in range(NUM_ARCHITECTURES)
    ]


def mask_rows() -> list[dict[str, Any]]:
    """All rows of `mask`."""
    return [
        {"mask": str(mask), "mask_bits": mask.bits, "architectures": len(mask.complement) ** len(EDGES)}
        for mask in all_masks()
    ]


def reported_rows() -> list[dict[str, Any]]:
    """The 121 rows of `reported_result`, read off the paper's figures."""
    text = resources.files("nasrank.db.warehouse").joinpath("reported_tau_a.csv").read_text(encoding="utf-8")
    return [
        row
        | {
            "cells_per_stage": int(row["cells_per_stage"]),
            "channels": int(row["channels"]),
            "tau_a": float(row["tau_a"]),
        }
        for row in csv.DictReader(text.splitlines())
    ]
