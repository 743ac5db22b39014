"""The command that prepares images, or lists them: data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nasrank.trainer.cli.options import DATA, DataOption, JsonOption
from nasrank.trainer.cli.output import Format, print_table, show_work


def data(
    name: Annotated[
        str | None, typer.Argument(help="Data set to prepare: cifar10. Left out: list them.")
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(help="cifar-10-python.tar.gz, its folder cifar-10-batches-py, or Parquet with images."),
    ] = None,
    download: Annotated[bool, typer.Option("--download", help="Fetch the official archive.")] = False,
    data_dir: DataOption = DATA,
    json_output: JsonOption = False,
) -> None:
    """Prepare images, or list them.

    \b
    Example: nasrank-train data cifar10 --source ~/cifar-10-python.tar.gz
    """
    import pyarrow as pa

    from nasrank.trainer.images.cifar10 import OFFICIAL_ARCHIVE
    from nasrank.trainer.images.datasets import list_datasets, prepare_dataset

    if name is not None:
        with show_work() as progress:
            archive = OFFICIAL_ARCHIVE if download else None
            prepare_dataset(name, data_dir, source=source, download=archive, progress=progress)
    elif source is not None or download:
        raise typer.BadParameter("name the data set to prepare: nasrank-train data cifar10 …")
    rows = [
        {
            "dataset": info.name,
            "images": info.images,
            "prepared": info.prepared,
            "origin": info.origin,
            "sha256": info.sha256,
        }
        for info in list_datasets(data_dir)
    ]
    print_table(pa.Table.from_pylist(rows), Format.json if json_output else Format.table)
