"""The SQL page as Streamlit runs it, without a browser."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from nasrank.app.views.sql.examples import EXAMPLES
from nasrank.app.views.sql.result_chart import axis_columns, colour_columns, number_columns, result_chart
from nasrank.app.views.sql.schema_browser import matches
from nasrank.app.widgets.text import as_text
from nasrank.db.warehouse.file import Warehouse
from tests.samples import ROOT

MAIN = ROOT / "app" / "main.py"


@pytest.fixture
def open_console(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Opens the SQL page on a warehouse, with URL parameters."""

    def opened(path: Path, **parameters: str) -> AppTest:
        monkeypatch.setenv("NASRANK_WAREHOUSE", str(path))
        test = AppTest.from_file(MAIN, default_timeout=60)
        test.switch_page("views/sql/sql.py")
        test.query_params.update(parameters)
        test.run()
        assert not test.exception
        return test

    return opened


def run(test: AppTest, sql: str | None = None) -> AppTest:
    if sql is not None:
        test.text_area(key="sql").set_value(sql)
    next(button for button in test.button if button.label == "Run").click().run()
    assert not test.exception
    return test


def text(elements: Any) -> str:
    return "\n".join(str(element.value) for element in elements)


@pytest.mark.parametrize("title", EXAMPLES)
def test_every_example_answers(filled: Warehouse, title: str) -> None:
    assert filled.query_arrow(EXAMPLES[title]).num_rows > 0


def test_an_example_fills_the_editor_and_answers(filled: Warehouse, open_console: Any) -> None:
    test = open_console(filled.path)
    title = next(iter(EXAMPLES))
    test.selectbox(key="example").set_value(title).run()
    assert test.text_area(key="sql").value == EXAMPLES[title]
    assert "has not been run" in text(test.info)
    assert not test.dataframe
    run(test)
    rows = filled.query_arrow(EXAMPLES[title])
    pd.testing.assert_frame_equal(test.dataframe[0].value, rows.to_pandas())  # but for a last bit
    assert f"**{rows.num_rows} rows**" in text(test.markdown)
    assert test.query_params["sql"] == EXAMPLES[title]


def test_an_address_shows_its_query_and_does_not_ask_it(filled: Warehouse, open_console: Any) -> None:
    sql = "SELECT mask, architectures FROM mask"
    test = open_console(filled.path, sql=sql, chart="Bars", x="mask", y="nowhere")
    assert test.text_area(key="sql").value == sql
    assert not test.dataframe
    assert not test.get("vega_lite_chart")
    run(test)
    assert len(test.get("vega_lite_chart")) == 1
    assert test.selectbox(key="y").value == "architectures"
    assert "y=nowhere" in text(test.warning)


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT * FROM read_csv('/etc/passwd')", "Permission Error"),
        ("COPY mask TO '/tmp/stolen.csv'", "Permission Error"),
        ("DELETE FROM mask", "read-only"),
        ("SELECT len(range(500000000))", "needs more memory"),
        ("CALL enable_logging(storage_path = '/nowhere/log')", "queries are answered"),
        ("SELECT '*a*' + [1]", "Binder Error"),
        ("", "no statement"),
    ],
)
def test_a_failure_is_one_message_and_the_page_lives_on(
    filled: Warehouse, open_console: Any, sql: str, told: str
) -> None:
    test = run(open_console(filled.path), sql)
    assert len(test.error) == 1
    assert any(part in test.error[0].value for part in told.split("|"))
    assert not test.dataframe
    run(test, "SELECT 1 AS one")
    assert not test.error
    assert test.dataframe[0].value.to_dict("list") == {"one": [1]}


def test_the_place_of_an_error_is_shown(filled: Warehouse, open_console: Any) -> None:
    test = run(open_console(filled.path), "SELECT mask,\n  nowhere\nFROM mask")
    assert test.code[0].value == "LINE 2:   nowhere\n          ^"


def test_a_query_without_rows_is_told_why(filled: Warehouse, open_console: Any) -> None:
    test = run(
        open_console(filled.path),
        "SELECT seed FROM experiment JOIN run USING (experiment_id) WHERE mask = 'none'",
    )
    assert "No mask is the empty text in SQL: mask = ''" in text(test.info)


def test_a_cut_and_columns_of_one_name(filled: Warehouse, open_console: Any) -> None:
    test = run(open_console(filled.path), "SELECT range AS a, -range AS a FROM range(1000000)")
    assert "cut after 10,000" in text(test.warning)
    assert list(test.dataframe[0].value) == ["a", "a_2"]
    assert len(test.dataframe[0].value) == 10_000


def test_what_browsers_have_nothing_for_is_text(filled: Warehouse, open_console: Any) -> None:
    test = open_console(filled.path)
    run(test, "SELECT DATE 'infinity' AS day, INTERVAL '1 month' AS span, [TIME '24:00:00'] AS times")
    [row] = test.dataframe[0].value.to_dict("records")
    assert row == {"day": "infinity", "span": "P1M0DT0S", "times": '["24:00:00"]'}


