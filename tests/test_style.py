"""How the code is written, as far as its syntax tells."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from functools import cache

from tests.samples import ROOT

FOLDERS = ("nasrank", "app", "report", "db", "trainer", "migrations", "scripts")
# Private names of others that have no public counterpart, by file.
PRIVATE_NAMES: Mapping[tuple[str, str], str] = {
    ("db/files/pickles.py", "pickle._Unpickler"): "the one in Python, whose memory a pickle cannot choose",
    ("db/benchmarks/official/reader_process.py", "os._exit"): "documented, in spite of its name",
    ("db/console.py", "os._exit"): "documented, in spite of its name",
    ("scripts/benchmarking.py", "torch.utils._python_dispatch"): "PyTorch's only way to see every operation",
}
# What belongs together gets a class of its own.
MOST_PARAMETERS = 5
# Where commands are.
COMMANDS = ("trainer/cli/", "scripts/")


@cache
def modules() -> dict[str, ast.Module]:
    """The syntax of every module by its path."""
    return {
        str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8"))
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
    }


def test_nothing_uses_the_private_names_of_others() -> None:
    """Neither of libraries nor of our other modules: the next version may have them no more."""
    used = {(path, name) for path, module in modules().items() for name in private_names(module)}
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


def test_lines_of_sql_are_short() -> None:
    long = [
        f"{path.name}:{number}"
        for path in (ROOT / "db" / "views").rglob("*.sql")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if len(line) > 120
    ]
    assert long == []


def test_functions_have_few_parameters() -> None:
    """All but commands, whose parameters are the options of the command line."""
    commands = {name for module in modules().values() for name in registered_commands(module)}
    more = {
        f"{path} {function.name}"
        for path, module in modules().items()
        for function in functions(module, commands if path.startswith(COMMANDS) else ())
        if len(parameters(function)) > MOST_PARAMETERS
    }
    assert more == set()


def functions(node: ast.AST, without: Collection[str]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All that are defined in it, but those of these names, with what is inside them."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            if child.name in without:
                continue
            yield child
        yield from functions(child, without)


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """Their names, without `self`, `cls`, `*` and `**`."""
    given = function.args
    names = [argument.arg for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return [name for name in names if name not in ("self", "cls")]


def registered_commands(module: ast.AST) -> Iterator[str]:
    """What a module hands to Typer: a function, or one that makes it, as in `app.command("run")(make(…))`."""
    for node in ast.walk(module):
        match node:
            case ast.FunctionDef(name=name, decorator_list=[*_, ast.Call(func=ast.Attribute(attr=how))]):
                if how in ("command", "callback"):
                    yield name
            case ast.Call(
                func=ast.Call(func=ast.Attribute(attr="command")),
                args=[ast.Name(id=name) | ast.Call(func=ast.Name(id=name))],
            ):
                yield name
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="typer"), attr="run"), args=[ast.Name(id=name)]
            ):
                yield name


def test_parameters_and_commands_are_told_apart() -> None:
    module = ast.parse("""
class Network:
    def build(self, a, /, b, *rest, c, **more): ...

@app.command()
def decorated(): ...

@dataclass(frozen=True)
def plain(): ...

app.command("run-it")(run_command)
app.command()(made("b"))

def made(name):
    def command(): ...
    return command

typer.run(bench)
""")
    commands = sorted(registered_commands(module))
    assert commands == ["bench", "decorated", "made", "run_command"]
    build, plain = functions(module, commands)
    assert (build.name, plain.name) == ("build", "plain")
    assert parameters(build) == ["a", "b", "c"]
