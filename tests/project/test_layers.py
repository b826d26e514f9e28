"""Imports go one way: a module uses only what stands below it.

That is what makes the folder readable from the bottom up: whoever has read the layers below knows everything
that a module is built from.
"""

import ast
import importlib
import re
from pathlib import Path

import pytest

from tutorial_zarr import doors

PACKAGE = Path(__file__).parents[2] / "tutorial_zarr"

# From the bottom to the top. Within a layer, a name may use the names before it.
LAYERS = [
    ["tiny", "errors", "words", "limits", "progress", "doors", "plugins"],
    ["dtypes"],
    ["metadata"],
    ["chunk_grids", "chunk_keys", "parallel", "results", "codecs", "stores"],
    ["indexing", "attributes", "nodes", "sources", "consolidation", "replacing", "hierarchy"],
    ["chunk_io", "plan", "lazy", "resizing", "array", "spelling", "create"],
    ["group"],
    ["api"],
    ["viz", "tools", "integrations", "loaders", "testing", "interop", "labs", "gallery", "cli"],  # the wings
]
RANK = {name: (layer, place) for layer, names in enumerate(LAYERS) for place, name in enumerate(names)}
EXTRAS = len(LAYERS) - 1


def module_name(file):
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


# Peers and writers are programs of their own: they run in other environments, and nothing imports them.
PROGRAMS = PACKAGE / "interop" / "peers", PACKAGE / "interop" / "writers"
FILES = {module_name(file): file for file in sorted(PACKAGE.rglob("*.py")) if not set(PROGRAMS) & set(file.parents)}
MODULES = [name for name in FILES if name not in ("tutorial_zarr", "tutorial_zarr.__main__")]
CORE = [name for name in MODULES if RANK.get(name.split(".")[1], (EXTRAS,))[0] < EXTRAS]


def imports(module):
    """Every import in a module as (line, dotted name, inside a function?), the relative ones resolved."""
    file = FILES[module]
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.Lambda))]
    inside = {id(child) for function in functions for child in ast.walk(function)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, id(node) in inside
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, *([base] if base else [])])
            for alias in node.names:
                name = f"{base}.{alias.name}"
                yield node.lineno, name if name in FILES else base, id(node) in inside


def internal_imports(module):
    return [found for found in imports(module) if found[1].split(".")[0] == "tutorial_zarr"]


def test_every_module_has_its_layer():
    unplaced = sorted({name.split(".")[1] for name in MODULES} - set(RANK))
    assert unplaced == [], "name the layer of these modules in LAYERS"


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_from_below(module):
    own = module.split(".")[1]
    upward = []
    for line, name, _ in internal_imports(module):
        if name == "tutorial_zarr":  # the front page names everything, so only the wings may use it
            allowed = RANK[own][0] == EXTRAS
        else:
            other = name.split(".")[1]
            allowed = other == own or RANK[other] < RANK[own]
        if not allowed:
            upward.append(f"line {line}: {name}")
    assert upward == []


def test_every_door_leads_up_to_something_that_is_there():
    """An import upwards by text stands in one table, so that none is hidden."""
    for name, place in doors.DOORS.items():
        module, _, attribute = place.partition(":")
        assert module in FILES, name
        assert RANK[module.split(".")[1]][0] == EXTRAS, name
        assert not attribute or hasattr(doors.open_door(name), attribute) or doors.open_door(name).__name__


@pytest.mark.parametrize("module", [name for name in CORE if name != "tutorial_zarr.doors"])
def test_the_book_imports_nothing_of_its_own_by_text(module):
    named = re.findall(r"""["'](tutorial_zarr(?:\.\w+)+)[:"']""", FILES[module].read_text(encoding="utf-8"))
    assert [name for name in named if RANK.get(name.split(".")[1], (0,))[0] == EXTRAS] == []


