"""How the code is written, as far as its syntax tells."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from tests.samples import ROOT

FOLDERS = ("nasrank", "app", "report", "db", "trainer", "migrations", "scripts")
# Private names of others that have no public counterpart, by file.
PRIVATE_NAMES: Mapping[tuple[str, str], str] = {
    ("db/files/pickles.py", "pickle._Unpickler"): "the one in Python, whose memory a pickle cannot choose",
    ("db/benchmarks/official/reader_process.py", "os._exit"): "documented, in spite of its name",
    ("db/warehouse/console.py", "os._exit"): "documented, in spite of its name",
    ("scripts/benchmarking.py", "torch.utils._python_dispatch"): "PyTorch's only way to see every operation",
}


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Every module by its path, with its syntax."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def test_nothing_uses_the_private_names_of_others() -> None:
    """Neither of libraries nor of our other modules: the next version may have them no more."""
    used = {(path, name) for path, module in modules() for name in private_names(module)}
    assert used == set(PRIVATE_NAMES)


def private_names(module: ast.AST) -> Iterator[str]:
    """What is imported, or asked of anything but `self` and `cls`, and begins with one underscore."""
    for node in ast.walk(module):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names if _is_private(alias.name))
            case ast.ImportFrom(module=origin, names=names):
                names_there = [alias.name for alias in names]
                if _is_private(origin or ""):
                    yield origin or ""
                yield from (f"{origin}.{name}" for name in names_there if _is_private(name))
            case ast.Attribute(value=ast.Name(id="self" | "cls")):
                pass
            case ast.Attribute(attr=name) if _is_private(name):
                yield ast.unparse(node)
            case ast.Call(
                func=ast.Name(id="getattr" | "setattr" | "hasattr" | "delattr"),
                args=[owner, ast.Constant(value=str(name)), *_],
            ) if _is_private(name):
                yield f"{ast.unparse(owner)}.{name}"


def _is_private(name: str) -> bool:
    return any(part.startswith("_") and not part.startswith("__") for part in name.split("."))


def test_private_names_are_found_however_they_are_used() -> None:
    text = """
import altair._magics
from streamlit import _util, __version__
from torch._C import Node
alt.theme._registry.clear()
getattr(vega_charts, "_lock")
object.__setattr__(self, "_own", self._own or cls._own or __name__)
"""
    assert sorted(private_names(ast.parse(text))) == [
        "alt.theme._registry",
        "altair._magics",
        "streamlit._util",
        "torch._C",
        "vega_charts._lock",
    ]
