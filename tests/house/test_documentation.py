"""What the code says of itself: every public name is documented, and the examples in docstrings hold."""

import ast
import doctest
import importlib
from pathlib import Path

import pytest

from tutorial_zarr.errors import MissingDependencyError

ROOT = Path(__file__).parents[2]
FILES = sorted(file for package in ("tutorial_zarr", "data_gen") for file in (ROOT / package).rglob("*.py"))


def module_name(file):
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = [module_name(file) for file in FILES]
# The peers are programs of their own, for environments in which other packages are.
IMPORTABLE = [name for name in MODULES if not name.endswith("__main__") and ".interop.peers." not in name]


def imported(name):
    """The module, or None where an optional package that all of it needs is not installed."""
    try:
        return importlib.import_module(name)
    except MissingDependencyError:
        return None


@pytest.mark.parametrize("file", FILES, ids=MODULES)
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
