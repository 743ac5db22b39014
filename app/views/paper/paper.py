"""Paper: what becomes of the paper's findings in this warehouse, and its τa beside ours."""

from __future__ import annotations

from dataclasses import asdict
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
from nasrank.report import queries as report_queries
from nasrank.report.charts.labels import kind_name
from nasrank.report.charts.paper_charts import reported_chart
from nasrank.report.figures import ReportKey
from nasrank.report.findings import RULE, SCALE, WHAT_DECIDES, Evidence, Finding, read_findings, summarize

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
    show_reported(report_queries.reported(snapshot, report_key.gt_key, bn_mode))


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


def show_reported(reported: pd.DataFrame) -> None:
    """The paper's 121 values, and ours where there are any."""
    heading, button = st.columns([3, 1], vertical_alignment="bottom")
    heading.header("Reported τa")
    names = [kind_name(*kind) for kind in reported[["mask", "lt", "variant"]].itertuples(index=False)]
    reported.insert(0, "experiment", names)
    reported.insert(7, "note", ["" if is_possible else IMPOSSIBLE for is_possible in reported["is_possible"]])
    measured = reported.dropna(subset="tau_a")
    kinds = ["figure", "size", "mask", "lt", "variant"]
    total, known = len(reported.drop_duplicates(kinds)), len(measured.drop_duplicates(kinds))
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
    if known:
        chart, words = st.columns([2, 1])
        with chart:
            show_figure(
                reported_chart(measured),
                name="reported-tau-a",
                alt=f"τa here against the paper's, {known} experiments; the numbers are in the table below",
                width="content",
            )
        words.metric("Mean absolute difference", f"{measured['difference'].abs().mean():.2f}")
        words.markdown(
            ":small[On the dashed line both are equal. τa is best at −1. The paper's are of five seeds. "
            "Hollow: what the paper prints cannot be a τa of eight points.]"
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


def told(verdict: str) -> str:
    """With its sign; nothing for none."""
    return f"{SIGNS[verdict]} {verdict}" if verdict else ""


page()
