"""The rooms of the house: what imports what, how full a folder is, and what the package says of them."""

from __future__ import annotations

import ast
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.samples import ROOT

# The folders at the top, and which of the others each may import.
DIRECTIONS: Mapping[str, set[str]] = {
    "migrations": set(),
    "db": set(),
    "report": {"db"},
    "trainer": {"db", "report"},
    "app": {"db", "report"},
}
MOST_FILES = 16
# What a whole folder does without; submitit and torch are heavy, and a page is no place for either.
WITHOUT = {
    "db": ("torch", "streamlit", "altair", "typer"),
    "report": ("torch", "streamlit", "typer"),
    "app": ("torch", "typer"),
    "trainer": ("streamlit",),
    "db/runs": ("duckdb", "sqlalchemy", "torch"),
    "db/nb201": ("duckdb", "sqlalchemy"),
    "db/files": ("duckdb", "sqlalchemy", "numpy"),
}


def modules() -> dict[str, Path]:
    """Every module of the package by its name."""
    return {
        "nasrank." + ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for folder in DIRECTIONS
        for path in sorted((ROOT / folder).rglob("*.py"))
    }


def imported(path: Path) -> Iterator[str]:
    """All that a file imports, also inside functions, but not for types alone."""
    for node in _nodes(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _nodes(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _nodes(child)


def arrows() -> dict[str, set[str]]:
    """Of each module, the modules of the package that it imports."""
    known = modules()
    return {name: {other for other in imported(path) if other in known} for name, path in known.items()}


def room_of(module: str) -> str:
    """A page, a folder in a folder at the top, or a file that lies directly in one."""
    parts = module.split(".")
    return ".".join(parts[: 4 if parts[1:3] == ["app", "views"] else 3])


def circle_in(graph: Mapping[str, set[str]]) -> list[str]:
    """The names along one circle, or nothing where arrows can all point down."""
    left = {name: set(others) for name, others in graph.items()}
    while done := [name for name, others in left.items() if not others & left.keys()]:
        for name in done:
            del left[name]
    return sorted(left)


def test_folders_at_the_top_import_only_those_below() -> None:
    wrong = [
        f"{module} imports {other}"
        for module, others in arrows().items()
        for other in others
        if (top := module.split(".")[1]) != (below := other.split(".")[1]) and below not in DIRECTIONS[top]
    ]
    assert wrong == []


def test_no_module_imports_itself_in_a_circle() -> None:
    assert circle_in(arrows()) == []


def test_no_room_imports_itself_in_a_circle() -> None:
    rooms: dict[str, set[str]] = defaultdict(set)
    for module, others in arrows().items():
        rooms[room_of(module)] |= {room_of(other) for other in others} - {room_of(module)}
    assert circle_in(rooms) == []


def test_a_circle_is_found() -> None:
    assert circle_in({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == ["a", "b", "c"]


@pytest.mark.parametrize("folder", WITHOUT)
def test_a_room_does_without_what_is_not_its_subject(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        found = {name.split(".")[0] for name in imported(path)} & set(WITHOUT[folder])
        assert not found, path


def test_no_folder_is_too_full_to_look_through() -> None:
    for folder in DIRECTIONS:
        for path in [ROOT / folder, *(ROOT / folder).rglob("*/")]:
            files = [file for file in path.iterdir() if file.is_file()]
            assert len(files) <= MOST_FILES or path.name == "versions", f"{path} has {len(files)} files"


def test_only_one_place_starts_python_again() -> None:
    """There it is safe from what lies in the current folder; `nasrank.db.processes` says how."""
    starting = [
        str(path.relative_to(ROOT))
        for path in modules().values()
        if "sys.executable" in path.read_text(encoding="utf-8")
    ]
    assert starting == ["db/processes.py"]


def test_only_one_room_opens_duckdb() -> None:
    opening = {
        path.parent.relative_to(ROOT).as_posix()
        for path in modules().values()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in ("connect", "create_engine")
        and isinstance(node.value, ast.Name)
        and node.value.id in ("duckdb", "sa")
    }
    assert opening == {"db/warehouse"}


def test_the_package_has_every_folder_of_code() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    folders = {name for name, path in modules().items() if path.name == "__init__.py"}
    assert set(settings["packages"]) == folders | {"nasrank"}
    assert settings["package-dir"] == {"nasrank": "nasrank"} | {f"nasrank.{top}": top for top in DIRECTIONS}
    without = {path.parent for path in modules().values() if not path.with_name("__init__.py").exists()}
    assert without == set(), "folders that the wheel would lack"
