from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import streamlit.config

from nasrank.app.serve import command, runs_path, warehouse_path
from tests.samples import ROOT


def test_the_command_names_host_port_and_files_that_exist(tmp_path: Path) -> None:
    argv = command(tmp_path / "w w.duckdb", "localhost", 8765)
    assert argv[:5] == [sys.executable, "-P", "-m", "streamlit", "run"]
    assert Path(argv[5]).is_file()
    assert "--server.address=localhost" in argv
    assert "--server.port=8765" in argv
    assert "--browser.gatherUsageStats=false" in argv
    theme = next(argument for argument in argv if argument.startswith("--theme.base="))
    assert Path(theme.partition("=")[2]).is_file()


def test_streamlit_knows_every_option(tmp_path: Path) -> None:
    argv = command(tmp_path, "localhost", 1)
    options = [argument[2:].partition("=")[0] for argument in argv[6 : argv.index("--")]]
    assert set(options) <= set(streamlit.config.get_config_options())


def test_the_theme_has_as_many_colours_in_light_as_in_dark() -> None:
    theme_file = ROOT / "app" / "theme.toml"
    theme = tomllib.loads(theme_file.read_text(encoding="utf-8"))["theme"]
    light, dark = (theme[mode]["chartCategoricalColors"] for mode in ("light", "dark"))
    assert len(set(light)) == len(set(dark)) == 8


def test_paths_are_what_the_command_says_then_the_environment_then_the_default(tmp_path: Path) -> None:
    argv = command(tmp_path / "a b.duckdb", "localhost", 1, tmp_path / "my runs")
    handed_on = argv[argv.index("--") + 1 :]
    assert warehouse_path(handed_on, {"NASRANK_WAREHOUSE": "c"}) == tmp_path / "a b.duckdb"
    assert warehouse_path(["-q", "tests/app"], {"NASRANK_WAREHOUSE": "c"}) == Path("c")
    assert warehouse_path([], {"NASRANK_WAREHOUSE": ""}) == Path("nasrank.duckdb")
    assert warehouse_path([], {}) == Path("nasrank.duckdb")
    assert runs_path(handed_on, {"NASRANK_RUNS": "c"}) == tmp_path / "my runs"
    assert runs_path(["-q", "tests/app"], {"NASRANK_RUNS": "c"}) == Path("c")
    assert runs_path([], {}) == Path("runs")
