"""What the view `metric` says of the pages, against what they ask."""

from __future__ import annotations

import re
from typing import Final

from nasrank.db.warehouse.file import Warehouse
from nasrank.report.charts.ranking_table import METRICS as RANKED
from nasrank.report.metrics import COMPARED, CORRELATIONS, METRICS, SEARCHES, SHARE
from tests.samples import ROOT

# Where a page has the names of metrics beside its own folder.
ELSEWHERE: Final = {
    "rankings": ["report/queries.py", "report/charts/ranking_table.py", "report/metrics.py"],
    "compare": ["report/metrics.py"],
    "paper": ["report/findings.py"],
    "report": ["report/queries.py", "report/findings.py"],
}


def words(page: str) -> set[str]:
    own = sorted((ROOT / "app" / "views" / page).glob("*.py"))
    texts = [path.read_text() for path in [*own, *(ROOT / file for file in ELSEWHERE.get(page, []))]]
    # Columns of a mean over seeds, or of the noise ceiling, are named after their metric.
    return {re.sub("_(mean|to_others)$", "", word) for word in re.findall(r"\w+", "\n".join(texts))}


def test_metrics_tell_which_pages_read_them(filled: Warehouse) -> None:
    told = filled.query("SELECT metric, unnest(pages) AS page FROM metric")
    for row in told.itertuples():
        assert row.metric in words(row.page), row
    known = set(filled.query("SELECT metric FROM metric").metric)
    for file in (ROOT / "app" / "views").glob("*/queries.py"):
        asked = set(re.findall(r"\w+", file.read_text())) & known
        assert asked <= set(told.metric[told.page == file.parent.name]), file


def test_pages_offer_metrics_of_the_view(filled: Warehouse) -> None:
    known = set(filled.query("SELECT metric FROM metric").metric)
    assert {*COMPARED, *SEARCHES.values()} <= known
    assert list(RANKED.values()) == list(CORRELATIONS)
    assert set(METRICS) == {*COMPARED, *SEARCHES, SHARE}
    better = dict(filled.query("SELECT metric, coalesce(better, 0) FROM metric").itertuples(index=False))
    bounds = filled.query("SELECT metric, high FROM metric").set_index("metric").high
    for name, metric in METRICS.items():
        column = SEARCHES.get(name, name)
        if column in known:
            assert metric.is_less_better == (better[column] == -1), name
            assert not metric.is_percent or bounds[column] == 1 or column == "gap_share", name
    columns = filled.query("SELECT * FROM run_ranking LIMIT 0").columns
    of_runs = filled.query("SELECT metric FROM metric WHERE scope <> 'search'").metric
    assert set(of_runs) <= set(columns)
    of_searches = filled.query("SELECT metric FROM metric WHERE scope = 'search'").metric
    assert set(of_searches) <= set(filled.query("SELECT * FROM run_search LIMIT 0").columns)