def test_a_module_that_moved_into_a_wing_is_found_by_its_old_name_too():
    for package in ("xarray", "dask"):
        pytest.importorskip(package, reason="some of the modules need it")
    for old, new in doors.MOVED.items():
        assert importlib.import_module(old) is importlib.import_module(new)
        assert importlib.import_module(new).__spec__.name == new
    writing = importlib.import_module("tutorial_zarr.xarray_backend.writing")
    assert writing is importlib.import_module("tutorial_zarr.integrations.xarray_backend.writing")
    with pytest.raises(ModuleNotFoundError, match=r"doctor\.nothing"):
        importlib.import_module("tutorial_zarr.doctor.nothing")


@pytest.mark.parametrize("folder", sorted({name.split(".")[1] for name in MODULES if name.count(".") > 1}))
def test_the_modules_of_a_folder_do_not_import_each_other_in_circles(folder):
    root = f"tutorial_zarr.{folder}"
    uses = {
        name: {other for _, other, _ in internal_imports(name) if other.startswith(root + ".") and other != name}
        for name in MODULES
        if name.startswith(root + ".")
    }
    while uses:
        free = [name for name, others in uses.items() if not others & set(uses)]
        assert free, f"a circle of imports runs through {sorted(uses)}"
        uses = {name: others for name, others in uses.items() if name not in free}


@pytest.mark.parametrize("module", CORE)
def test_the_core_hides_no_import_of_its_own_modules_in_a_function(module):
    assert [f"line {line}: {name}" for line, name, inside in internal_imports(module) if inside] == []


@pytest.mark.parametrize("module", CORE)
def test_the_core_never_uses_another_zarr(module):
    others = {"zarr", "tensorstore", "zarrs", "zarrista", "z5py"}
    assert [name for _, name, _ in imports(module) if name.split(".")[0] in others] == []


def test_each_optional_dependency_is_imported_in_one_place():
    optional = {
        "click",
        "rich",
        "pytest",
        "hypothesis",
        "matplotlib",
        "xarray",
        "dask",
        "distributed",
        "obstore",
        "fsspec",
        "filelock",
        "opentelemetry",
        "urllib3",
        "tenacity",
        "papermill",
        "jupytext",
        "nbformat",
        "torch",
        "tqdm",
        "ipywidgets",
    }
    places = {}
    for module in MODULES:
        if module == "tutorial_zarr.gallery.readers":
            continue  # other libraries read there what was written here, to compare
        for _, name, _ in imports(module):
            top = name.split(".")[0]
            if top in optional:
                places.setdefault(top, set()).add(module.split(".")[1])
    assert {name: sorted(where) for name, where in places.items() if len(where) > 1} == {}


@pytest.mark.parametrize("module", CORE)
def test_a_module_outside_the_standard_library_and_numpy_is_imported_only_when_needed(module):
    import sys

    at_import = {name.split(".")[0] for _, name, inside in imports(module) if not inside}
    assert at_import - set(sys.stdlib_module_names) - {"numpy", "tutorial_zarr"} == set()


ROOT = PACKAGE.parent


def names_told(text):
    """The modules that a text names, without the slash of a folder."""
    return [name for name in re.findall(r"\b([a-z_]+)\b(?:\.py|/)?", text) if name in RANK]


def test_the_readme_lists_the_modules_in_reading_order():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.partition("## The code, in reading order")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\[.*?) \|", section, re.MULTILINE)
    told = [name for row in rows for name in re.findall(r"\]\(tutorial_zarr/(\w+)", row)]
    assert sorted(told) == sorted(RANK)
    layers = [RANK[name][0] for name in told]
    assert layers == sorted(layers), "a module stands before one of a lower layer"


def test_the_design_names_each_module_in_its_layer():
    text = (PACKAGE / "DESIGN.md").read_text(encoding="utf-8")
    block = text.partition("## The layers")[2].partition("```\n")[2].partition("```")[0]
    layer, told = None, {}
    for line in block.splitlines():
        if number := re.match(r"(\d) ", line):
            layer = int(number[1])
        for name in names_told(re.split(r" {3,}", line[3:].rstrip())[0]):
            told.setdefault(layer, set()).add(name)
    assert told == {number: set(names) for number, names in enumerate(LAYERS)}


def test_the_files_that_contributing_names_are_there():
    text = (ROOT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"`(?:[^`]* )?((?:tests|tutorial_zarr|notebooks)/[\w/.]+)`", text)
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []
