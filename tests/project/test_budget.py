"""What the book may cost its reader: how tangled a function may be, how many files a read crosses, whose is what.

Raising a number here takes a line in DESIGN.md that says why.
"""

import ast
import runpy
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import tutorial_zarr as zarr

_LAYERS = runpy.run_path(str(Path(__file__).with_name("test_layers.py")))
CORE, EXTRAS, FILES, MODULES, RANK = (_LAYERS[name] for name in ("CORE", "EXTRAS", "FILES", "MODULES", "RANK"))
code_lines = runpy.run_path(str(Path(__file__).with_name("code_lines.py")))["code_lines"]

BOOK = [name for name in CORE if name != "tutorial_zarr.tiny"]  # it is read by itself
MOST_COMPLEX = 12
MOST_POSITIONAL = 8
BRANCHES = (ast.If, ast.For, ast.While, ast.IfExp, ast.ExceptHandler, ast.comprehension, ast.match_case)


def parts_of(function):
    """What a function holds, without the functions in it."""
    waiting = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        if not isinstance(node, (ast.FunctionDef, ast.Lambda, ast.ClassDef)):
            yield node
            waiting += ast.iter_child_nodes(node)


def complexity(function):
    """Cyclomatic complexity: 1, and 1 for each place where the way forks, `and`, `or` and comprehensions included."""
    found = 1
    for node in parts_of(function):
        found += isinstance(node, BRANCHES)
        found += len(node.ifs) if isinstance(node, ast.comprehension) else 0
        found += len(node.values) - 1 if isinstance(node, ast.BoolOp) else 0
    return found


def functions(module):
    tree = ast.parse(FILES[module].read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def positional(function):
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def test_complexity_is_counted():
    lines = [
        "def f(a):",
        "    if a and a.b or a.c:",
        "        return [x for x in a if x]",
        "    def g(): return 1 if a else 2",
    ]
    text = "\n".join(lines)
    outer, inner = (n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef))
    assert (complexity(outer), complexity(inner)) == (6, 2)


@pytest.mark.parametrize("module", BOOK)
def test_no_function_of_the_book_is_tangled(module):
    assert [f"{f.name}: {complexity(f)}" for f in functions(module) if complexity(f) > MOST_COMPLEX] == []


@pytest.mark.parametrize("module", BOOK)
def test_no_function_takes_many_arguments_by_position(module):
    many = {f.name: positional(f) for f in functions(module) if positional(f) > MOST_POSITIONAL}
    assert many == {}, "let them be given by name: a star before the first that nobody knows by its place"


def files_called(act):
    """The files of the package whose functions are called, in order, the same one once where it calls itself."""
    called = []

    def note(frame, event, _):
        module = frame.f_globals.get("__name__", "")
        if frame.f_code.co_name.startswith("<"):  # Python 3.11 calls each comprehension, later ones do not
            return
        if event == "call" and module.startswith("tutorial_zarr.") and called[-1:] != [module]:
            called.append(module)

    act()
    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(None)
    return called


@pytest.fixture
def arrays(tmp_path):
    """DESIGN's example, and the same in shards."""
    data = np.arange(64.0).reshape(8, 8)
    plain = zarr.create_array(tmp_path / "a", data=data, chunks=(4, 4))
    return {"chunks": plain, "shards": zarr.create_array(tmp_path / "b", data=data, chunks=(4, 4), shards=(8, 8))}


@pytest.mark.parametrize(
    ("kind", "act", "files", "switches"),
    [
        ("chunks", lambda a: a[3:5], 10, 32),
        ("shards", lambda a: a[3:5], 20, 67),
        ("chunks", lambda a: a.__setitem__(slice(3, 5), 1), 19, 150),
        ("chunks", lambda a: a.__setitem__(slice(0, 4), 1), 16, 55),
    ],
    ids=["a[3:5]", "a[3:5] in shards", "a[3:5] = 1", "a[0:4] = 1"],
)
def test_a_read_and_a_write_cross_few_files(arrays, kind, act, files, switches):
    called = files_called(lambda: act(arrays[kind]))
    found = len(set(called)), len(called) - 1
    assert found[0] <= files, called
    assert found[1] <= switches, called
    assert len(set(called)) > 5