def test_what_cannot_be_drawn_is_told(filled: Warehouse, open_console: Any) -> None:
    test = open_console(filled.path, chart="Points")
    run(test, "SELECT DATE 'infinity' AS day, 1 AS one")
    assert not test.error
    run(test, "SELECT 'a' AS text")
    assert "a column of numbers" in text(test.info)


def test_a_query_too_long_for_an_address_is_told(filled: Warehouse, open_console: Any) -> None:
    test = run(open_console(filled.path), f"SELECT 1 AS one -- {'x' * 5000}")
    assert "too long for an address" in text(test.caption)
    assert "sql" not in test.query_params
    assert test.dataframe[0].value.to_dict("list") == {"one": [1]}


def test_the_query_outlasts_a_look_at_another_page(filled: Warehouse, open_console: Any) -> None:
    test = run(open_console(filled.path), "SELECT 1 AS one")
    test.switch_page("views/rankings/rankings.py").run()
    assert not test.exception
    test.switch_page("views/sql/sql.py").run()
    assert not test.exception
    assert test.text_area(key="sql").value == "SELECT 1 AS one"
    assert test.dataframe[0].value.to_dict("list") == {"one": [1]}


def test_the_schema_is_searched_by_names_and_comments(filled: Warehouse, open_console: Any) -> None:
    test = open_console(filled.path)
    known = filled.query(
        """SELECT table_name AS name FROM duckdb_tables()
        WHERE NOT internal AND table_name <> 'alembic_version'
        UNION ALL SELECT view_name FROM duckdb_views() WHERE NOT internal
        UNION ALL SELECT function_name FROM duckdb_functions() WHERE NOT internal"""
    )
    shown = [expander.label for expander in test.expander]
    assert sorted(label.split("**")[1] for label in shown) == sorted(known["name"])
    test.text_input(key="schema_search").set_value("trial tau_to_others").run()
    assert [expander.label for expander in test.expander] == ["**noise_ceiling** · view"]
    test.text_input(key="schema_search").set_value("nothing-has-this").run()
    assert not test.expander
    assert "Nothing has all of these words" in text(test.caption)


def test_what_cannot_be_shown_is_explained(filled: Warehouse, tmp_path: Path, open_console: Any) -> None:
    assert "nasrank-train init" in text(open_console(tmp_path / "missing.duckdb").error)
    old = tmp_path / "old.duckdb"
    shutil.copyfile(filled.path, old)
    with duckdb.connect(old) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    assert "nasrank-train init" in text(open_console(old).error)


def test_a_file_that_goes_while_the_page_is_open_is_explained(own: Warehouse, open_console: Any) -> None:
    test = open_console(own.path)
    own.path.unlink()
    run(test, "SELECT 1")
    assert "nasrank-train init" in text(test.error)


def test_columns_are_offered_where_they_can_be_drawn(filled: Warehouse) -> None:
    rows = filled.query_arrow(
        """SELECT range AS i, CAST(range AS HUGEINT) AS huge, CAST(range AS DECIMAL(9, 2)) AS "a.b[0]",
        range / 3 AS real, range % 8 AS few, CAST(range % 8 AS VARCHAR) AS text,
        CAST(range AS VARCHAR) AS much, range > 3 AS yes, range IS NULL AS no, NULL AS nothing,
        DATE '2020-01-01' + CAST(range AS INTEGER) AS day, to_days(CAST(range AS INTEGER)) AS span,
        [range] AS list, CAST('x' AS BLOB) AS bytes FROM range(10)"""
    )
    numbers = ["i", "huge", "a.b[0]", "real", "few"]
    assert [name for name in number_columns(rows) if name != "nothing"] == numbers
    assert "list" not in axis_columns(rows)
    assert {"text", "yes"} <= set(colour_columns(rows)) <= {"text", "yes", "no", "nothing"}
    for mark in ("Points", "Lines", "Bars"):
        for x in axis_columns(rows):
            spec = result_chart(rows, mark, x, "a.b[0]", "text").to_dict()
            [drawn] = spec["datasets"].values()
            assert [point["y"] for point in drawn] == list(range(10))
            assert {point["colour"] for point in drawn} == {str(i) for i in range(8)}


def test_empty_text_has_a_name_in_the_legend() -> None:
    rows = pa.table({"mask": ["", "Zero", None], "n": [1, 2, 3]})
    [drawn] = result_chart(rows, "Bars", "mask", "n", "mask").to_dict()["datasets"].values()
    assert [point["x"] for point in drawn] == ["(empty)", "Zero", None]


def test_comments_read_as_written() -> None:
    assert as_text("a_n * [b] `c` $d$") == "a_n \\* \\[b\\] \\`c\\` \\$d\\$"
    assert as_text(None) == ""
    assert matches(["TAU", "mean"], "tau", "The mean")
    assert not matches(["tau", "median"], "tau", None)
