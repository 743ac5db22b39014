"""`import nasrank`: what it offers, what it loads, and that docs/python.md has all of it."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import torch

import nasrank
from nasrank.db.processes import python_command
from tests.samples import ROOT

PAGE = (ROOT / "docs/python.md").read_text(encoding="utf-8")


def test_the_page_and_the_package_have_the_same_names() -> None:
    listed = re.findall(r"^\| `(\w+)", PAGE, flags=re.M)
    assert sorted(listed) == sorted(nasrank.__all__)


def test_type_checkers_see_what_loads() -> None:
    tree = ast.parse((ROOT / "nasrank/__init__.py").read_text(encoding="utf-8"))
    [block] = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {
        alias.asname: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == nasrank._MODULES


@pytest.mark.parametrize("name", nasrank.__all__)
def test_every_name_is_there_and_says_what_it_is(name: str) -> None:
    value = getattr(nasrank, name)
    assert name == "__version__" or value.__doc__
    assert name in dir(nasrank)


def test_another_name_is_refused() -> None:
    with pytest.raises(AttributeError, match="module 'nasrank' has no attribute 'Trainer'"):
        _ = nasrank.Trainer


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert nasrank.__version__ == project["version"]


def test_the_import_alone_loads_no_dependency() -> None:
    program = "import sys, json; before = set(sys.modules); import nasrank; print(json.dumps([*sys.modules]))"
    told = subprocess.run([*python_command(), "-c", program], capture_output=True, text=True, check=True)
    tops = {name.split(".")[0] for name in json.loads(told.stdout)}
    # The environment loads some at its start, such as the finder of an editable installation.
    assert tops - sys.stdlib_module_names - {"__main__", "nasrank", "site", "sitecustomize"} <= {
        name for name in tops if name.startswith(("__editable__", "_", "distutils"))
    }


def test_the_pages_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [example] = re.findall(r"```python\n(.*?)```", PAGE, flags=re.S)
    monkeypatch.chdir(tmp_path)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the other cores are busy with other tests
    scope: dict[str, object] = {}
    try:
        exec(example, scope)
    finally:
        torch.set_num_threads(threads)
    ranking = scope["ranking"]
    tops = {f"top-{n}" for n in (10, 25, 50, 100, 150, 250, 500)}
    assert set(ranking["architecture_set"]) == tops | {"random"}  # type: ignore[index]
    assert (tmp_path / "nasrank.duckdb").is_file()
