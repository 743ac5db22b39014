"""What goes on in the folder of runs, kept up to date: progress, time left, dead runs, what to ingest.

The warehouse only has runs that were ingested, so this looks at the folders. Nothing here asks the warehouse:
a fragment that refreshes by itself must not fail where the file was replaced meanwhile.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from nasrank.app.serve import warehouse_path
from nasrank.app.widgets.refreshing import refreshed_every
from nasrank.app.widgets.text import as_code, as_text
from nasrank.db.errors import printable
from nasrank.db.runs.monitor import Evaluating, RunsMonitor, RunsSeen, SeenRun
from nasrank.report.charts.labels import listed, roughly

REFRESH_SECONDS = 2
# What somebody waits for, or must do something about.
CARDS = ("running", "begun", "dead")
# More cards than a person looks at cost the browser more than they tell.
MOST_CARDS = 12
# A state is told by sign and word, not by colour.
SIGNS = {
    "running": "▶",
    "begun": "◌",
    "dead": "✘",
    "interrupted": "◐",
    "unreadable": "?",
    "failed": "✘",
    "finished": "✔",
}


@st.cache_resource(max_entries=4)
def monitor(runs_dir: Path) -> RunsMonitor:
    """Shared by all who look at that folder."""
    return RunsMonitor(runs_dir)


@refreshed_every(REFRESH_SECONDS)
def show_live_runs(runs_dir: Path, ingested: Mapping[str, float], listed_states: Mapping[str, str]) -> None:
    """The runs that have not ended, and what there is to do.

    `ingested` as of `RunsMonitor.look`; `listed_states` are those of the page's table, by `run_id`.
    """
    seen = monitor(runs_dir).look(ingested)
    if seen.problem is not None:
        problem = seen.problem[0].upper() + seen.problem[1:]
        st.markdown(
            f"{as_text(problem)}, so only ingested runs are shown. `nasrank-train dashboard --runs FOLDER` "
            "names another one."
        )
        return
    st.markdown(summary(runs_dir, seen))
    order = list(SIGNS)
    runs = sorted(seen.runs, key=lambda run: order.index(run.state))
    cards = [run for run in runs if run.state in CARDS][:MOST_CARDS]
    for run in cards:
        show_card(run)
    if others := len(runs) - len(cards):
        st.markdown(
            f":small[{others:,} more that have not ended are in the table below, with what they say.]"
        )
    if seen.submitted:
        st.markdown(
            f"Submitted to Slurm and not begun: {names(seen.submitted)} ({len(seen.submitted):,}). "
            "`nasrank-train study status` asks the queue."
        )
    if seen.to_ingest:
        st.info(
            f"Ended, and not in the warehouse: {names(seen.to_ingest)} ({len(seen.to_ingest):,}). Ingest with"
        )
        st.code(ingest_command(runs_dir), language=None, wrap_lines=True)
    if states(seen) != listed_states and st.button("Runs have begun or ended: refresh the table"):
        st.rerun()


def states(seen: RunsSeen) -> dict[str, str]:
    """Of what the table shows from the folder, by `run_id`."""
    return {run.run_id: run.state for run in seen.runs} | dict.fromkeys(seen.to_ingest, "to ingest")


def summary(runs_dir: Path, seen: RunsSeen) -> str:
    """One line: how many are in which state, and where."""
    counts = {state: number for state in SIGNS if (number := sum(run.state == state for run in seen.runs))}
    told = ", ".join(f"**{number:,} {state}**" for state, number in counts.items()) or "Nothing is running"
    return f"{told}; {seen.ended:,} ended, in {as_code(str(runs_dir.absolute()))}."


def show_card(run: SeenRun) -> None:
    """A run with its progress, or why it has none."""
    with st.container(border=True, gap="small"):
        st.markdown(f"{SIGNS[run.state]} **{as_text(run.state)}** {as_code(run.run_id)}")
        if run.status is not None and run.status.epochs > 0:
            done = min(max(run.status.epoch / run.status.epochs, 0.0), 1.0)
            st.progress(done, text=as_text(" · ".join(training_words(run))))
        if run.evaluating is not None:
            words = as_text(" · ".join(evaluating_words(run.evaluating)))
            if run.evaluating.total:
                st.progress(min(run.evaluating.done / run.evaluating.total, 1.0), text=words)
            else:
                st.markdown(f":small[{words}]")
        st.markdown(f":small[{as_text(heard_words(run))}]")
        if run.state == "dead" and run.status is not None and run.status.command:
            st.code(printable(run.status.command), language=None, wrap_lines=True)


def training_words(run: SeenRun) -> list[str]:
    """How far training has come, and how fast."""
    status = run.status
    if status is None:
        return []
    words = [f"epoch {status.epoch:,} of {status.epochs:,}"]
    if status.images_per_second:
        words.append(f"{status.images_per_second:,.0f} images/s")
    if run.state == "running" and run.training_seconds_left is not None and status.epoch < status.epochs:
        words.append(f"about {roughly(run.training_seconds_left)} of training left, by its recent epochs")
    return words


def evaluating_words(evaluating: Evaluating) -> list[str]:
    """How far predicting has come."""
    of = f" of {evaluating.total:,}" if evaluating.total else ""
    words = [
        f"predicted {evaluating.done:,}{of} architectures after epoch {evaluating.epoch:,}, "
        f"BN mode {evaluating.bn_mode}"
    ]
    if evaluating.seconds_left is not None:
        words.append(f"about {roughly(evaluating.seconds_left)} left, by its pace so far")
    return words


def heard_words(run: SeenRun) -> str:
    """Who works on it, or what became of them, and when that was heard of last."""
    device = f", {run.status.device}" if run.status is not None and run.state == "running" else ""
    who = run.message or f"{run.holder}{device}"
    when = f"; last heartbeat {roughly(run.silent_seconds)} ago" if run.silent_seconds is not None else ""
    return who + when + ("; the same command continues it" if run.state == "dead" else "")


def ingest_command(runs_dir: Path) -> str:
    """What a person gives in a shell to bring the ended runs into the warehouse that is shown."""
    paths = shlex.quote(str(runs_dir.absolute())), shlex.quote(str(warehouse_path().absolute()))
    return f"nasrank-train ingest {paths[0]} --warehouse {paths[1]}"


def names(run_ids: tuple[str, ...]) -> str:
    """Some of them, as code."""
    return listed([as_code(run_id) for run_id in run_ids], 3)