def classes(modules):
    for module in modules:
        for node in ast.parse(FILES[module].read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                yield module, node


def test_no_two_classes_of_the_book_have_one_name():
    count = Counter(node.name for _, node in classes(BOOK) if not node.name.startswith("_"))
    assert [name for name, many in count.items() if many > 1] == []


PRIVATE_TO = {"Array", "Group", "Node", "Selector", "ChunkIO", "ReadPlan", "WritePlan", "LazyView", "Reservation"}


def private_names():
    """The private attributes and methods of the classes that people outside of the book hold in their hands."""
    for _, node in classes(CORE):
        if node.name in PRIVATE_TO:
            for inside in ast.walk(node):
                name = inside.name if isinstance(inside, ast.FunctionDef) else getattr(inside, "attr", "")
                own = isinstance(inside, ast.FunctionDef) or getattr(inside.__dict__.get("value"), "id", "") == "self"
                if own and name.startswith("_") and not name.endswith("_"):
                    yield name


def test_nothing_outside_of_the_book_reaches_into_an_array():
    private = set(private_names())
    assert {"_bind", "_get", "_with", "_consolidated"} <= private
    found = [
        f"{module}, line {node.lineno}: {ast.unparse(node)}"
        for module in MODULES
        if RANK[module.split(".")[1]][0] == EXTRAS
        for node in ast.walk(ast.parse(FILES[module].read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in private
        if ast.unparse(node.value) not in ("self", "cls", "super()")
    ]
    assert found == [], "the book has a public name for what is needed outside, or gets one"


# Lines of code: not blank, no comment, no docstring. DESIGN.md says what stands behind each number.
MOST_LINES = {"spine": 8_240, "book": 11_450, "all": 39_700}
AROUND = {"object", "http", "fsspec", "references", "sqlite", "trace", "faults", "retry", "cache", "paced", "secrets"}


def files_of(act):
    """The files of the package in which something runs."""
    found = set()

    def note(frame, event, _):
        if event == "call" and frame.f_globals.get("__name__", "") in FILES:
            found.add(frame.f_globals["__name__"])

    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(None)
    return found


def test_what_an_array_crosses_stays_a_book_for_an_afternoon(tmp_path):
    """Creating, opening, reading and writing an array, whole chunks and parts, plain and in shards."""

    def act(folder):
        for shards in (None, (8, 8)):
            options = {"shape": (16, 16), "chunks": (4, 4), "shards": shards, "dtype": "f8", "compressors": "zstd"}
            a = zarr.create_array(folder, name=f"g/{shards}", **options)
            a[...] = 1
            a[3:5] = 2
            assert zarr.open_group(folder)[f"g/{shards}"][3:5].sum() == 64

    act(tmp_path / "first")  # imports and what is kept in memory, so that no other test decides what is counted
    spine = files_of(lambda: act(tmp_path / "second"))
    assert {"tutorial_zarr.array", "tutorial_zarr.codecs.sharding", "tutorial_zarr.stores.local"} <= spine
    assert sum(map(lines_of, spine)) <= MOST_LINES["spine"]


def lines_of(module):
    return code_lines(FILES[module].read_text(encoding="utf-8"))


def test_the_book_and_the_whole_stay_within_their_budget():
    book = [
        name
        for name in BOOK
        if not name.startswith("tutorial_zarr.codecs.extensions") and name.split(".")[-1] not in AROUND
    ]
    assert sum(map(lines_of, book)) <= MOST_LINES["book"]
    lessons = [name for name in MODULES if name.startswith("tutorial_zarr.gallery.exercises.x")]
    assert lessons  # they belong to their notebooks, and grow with them
    assert sum(map(lines_of, set(MODULES) - set(lessons))) <= MOST_LINES["all"]
