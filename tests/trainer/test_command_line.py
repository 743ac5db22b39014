"""Parameters of commands: made from dataclasses and from the declared training options."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import pytest
import typer
from typer.testing import CliRunner

from nasrank.db.runs.configuration import OPTIONS
from nasrank.trainer.cli.output import Format, print_table
from nasrank.trainer.cli.parameters import SectionedCommand, expanded


@dataclass(frozen=True)
class Places:
    """A group of parameters."""

    folder: Annotated[Path, typer.Option(rich_help_panel="Places")] = Path("here")
    level: Annotated[int, typer.Option("--depth", rich_help_panel="Places")] = 2


Seen = list[tuple[str, Places, dict[str, Any]]]


@pytest.fixture
def seen() -> Seen:
    return []


@pytest.fixture
def app(seen: Seen) -> typer.Typer:
    app = typer.Typer(rich_markup_mode=None, add_completion=False)

    @app.command(cls=SectionedCommand)
    @expanded
    def command(name: Annotated[str, typer.Argument()], places: Places, **training_options: Any) -> None:
        """Do something."""
        seen.append((name, places, training_options))

    return app


def test_a_command_gets_its_groups_and_the_options_that_are_given(app: typer.Typer, seen: Seen) -> None:
    given = "study --depth 3 --split-seed 4 --no-flip --epochs 7 --grad-clip-norm 5"
    answer = CliRunner().invoke(app, given.split())
    assert answer.exit_code == 0, answer.output
    options = {"split_seed": 4, "horizontal_flip": False, "epochs": 7, "grad_clip_norm": 5.0}
    assert seen == [("study", Places(level=3), options)]


def test_a_word_may_stand_for_a_number(app: typer.Typer, seen: Seen) -> None:
    assert CliRunner().invoke(app, ["study", "--split-seed", "run"]).exit_code == 0
    assert seen == [("study", Places(), {"split_seed": "run"})]


def test_help_has_every_training_option_under_its_heading(app: typer.Typer) -> None:
    text = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "1000", "TERMINAL_WIDTH": "1000"}).output
    assert "Do something." in text
    sections = {part.partition(":\n")[0]: part for part in text.split("\n\n")}
    assert {"Arguments", "Places", "Options"} < sections.keys()
    for option in OPTIONS.values():
        for flag in option.spelling.split("/"):
            assert flag in sections[option.group]
    assert "Default: --flip for cifar10, --no-flip for digits." in " ".join(text.split())


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_no_number_is_folded_and_what_does_not_fit_is_told(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", str(width))
    rows = pa.table(
        {
            "mask": ["Zero+Pool", "none"],
            "tau_a": [-0.857142, 1.0],
            "message": ["a long text that may be folded into several lines", ""],
            "predictions": [15_625, 1],
            "tau_a_mean": [-0.381, 0.5],
            "seeds": [3, 5],
        }
    )
    print_table(rows, Format.table)
    printed, told = capsys.readouterr()
    lines = re.sub(r"\x1b\[[0-9;]*m", "", printed).splitlines()
    assert max(map(len, lines)) <= width
    names = lines[0].split()
    shown = {"tau_a": "-0.8571", "predictions": "15625", "tau_a_mean": "-0.3810", "seeds": "3"}
    for name, number in shown.items():
        assert (name in names) == (number in lines[1].split())
    left_out = [name for name in rows.column_names if name not in names]
    assert (f"{len(left_out)} of 6 columns do not fit: {', '.join(left_out)};" in told) == bool(left_out)
    assert bool(left_out) == (width < 80)
