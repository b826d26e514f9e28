"""What the code says of itself: every public name is documented, and the examples in docstrings hold."""

import ast
import doctest
import importlib
import re
import sys
from pathlib import Path

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr import indexing
from tutorial_zarr.chunk_io import plain
from tutorial_zarr.errors import MissingDependencyError

ROOT = Path(__file__).parents[2]
FILES = sorted(file for package in ("tutorial_zarr", "data_gen") for file in (ROOT / package).rglob("*.py"))


def module_name(file):
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = [module_name(file) for file in FILES]
# The peers are programs of their own, for environments in which other packages are.
PROGRAMS = ".interop.peers.", ".interop.writers.", ".writer_protocol"
IMPORTABLE = [n for n in MODULES if not n.endswith("__main__") and not any(folder in n for folder in PROGRAMS)]


def imported(name):
    """The module, or None where an optional package that all of it needs is not installed."""
    try:
        return importlib.import_module(name)
    except MissingDependencyError:
        return None


# What a writer writes is said by the sentence above each of its functions.
@pytest.mark.parametrize("file", [f for f in FILES if f.parent.name != "writers"], ids=module_name)
def test_every_public_name_has_a_docstring(file):
    def missing(node, path):
        if not ast.get_docstring(node):
            yield path
        for child in node.body:
            public = isinstance(child, (ast.FunctionDef, ast.ClassDef)) and not child.name.startswith("_")
            if public and not isinstance(node, ast.FunctionDef):
                yield from missing(child, f"{path}.{child.name}")

    # A method that only fills in its base class's contract is documented there.
    tree = ast.parse(file.read_text(encoding="utf-8"))
    derived = {
        f"{module_name(file)}.{node.name}.{method.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and node.bases
        for method in node.body
        if isinstance(method, ast.FunctionDef)
    }
    assert sorted(set(missing(tree, module_name(file))) - derived) == []


@pytest.mark.parametrize("name", IMPORTABLE)
def test_the_examples_in_docstrings_hold(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # an example may write a store where it stands
    module = imported(name)
    if module is None:
        pytest.skip("needs a package that is not installed")
    result = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0, "the differences are printed above"


def test_the_core_is_shown_by_examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    modules = [imported(name) for name in IMPORTABLE]
    tests = [test for module in modules if module is not None for test in finder.find(module)]
    assert sum(len(test.examples) > 0 for test in tests) >= 10


def walked():
    """The functions that DESIGN's walk names, with their modules, in its order."""
    text = (ROOT / "tutorial_zarr" / "DESIGN.md").read_text(encoding="utf-8")
    walk = text.partition("## One `a[3:5]`")[2].partition("\n## ")[0]
    return re.findall(r"`([a-z_]+\.[\w.]+)`(?!\.py)", walk.replace("`tiny.py`", ""))


def test_the_walk_of_the_design_is_what_is_called(tmp_path):
    array = zarr.create_array(tmp_path / "a", data=np.arange(64.0).reshape(8, 8), chunks=(4, 4))
    array[3:5]
    selection, called = indexing.parse(slice(3, 5), array.shape), []

    def note(frame, event, _):
        module = frame.f_globals.get("__name__", "")
        if event == "call" and module.startswith("tutorial_zarr."):
            called.append(f"{module.removeprefix('tutorial_zarr.')}.{frame.f_code.co_qualname}")

    sys.setprofile(note)
    try:
        plain.read(array.io, selection, np.empty(selection.shape))
        array[3:5]
    finally:
        sys.setprofile(None)
    names = [name.removesuffix(".__init__") for name in called]
    at = 0
    assert len(walked()) > 8
    for name in walked():
        assert name in names[at:], f"{name} is not called after {names[at - 1]}"
        at += names[at:].index(name) + 1
