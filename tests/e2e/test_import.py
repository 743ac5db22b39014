"""All of NATS-Bench through the command line: stopped, killed and gone on with, listed, removed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import nats_bench.api_utils
import pytest

from nasrank.db.benchmarks import read_benchmark
from nasrank.db.nb201.architectures import all_architectures
from nasrank.db.warehouse.file import Warehouse
from scripts.official_files import Form, Trainings, arch_results, write_nats_folder

COMMAND = [sys.executable, "-c", "from nasrank.trainer.cli.main import main; main()"]
COSTS = {"cifar10-valid": (82.0, 0.8, 0.02, 9.0)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The authors' form at full size, with one trial on one data set and the last three epochs."""
    results = read_benchmark(None).results.to_pandas()
    means = results[results.dataset == "cifar10-valid"].groupby("arch_id").accuracy.mean() * 100
    path = tmp_path_factory.mktemp("official") / "NATS-tss-v1_0-3ffb9-simple"
    archs = [a.string for a in all_architectures()]

    def infos() -> Any:
        for arch_id, arch_str in enumerate(archs):
            finals = dict.fromkeys(
                [("cifar10-valid", name, 200, 777) for name in ("train", "x-valid")], means[arch_id]
            )
            trainings = Trainings(200, {"cifar10-valid": (777,)}, finals, COSTS)
            form = Form(nats_bench.api_utils, is_new=False, curve_epochs=3)
            result = arch_results(arch_id, arch_str, trainings, form)
            yield arch_id, {"200": result}

    write_nats_folder(path, archs, infos())
    return path


def nasrank(*arguments: str, fails: bool = False) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True)
    assert (done.returncode != 0) == fails, done.stderr
    assert "Traceback" not in done.stderr
    return done


def chunks(warehouse: Path) -> int:
    return len(list(warehouse.with_name(warehouse.name + ".importing").glob("*/*.files")))


def stopped(arguments: list[str], warehouse: Path, number: int) -> tuple[int, str]:
    """Starts an import, sends it a signal once it has read some more, and returns how it ended."""
    before = chunks(warehouse)
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stderr=subprocess.PIPE,
        text=True,
        # Where the tests run in the background, SIGINT would be ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    deadline = time.monotonic() + 120
    while chunks(warehouse) < before + 3:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    return process.returncode, said


@pytest.mark.slow
def test_an_import_that_is_stopped_goes_on(folder: Path, tmp_path: Path) -> None:
    warehouse = tmp_path / "nasrank.duckdb"
    where = ["--warehouse", str(warehouse)]
    nasrank("init", *where)
    command = ["import-bench", str(folder), "--name", "nats", *where]
    code, said = stopped(command, warehouse, signal.SIGINT)
    assert (code, "interrupted; the same command goes on where it was" in said) == (130, True)
    code, _ = stopped(command, warehouse, signal.SIGKILL)
    assert code == -signal.SIGKILL
    kept = chunks(warehouse)
    assert kept >= 6
    # What was read is not read again: its files are not there any more, but the same names, sizes and times.
    [listed, *_] = warehouse.with_name(warehouse.name + ".importing").glob("*/*.files")
    first = folder / list(json.loads(listed.read_text()))[-1]
    content, status = first.read_bytes(), first.stat()
    first.write_bytes(b"x" * len(content))
    os.utime(first, ns=(status.st_atime_ns, status.st_mtime_ns))
    try:
        done = nasrank(*command, "--json")
    finally:
        first.write_bytes(content)
    assert {row["gt_key"] for row in json.loads(done.stdout)} == {
        "nats:cifar10-valid/train@198-200",
        "nats:cifar10-valid/train@200",
        "nats:cifar10-valid/valid@198-200",
        "nats:cifar10-valid/valid@200",
    }
    assert "imported 93,750 accuracies as nats" in done.stderr
    assert not list(warehouse.with_name(warehouse.name + ".importing").iterdir()), (
        "removed once it is imported"
    )
    [source] = json.loads(nasrank("import-bench", "--list", "--json", *where).stdout)
    assert (source["source"], source["format"], source["result_rows"]) == ("nats", "nats-bench", 93_750)
    assert (source["file_name"], source["license"]) == ("NATS-tss-v1_0-3ffb9-simple", "MIT")
    sums = subprocess.run("sha256sum * | sha256sum", shell=True, cwd=folder, capture_output=True, text=True)
    assert source["sha256"] == sums.stdout.split()[0]
    sizes = sum(file.stat().st_size for file in folder.iterdir())
    assert source["size_bytes"] == sizes
    found = Warehouse(warehouse).query(
        "SELECT * FROM ground_truth WHERE averaged_epochs = 3 AND split = 'train'"
    )
    assert len(found) == 15_625
    assert "nothing was changed" in nasrank(*command).stderr
    assert "the same file, with other epochs" in nasrank(*command, "--curve", "last", fails=True).stderr
    assert nasrank("import-bench", "--remove", "nats", *where).stderr.startswith("removed nats")
    assert json.loads(nasrank("import-bench", "--list", "--json", *where).stdout) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--list", "--remove", "x"], "give either --list or --remove"),
        (["--curve", "some"], "unknown epochs of the curve 'some'"),
    ],
)
def test_bad_usage_is_told(tmp_path: Path, arguments: list[str], message: str) -> None:
    done = nasrank("import-bench", *arguments, "--warehouse", str(tmp_path / "none.duckdb"), fails=True)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())
