"""Paper: what becomes of the paper's findings in this warehouse, and its τa beside ours."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from itertools import groupby

import pandas as pd
import streamlit as st

from nasrank.app import shared_queries
from nasrank.app.serve import warehouse_path
from nasrank.app.snapshot import Snapshot
from nasrank.app.widgets.csv_file import csv_file
from nasrank.app.widgets.figure import show_figure
from nasrank.app.widgets.filters import Filters
from nasrank.app.widgets.ground_truth import describe_key, say_how_to_import, warn_of_train
from nasrank.app.widgets.origins import describe_origins
from nasrank.app.widgets.slice_bar import SliceBar
from nasrank.app.widgets.table import Columns, show_table, show_text_table
from nasrank.app.widgets.text import as_text
from nasrank.db.runs.experiment import TRAINED
from nasrank.report import queries as report_queries
from nasrank.report.charts.labels import kind_name
from nasrank.report.charts.paper_charts import reported_chart
from nasrank.report.figures import ReportKey
from nasrank.report.findings import RULE, SCALE, WHAT_DECIDES, Evidence, Finding, read_findings, summarize

# What the paper prints a value of.
KIND = ["mask", "lt", "variant"]
KIND_IN_FIGURE = ["figure", "size", *KIND]
FIGURES_A_ROW = 2
PRINTED_WIDTH = 500
BN_MODES = ("running", "batch", "recalibrated")
# A verdict is told by sign and word, not by colour.
IMPOSSIBLE = "no τa"
IMPOSSIBLE_HELP = (
    "The τa of eight points is a multiple of 1/28. Two of the values that the paper prints are none, and so "
    "are not what it says they are."
)
SIGNS = {
    "supported": "✔",
    "partly supported": "(✔)",
    "contradicted": "✘",
    "partly contradicted": "(✘)",
    "mixed": "◐",
    "undecided": "?",
    "at the limit": "⇥",
    "not enough runs": "–",
    "not asked": "–",
}


def page() -> None:
    """The whole page, from top to bottom."""
    snapshot = Snapshot.take(warehouse_path())
    keys, runs = shared_queries.ground_truth_keys(snapshot), shared_queries.runs(snapshot)
    if keys.empty:
        say_how_to_import()
        return
    filters = Filters.of_page("paper")
    problems = st.container()
    bar = SliceBar(filters)
    key = bar.key(keys, list(runs["ground_truth_keys"]))
    bn_mode = bar.one("bn_mode", BN_MODES)
    bar.show()
    filters.finish()
    filters.show_problems(problems)
    st.markdown(
        "“Exploring single-path Architecture Search Ranking Correlations”, held against the runs of this "
        f"warehouse. {describe_origins(runs)}  \n{describe_key(key)}"
    )
    warn_of_train(key)
    report_key = ReportKey(str(key["gt_key"]), bn_mode)
    show_findings(read_findings(snapshot, report_key))
    reported = report_queries.reported(snapshot, report_key.gt_key, bn_mode)
    show_reported(reported, of_other_sizes(snapshot, report_key, reported))


def show_findings(findings: list[Finding]) -> None:
    """A row for each finding, a column for each scale; below, what each verdict rests on."""
    heading, button = st.columns([3, 1], vertical_alignment="bottom")
    heading.header("Findings")
    evidence = pd.DataFrame(
        [
            {"finding": finding.number, "scale": scale.name, **asdict(row)}
            for finding in findings
            for scale in finding.scales
            for row in scale.evidence
        ]
    )
    button.download_button(
        "Download comparisons",
        csv_file(evidence),
        file_name="findings.csv",
        mime="text/csv",
        on_click="ignore",
        width="stretch",
        help="Every comparison below, as shown. In full precision: the view finding_evidence.",
    )
    scales, verdicts = summarize(findings)
    rows = {
        "Finding": [f"{finding.number}. {finding.statement}" for finding in findings],
        **{
            f"{scale}{' by τa' * part}": [told(verdicts[finding.number][place][part]) for finding in findings]
            for place, scale in enumerate(scales)
            for part in (0, 1)
        },
    }
    show_text_table(
        pd.DataFrame(rows), hide_index=True, alt="The verdict on each finding of the paper at every scale"
    )
    st.markdown(f":small[{WHAT_DECIDES} {SCALE}]")
    with st.expander("How it is decided"):
        st.markdown(RULE)
    for finding in findings:
        with st.expander(f"{finding.number:d}. {as_text(finding.statement)}"):
            if not finding.scales:
                st.markdown("No experiments here can be compared for it.")
            for scale in finding.scales:
                counts = ", ".join(f"{count} {verdict}" for verdict, count in scale.counts.items() if count)
                by_tau_a = f"; by τa {told(scale.verdict_by_tau_a)}" if scale.verdict_by_tau_a else ""
                words = as_text(f"{told(scale.verdict)} ({counts}){by_tau_a}")
                st.markdown(f"**{as_text(scale.name)}**: {words}")
                for claim, of_claim in groupby(scale.evidence, key=lambda row: row.claim):
                    st.markdown(f"{as_text(claim)}.")
                    show_text_table(
                        in_words(list(of_claim)),
                        hide_index=True,
                        alt=f"Comparisons for claim {claim.partition('.')[0]} on {scale.name}",
                    )


def in_words(evidence: list[Evidence]) -> pd.DataFrame:
    """A row a comparison; those beside the measures that decide say so."""
    return pd.DataFrame(
        {
            "Of": [row.subject for row in evidence],
            "Measure": [f"{'' if row.decides else 'beside: '}{row.measure}" for row in evidence],
            "Claimed": [
                f"{row.expected}; in the paper {row.reported}" if row.reported else row.expected
                for row in evidence
            ],
            "Here": [
                f"{row.value} ({row.interval}), n {row.n}" if row.interval else f"{row.value}, n {row.n}"
                for row in evidence
            ],
            "Verdict": [
                f"{told(row.verdict)}, p {row.corrected}" if row.corrected else told(row.verdict)
                for row in evidence
            ],
            "Meaning": [row.meaning for row in evidence],
        }
    )


def of_other_sizes(snapshot: Snapshot, key: ReportKey, reported: pd.DataFrame) -> pd.DataFrame:
    """Our τa on CIFAR-10 of what the paper prints, with a size that it does not print it for.

    Columns mask, lt, variant, size, tau_a, seeds.
    """
    experiments = report_queries.experiments(snapshot)
    answers = report_queries.rankings(snapshot, "cifar10", key.gt_key)
    seeds = answers.ranking.groupby(["experiment_id", "bn_mode"])["seeds"].max().reset_index()
    ours = answers.tau_a.merge(seeds, on=["experiment_id", "bn_mode"]).merge(
        experiments[experiments["kind"] == TRAINED], on="experiment_id"
    )
    ours = ours[(ours["bn_mode"] == key.bn_mode) & ours["tau_a"].notna()]
    printed = set(reported[[*KIND, "size"]].itertuples(index=False, name=None))
    is_printed = [row in printed for row in ours[[*KIND, "size"]].itertuples(index=False, name=None)]
    return ours.loc[[not known for known in is_printed], [*KIND, "size", "tau_a", "seeds"]]


def show_reported(reported: pd.DataFrame, others: pd.DataFrame) -> None:
    """The paper's 121 values, ours where there are any, and what chance gives."""
    heading, button = st.columns([3, 1], vertical_alignment="bottom")
    heading.header("Reported τa")
    names = [kind_name(*kind) for kind in reported[["mask", "lt", "variant"]].itertuples(index=False)]
    reported.insert(0, "experiment", names)
    reported.insert(7, "note", ["" if is_possible else IMPOSSIBLE for is_possible in reported["is_possible"]])
    measured = reported.dropna(subset="tau_a")
    total = len(reported.drop_duplicates(KIND_IN_FIGURE))
    known = len(measured.drop_duplicates(KIND_IN_FIGURE))
    button.download_button(
        "Download τa",
        csv_file(reported),
        file_name="reported-tau-a.csv",
        mime="text/csv",
        on_click="ignore",
        width="stretch",
    )
    st.markdown(
        f"**{known} of the {total}** values that the paper prints were measured here, on CIFAR-10 at the "
        "paper's sizes and under this key. `nasrank-train study run paper` runs what is missing."
    )
    st.markdown(chance_in_words(reported))
    show_figures(reported, others)
    if known:
        st.markdown(
            f"Ours and the paper's differ by {measured['difference'].abs().mean():.2f} on average of {known}."
        )
    number = st.column_config.NumberColumn
    shown: Columns = {
        "figure": number("Figure", format="%d"),
        "size": "Size",
        "experiment": st.column_config.TextColumn("Experiment", width="medium"),
        "reported_tau_a": number("τa in paper", format="%.2f"),
        "note": st.column_config.TextColumn("Note", help=IMPOSSIBLE_HELP),
        "tau_a": number("τa here", format="%.2f", help="Of A_N averaged over the seeds, as the paper has it"),
        "difference": number("Difference", format="%+.2f"),
        "tau_a_mean": number("τa of seeds", format="%.2f", help="Mean of the τa of the single seeds"),
        "tau_a_std": number("± seeds", format="%.2f", help="Deviation of the τa of the single seeds"),
        "seeds": number("Seeds", format="%d"),
        "epochs": number("Epochs", format="%d"),
    }
    show_table(reported, shown, alt="Every τa that the paper prints, and what was measured of it")


