"""The page Scatter as Streamlit runs it, without a browser: numbers, limits, the address."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from scipy import stats
from streamlit.testing.v1 import AppTest

from nasrank.app.snapshot import Snapshot
from nasrank.app.views.scatter import queries as scatter_queries
from nasrank.app.views.scatter.errors import errors_by_place, place_in_words, with_errors
from nasrank.app.views.scatter.panels import AxisLimits, Look, Shown, Subject, panels
from nasrank.db.nb201.architectures import EDGES, OPERATIONS, Architecture
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.seed import seed_warehouse
from nasrank.report.charts.neighbour_chart import EDGE_NAMES, errors_chart
from tests.app.dashboard_data import KEY, OTHER_KEY


@pytest.fixture
def open_scatter(open_view: Any) -> Any:
    def opened(path: Path, **parameters: str | list[str]) -> AppTest:
        test: AppTest = open_view("scatter", path, **parameters)
        assert test.title[0].value == "Scatter"
        return test

    return opened


def text(elements: Any) -> str:
    return "\n".join(str(element.value) for element in elements)


def numbers(test: AppTest) -> pd.DataFrame:
    return test.dataframe[-1].value


def charts(test: AppTest) -> int:
    """The panels: below them, errors have a chart of their own."""
    shown = [element.value for element in test.header]
    return len(test.get("vega_lite_chart")) - shown.count("Errors of prediction")


def run_of(warehouse: Warehouse, mask: str, seed: int) -> str:
    return str(
        warehouse.query(
            """SELECT run_id FROM run JOIN experiment USING (experiment_id)
            WHERE mask = ? AND seed = ? AND dataset = 'cifar10' ORDER BY size DESC""",
            [mask, seed],
        )["run_id"][0]
    )


def test_the_first_look_is_figure_2_of_one_run(filled: Warehouse, open_scatter: Any) -> None:
    test = open_scatter(filled.path)
    assert charts(test) == 3
    shown = numbers(test)
    assert list(shown["architecture_set"]) == ["top-50", "top-250", "random"]
    assert shown["predictor"].unique().tolist() == [run_of(filled, "", 0)]
    assert not test.warning


def test_the_numbers_are_the_views_and_scipys(whole: Warehouse, open_scatter: Any) -> None:
    """Of one run in two sets, under the key it was asked for and one that the views compute."""
    run_id = run_of(whole, "", 3)
    for key in (KEY, OTHER_KEY):
        shown = numbers(open_scatter(whole.path, run=run_id, set=["top-100", "all"], ground_truth=key))
        for row in shown.itertuples():
            view = whole.query(
                """SELECT * FROM run_ranking
                WHERE run_id = ? AND gt_key = ? AND architecture_set = ? AND epoch = 7
                    AND bn_mode = 'running'""",
                [run_id, key, row.architecture_set],
            ).iloc[0]
            points = whole.query(
                """SELECT truth, predicted FROM prediction_point
                WHERE run_id = ? AND gt_key = ? AND architecture_set = ? AND epoch = 7
                    AND bn_mode = 'running'""",
                [run_id, key, row.architecture_set],
            )
            truth, predicted = points["truth"], points["predicted"]
            assert row.n == len(points) == (100 if row.architecture_set == "top-100" else 15_625)
            assert (
                row.tau == pytest.approx(view["tau"]) == pytest.approx(stats.kendalltau(truth, predicted)[0])
            )
            assert row.spearman == pytest.approx(stats.spearmanr(truth, predicted)[0])
            assert row.pearson == pytest.approx(stats.pearsonr(truth, predicted)[0])


def test_a_mean_over_seeds_is_of_points_and_of_numbers(filled: Warehouse, open_scatter: Any) -> None:
    experiment_id = filled.query("SELECT experiment_id FROM experiment WHERE mask = 'Zero' AND size = 'tiny'")
    experiment_id = experiment_id["experiment_id"][0]
    test = open_scatter(filled.path, experiment=experiment_id, set="random")
    assert "mean over seeds 0, 1" in text(test.markdown)
    view = filled.query(
        """SELECT * FROM experiment_ranking
        WHERE experiment_id = ? AND gt_key = ? AND architecture_set = 'random'""",
        [experiment_id, KEY],
    ).iloc[0]
    shown = numbers(test).iloc[0]
    assert shown["seeds"] == 2
    for column in ("tau", "spearman", "pearson"):
        assert shown[column] == pytest.approx(view[f"{column}_mean"])
    assert shown["tau_std"] == pytest.approx(view["tau_std"])
    points = scatter_queries.points(
        Snapshot.take(filled.path), scatter_queries.EvaluationKey(experiment_id, KEY, "running", 20), "random"
    )
    by_hand = filled.query(
        """SELECT arch_id, avg(accuracy) AS predicted FROM prediction JOIN run USING (run_id)
        WHERE experiment_id = ? GROUP BY arch_id""",
        [experiment_id],
    ).set_index("arch_id")["predicted"]
    assert len(points) == 1000
    assert points["predicted"].tolist() == pytest.approx(by_hand[points["arch_id"]].tolist())


def test_what_needs_no_training_is_an_experiment_and_no_run(filled: Warehouse, open_scatter: Any) -> None:
    found = filled.query("SELECT experiment_id FROM experiment WHERE mask = 'Zero' AND name = 'params'")
    test = open_scatter(filled.path, experiment=found["experiment_id"][0], set="random")
    assert "as the architecture says, without any training" in text(test.markdown)
    assert not any("parameters" in name for name in test.multiselect(key="run").options)
    tau = filled.query(
        """SELECT tau FROM run_ranking
        WHERE run_id = 'untrained-params-Zero' AND gt_key = ? AND architecture_set = 'random'""",
        [KEY],
    ).tau[0]
    assert numbers(test).iloc[0]["tau"] == pytest.approx(tau)


def test_what_is_equal_and_what_is_constant(whole: Warehouse) -> None:
    """6,466 classes, each with one first; constant is what no way leads through, by walking the cell."""
    evaluation = scatter_queries.EvaluationKey(run_of(whole, "", 3), KEY, "running", 7)
    points = scatter_queries.points(Snapshot.take(whole.path), evaluation, "all")
    assert len(points) == 15_625
    assert points["first_of_class"].sum() == 6_466
    constant = {digits for digits, told in zip(points["digits"], points["constant"], strict=True) if told}
    assert constant == {digits for digits in points["digits"] if not reaches_output(digits)}
    assert len(constant) == 341


def reaches_output(digits: str) -> bool:
    reached = {0}
    for operation, (source, target) in sorted(
        zip(Architecture.from_digits(digits).operations, EDGES, strict=True), key=lambda edge: edge[1][1]
    ):
        if operation != 0 and source in reached:
            reached.add(target)
    return 3 in reached


def test_limits_in_the_address_zoom_and_list(whole: Warehouse, open_scatter: Any) -> None:
    run_id = run_of(whole, "", 3)
    test = open_scatter(
        whole.path,
        run=run_id,
        set="all",
        truth_from="90.5",
        truth_to="91",
        predicted_from="50",
        colour="C3x3",
    )
    assert test.number_input(key="truth_from").value == 90.5
    known = whole.query(
        """SELECT arch_id, arch_str, truth, predicted FROM prediction_point JOIN architecture USING (arch_id)
        WHERE run_id = ? AND gt_key = ? AND architecture_set = 'all' AND epoch = 7 AND bn_mode = 'running'
            AND 100 * truth BETWEEN 90.5 AND 91 AND 100 * predicted >= 50
        ORDER BY gt_rank""",
        [run_id, KEY],
    )
    assert 10 < len(known) < 1_000
    found = test.dataframe[1].value
    assert found["arch_id"].tolist() == known["arch_id"].tolist()
    assert found["arch_str"].tolist() == known["arch_str"].tolist()
    assert found["predicted"].tolist() == pytest.approx((100 * known["predicted"]).tolist())
    assert f"search_space?arch={known['arch_id'][0]}&" in found["link"].tolist()[0]
    assert f"**{len(known)} architectures**" in text(test.markdown)
    # The numbers stay those of the whole set.
    assert numbers(test)["n"].tolist() == [15_625]
    test.button[0].click().run()
    assert not test.exception
    assert test.number_input(key="truth_from").value is None
    assert "to list the architectures inside" in text(test.markdown)


def test_limits_that_leave_nothing_are_told(filled: Warehouse, open_scatter: Any) -> None:
    test = open_scatter(filled.path, set="top-50", truth_to="1")
    assert "top-50: none of its 50 architectures lies within the limits." in text(test.markdown)
    assert charts(test) == 0
    test = open_scatter(filled.path, set="top-50", truth_from="92", truth_to="90")
    assert "go from 92 to 90; the first must be less" in text(test.warning)
    assert charts(test) == 1


def test_epochs_and_bn_modes_are_offered_where_there_are_several(whole: Warehouse, open_scatter: Any) -> None:
    test = open_scatter(whole.path, run=[run_of(whole, "", 3), run_of(whole, "", 4)], set="top-50")
    assert list(test.selectbox(key="epoch").options) == ["last", "3", "7"]
    assert numbers(test)["epoch"].tolist() == [7, 7]
    test.selectbox(key="epoch").set_value("3").run()
    assert numbers(test)["epoch"].tolist() == [3, 3]
    test = open_scatter(
        whole.path, run=[run_of(whole, "", 3), run_of(whole, "", 4)], set="top-50", bn_mode="batch"
    )
    assert numbers(test)["bn_mode"].tolist() == ["batch"]
    assert "Not evaluated at this epoch" in text(test.info)
    assert "seed 4" in text(test.info)


def test_scores_have_their_own_unit(whole: Warehouse, open_scatter: Any) -> None:
    run_id = whole.query(
        "SELECT run_id FROM run JOIN experiment USING (experiment_id) WHERE name = 'synflow'"
    )
    run_id = run_id["run_id"][0]
    test = open_scatter(whole.path, run=run_id, set=["all", "top-50"], predicted_from="900000")
    assert numbers(test)["tau"].tolist() == pytest.approx([1, 1])
    assert numbers(test)["n"].tolist() == [50, 4_096]
    found = test.dataframe[1].value
    assert found["predicted"].tolist() == pytest.approx((1e4 * found["truth_percent"]).tolist())


def test_a_wrong_address_is_explained(filled: Warehouse, open_scatter: Any) -> None:
    test = open_scatter(
        filled.path,
        run="no-such-run",
        set=["top-50", "top-7"],
        colour="red",
        predicted_to="many",
        truth_from="nan",
        zoom="1",
    )
    told = text(test.warning)
    for problem in (
        "run=no-such-run",
        "set=top-7",
        "colour=red",
        "predicted_to=many",
        "truth_from=nan",
        "zoom",
    ):
        assert f"`{problem}`" in told
    assert charts(test) == 1
    # A whole space that no chosen run predicted.
    assert "set=all" in text(open_scatter(filled.path, set="all").warning)


def test_nothing_chosen_too_much_chosen_and_nothing_there(
    filled: Warehouse, ground_truth_file: Path, tmp_path: Path, open_scatter: Any
) -> None:
    test = open_scatter(filled.path)
    test.multiselect(key="run").set_value([]).run()
    assert "Choose a run" in text(test.info)
    every = filled.query("SELECT run_id FROM run WHERE run_id LIKE 'cifar10-tiny%' ORDER BY run_id")["run_id"]
    test = open_scatter(filled.path, run=list(every))
    assert charts(test) == 12
    assert "12 panels are drawn at most. Left out: " in text(test.info)
    assert "no predictions" in text(open_scatter(ground_truth_file).info)
    bare = Warehouse(tmp_path / "bare.duckdb")
    bare.create(seed_warehouse)
    assert "no predictions" in text(open_scatter(bare.path).info)


def test_errors_of_prediction_are_ranks_apart(filled: Warehouse, open_scatter: Any) -> None:
    """Against the slow way: every architecture's place, counted."""
    run = run_of(filled, "", 0)
    test = open_scatter(filled.path, run=run, set=["top-50", "random"])
    listed = test.dataframe[0].value
    rows = filled.query(
        """SELECT arch_id, gt_rank, prediction.accuracy AS predicted FROM architecture_set
        JOIN prediction USING (arch_id)
        WHERE mask = '' AND gt_key = ? AND architecture_set = 'random' AND run_id = ?""",
        [KEY, run],
    )
    assert len(rows) == 1_000
    off_by = {}
    for one in rows.itertuples():
        truly = sum(other.gt_rank <= one.gt_rank for other in rows.itertuples())
        better = sum(other.predicted > one.predicted for other in rows.itertuples())
        equal = sum(other.predicted == one.predicted for other in rows.itertuples())
        off_by[one.arch_id] = truly - (better + (1 + equal) / 2)
    assert listed["off_by"].tolist() == sorted(off_by.values(), reverse=True)[:50]
    for row in listed.itertuples():
        assert row.off_by == off_by[row.arch_id]
        assert row.cell.startswith("data:image/svg+xml,")
        assert f"arch={row.arch_id}&" in row.link
        assert "ground_truth=" in row.link
    worst, best = max(off_by, key=off_by.__getitem__), min(off_by, key=off_by.__getitem__)
    told = text(test.markdown)
    assert f"Most overestimated: architecture {worst}, predicted to be" in told
    assert f"Most underestimated: architecture {best}, predicted to be" in told
    test.radio(key="first").set_value("underestimated").run()
    assert test.dataframe[0].value["off_by"].tolist() == sorted(off_by.values())[:50]
    other = open_scatter(
        filled.path, run=run, set=["top-50", "random"], errors=f"scatter-{run}-top-50", first="underestimated"
    )
    assert not other.warning
    assert len(other.dataframe[0].value) == 50


