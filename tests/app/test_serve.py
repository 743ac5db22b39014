from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest
import streamlit.config

from nasrank.app.serve import (
    Service,
    checked_base_path,
    command,
    runs_path,
    streamlit_options,
    warehouse_path,
)
from nasrank.db.errors import NasrankError
from tests.samples import ROOT


def test_the_command_names_all_that_is_served(tmp_path: Path) -> None:
    argv = command(Service(tmp_path / "w w.duckdb", port=8765, public_names=("a.test", "b.test")))
    assert argv[:4] == [sys.executable, "-P", "-m", "nasrank.app"]
    assert {"--host=localhost", "--port=8765", "--public-name=a.test", "--public-name=b.test"} < set(argv)
    assert f"--warehouse={tmp_path}/w w.duckdb" in argv


def test_streamlit_has_every_option() -> None:
    options = streamlit_options(Service(host="0.0.0.0", port=8765, base_path="/nasrank/"))
    assert set(options) <= set(streamlit.config.get_config_options())
    assert (options["server.address"], options["server.port"]) == ("0.0.0.0", 8765)
    assert options["server.baseUrlPath"] == "/nasrank"
    assert options["client.disableDataExport"] is True
    assert options["browser.gatherUsageStats"] is options["runner.postScriptGC"] is False
    assert options["server.enableCORS"] is options["server.enableXsrfProtection"] is True
    assert Path(str(options["theme.base"])).is_file()


@pytest.mark.parametrize(
    ("given", "path"), [("", ""), ("/", ""), ("/nasrank", "/nasrank"), ("/a.b/c_d~e-1/", "/a.b/c_d~e-1")]
)
def test_a_base_path_ends_without_a_slash(given: str, path: str) -> None:
    assert checked_base_path(given) == path


@pytest.mark.parametrize(
    "given",
    [
        "nasrank",
        "//evil.test",
        "/a//b",
        "/..",
        "/a/../b",
        "/a b",
        "/a?b",
        "/a#b",
        "/ä",
        "/%61",
        "http://a/b",
        "/a\n",
    ],
)
def test_what_is_no_base_path_is_one_line(given: str) -> None:
    with pytest.raises(NasrankError, match=r"^--base-path .* is no path: give one that begins with /"):
        streamlit_options(Service(base_path=given))


def test_the_theme_has_as_many_colours_in_light_as_in_dark() -> None:
    theme_file = ROOT / "app" / "theme.toml"
    theme = tomllib.loads(theme_file.read_text(encoding="utf-8"))["theme"]
    light, dark = (theme[mode]["chartCategoricalColors"] for mode in ("light", "dark"))
    assert len(set(light)) == len(set(dark)) == 8


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb`, by WCAG 2.2."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_zero_looks_like_the_background_and_numbers_are_read_on_every_cell(mode: str) -> None:
    theme = tomllib.loads((ROOT / "app" / "theme.toml").read_text(encoding="utf-8"))["theme"][mode]
    colours = [luminance(colour) for colour in theme["chartDivergingColors"]]
    away = [abs(colour - luminance(theme["backgroundColor"])) for colour in colours]
    assert len(colours) == 10
    assert away[:5] == sorted(away[:5], reverse=True), "from the worst to zero"
    assert away[5:] == sorted(away[5:]), "from zero to the best"
    for colour in colours:
        ink = luminance("#FFFFFF" if colour < 0.215 else "#1B2430")
        assert (max(ink, colour) + 0.05) / (min(ink, colour) + 0.05) >= 3.8


def test_paths_are_what_the_command_says_then_the_environment_then_the_default(tmp_path: Path) -> None:
    handed_on = command(Service(tmp_path / "a b.duckdb", tmp_path / "my runs"))[4:]
    assert warehouse_path(handed_on, {"NASRANK_WAREHOUSE": "c"}) == tmp_path / "a b.duckdb"
    assert warehouse_path(["-q", "tests/app"], {"NASRANK_WAREHOUSE": "c"}) == Path("c")
    assert warehouse_path([], {"NASRANK_WAREHOUSE": ""}) == Path("nasrank.duckdb")
    assert warehouse_path([], {}) == Path("nasrank.duckdb")
    assert runs_path(handed_on, {"NASRANK_RUNS": "c"}) == tmp_path / "my runs"
    assert runs_path(["-q", "tests/app"], {"NASRANK_RUNS": "c"}) == Path("c")
    assert runs_path([], {}) == Path("runs")