def chance_in_words(reported: pd.DataFrame) -> str:
    """How many of the paper's values random permutations would give, too."""
    known = reported.dropna(subset="chance_low").drop_duplicates(KIND_IN_FIGURE)
    if known.empty:
        return (
            ":small[What chance gives is known under the keys that runs were asked for, and of the masks "
            "that they have.]"
        )
    within = known["reported_tau_a"].between(known["chance_low"] - 0.005, known["chance_high"] + 0.005)
    return (
        f"**{within.sum()} of {len(known)}** printed values whose chance is known here are where 95 % of "
        "random permutations of the predictions are, averaged over five seeds as the paper's: τa has eight "
        "points, and says little."
    )


def show_figures(reported: pd.DataFrame, others: pd.DataFrame) -> None:
    """A chart for each figure of the paper that prints τa."""
    others = others.merge(reported[[*KIND, "experiment"]].drop_duplicates(), on=KIND)
    columns = st.columns(FIGURES_A_ROW)
    for place, (figure, of_figure) in enumerate(reported.groupby("figure")):
        shown = of_figure.sort_values("reported_tau_a", kind="stable")
        beside = others[others["experiment"].isin(shown["experiment"])]
        draw = partial(reported_chart, shown, beside)
        with columns[place % FIGURES_A_ROW]:
            st.subheader(f"Figure {int(str(figure))}")
            show_figure(
                draw(),
                name=f"reported-tau-a-{figure}",
                alt=f"τa of the paper's Figure {figure} and ours; the numbers are in the table below",
                data=shown,
                printed=partial(draw, width=PRINTED_WIDTH),
            )
    st.markdown(
        ":small[Rings: the paper's, of five seeds; a cross cannot be a τa of eight points. Filled: ours of "
        "the same size. Ticks: ours of other sizes. Grey: 95 % of random permutations.]"
    )


def told(verdict: str) -> str:
    """With its sign; nothing for none."""
    return f"{SIGNS[verdict]} {verdict}" if verdict else ""


page()