def test_errors_by_operation_and_edge_are_means() -> None:
    points = pd.DataFrame(
        {
            "digits": ["000000", "300000", "300004"],
            "gt_rank": [5, 9, 7],
            "predicted": [0.1, 0.9, 0.5],
        }
    )
    ranked = with_errors(points)
    assert ranked["true_place"].tolist() == [1, 3, 2]
    assert ranked["predicted_place"].tolist() == [3, 1, 2]
    assert ranked["off_by"].tolist() == [-2, 2, 0]
    by_place = errors_by_place(ranked).set_index(["edge", "operation"])
    first, last = EDGE_NAMES[0], EDGE_NAMES[-1]
    assert by_place.loc[(first, OPERATIONS[0]), "off_by"] == pytest.approx(-200 / 3)
    assert by_place.loc[(first, OPERATIONS[3]), "off_by"] == pytest.approx(100 / 3)
    assert by_place.loc[(last, OPERATIONS[4]), "n"] == 1
    assert (first, OPERATIONS[1]) not in by_place.index, "nothing has it"
    spec = errors_chart(by_place.reset_index(), width=300).to_dict()
    assert spec["layer"][0]["encoding"]["color"]["scale"]["range"] == "diverging"


@pytest.mark.parametrize(
    ("place", "told"), [(1, "1st"), (2, "2nd"), (11, "11th"), (1203, "1,203rd"), (29.5, "29.5th")]
)
def test_places_in_words(place: float, told: str) -> None:
    assert place_in_words(place) == told


def test_axes_by_rank(filled: Warehouse, open_scatter: Any) -> None:
    test = open_scatter(filled.path, axes="by rank", set="random", truth_to="100")
    assert "100 of 1,000 architectures" in str(test.get("vega_lite_chart")[0].proto)
    inside = test.dataframe[1].value
    assert len(inside) == 100
    assert inside["gt_rank"].is_monotonic_increasing
    assert inside["truth_percent"].iloc[0] > 80, "the list has values, whatever the axes are"


def test_a_few_far_points_are_at_the_edge(filled: Warehouse) -> None:
    snapshot = Snapshot.take(filled.path)
    run = run_of(filled, "", 0)
    subject = Subject(run, "a run", "accuracy", "running", 20, [])
    look = Look(KEY, ["random"], AxisLimits(), by_rank=False)
    [shown] = [one for one in panels(snapshot, subject, look) if isinstance(one, Shown)]
    domain = shown.panel.domains[0]
    assert domain is not None
    outside = (shown.points["truth"] < domain[0]).sum()
    assert 0 < outside < 50
    assert f"{outside} beyond the axis of ground truth, at its edge" in shown.panel.title
    assert (shown.panel.points["truth"] >= domain[0]).all()
    assert len(shown.panel.points) == len(shown.points), "nothing is left out"
    whole = AxisLimits((0, 100))
    [shown] = [
        one
        for one in panels(snapshot, subject, Look(KEY, ["random"], whole, False))
        if isinstance(one, Shown)
    ]
    assert shown.panel.domains[0] == (0, 100)
    assert shown.panel.points["truth"].min() == shown.points["truth"].min()
