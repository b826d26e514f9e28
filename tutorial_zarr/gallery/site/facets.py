"""By what the lessons can be chosen: each facet is computed from a lesson's passport, its imports and its source.

>>> budgets(35), budgets(60)
(('up to 35 minutes', 'up to 40 minutes', 'up to 45 minutes'), ())
"""

from __future__ import annotations

import ast
import functools
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from tutorial_zarr.codecs import names
from tutorial_zarr.gallery import bridges
from tutorial_zarr.gallery.catalogue import CLONE, Notebook, markdown, passport
from tutorial_zarr.gallery.packages import package
from tutorial_zarr.gallery.series import AREAS, PEERS

BUDGETS = (30, 35, 40, 45)  # minutes
EVERYWHERE = {"numpy", "matplotlib", "tutorial_zarr", "data_gen"}  # what a lesson imports and says nothing about it
NOT_CHOSEN = {"bytes", "endian"}  # codecs of which every array has one
SHORT = {"sharding_indexed": "sharding"}
SHARDS = "shards"  # the argument that makes sharding without naming it


@dataclass(frozen=True)
class Facet:
    """A facet: its name in an address, what it is called, and how many lessons have each of its values, in order."""

    key: str
    name: str
    counts: dict[str, int]


def facets(notebooks: tuple[Notebook, ...]) -> list[Facet]:
    """The facets by which these lessons can be told apart: those that have at least two values, or miss in some."""
    chosen = {notebook.id: values(notebook) for notebook in notebooks}
    found = []
    for key, name in NAMES.items():
        every = [value for of in chosen.values() for value in of[key]]
        order = ORDERS.get(key) or sorted(set(every), key=lambda value: (-every.count(value), value.lower()))
        counts = {value: every.count(value) for value in order if value in every}
        if any(count < len(notebooks) for count in counts.values()):
            found.append(Facet(key, name, counts))
    return found


NAMES = {
    "area": "Area",
    "level": "Level",
    "time": "Time",
    "browser": "Browser",
    "codec": "Codec",
    "library": "Compared with",
    "data": "Data",
}
ORDERS = {
    "area": tuple(AREAS),
    "level": ("beginner", "intermediate", "advanced"),
    "time": tuple(f"up to {minutes} minutes" for minutes in BUDGETS),
    "data": ("real", "generated"),
}


@functools.cache
def values(notebook: Notebook) -> dict[str, tuple[str, ...]]:
    """The values of a lesson, by facet."""
    source = notebook.path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    return {
        "area": tuple(area for area, parts in AREAS.items() if notebook.id[:2] in parts),
        "level": (word(notebook),),
        "time": budgets(notebook.minutes),
        "browser": ("runs in the browser",) if notebook.browser else (),
        "codec": _codecs(tree),
        "library": _libraries(tree, source),
        "data": _data(tree, passport(notebook.head).get("Data", "")),
    }


def word(notebook: Notebook) -> str:
    """The level as a word."""
    return notebook.level.rpartition(" ")[2]


def stars(notebook: Notebook) -> int:
    """The level as a number, 1 to 3."""
    return notebook.level.count("★")


def budgets(minutes: int) -> tuple[str, ...]:
    """The times into which a lesson of so many minutes fits."""
    return tuple(f"up to {budget} minutes" for budget in BUDGETS if minutes <= budget)


def _codecs(tree: ast.AST) -> tuple[str, ...]:
    """The codecs that the code names, by their short names: ``numcodecs.delta`` is ``delta``."""
    known = {_short(name) for name in names()} - NOT_CHOSEN
    nodes, found = list(ast.walk(tree)), set()
    keys = {id(key) for node in nodes if isinstance(node, ast.Dict) for key in node.keys}  # names of settings
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in keys:
            found.add(_short(node.value))
        elif isinstance(node, ast.keyword) and node.arg == SHARDS:
            found.add(SHORT["sharding_indexed"])
    return tuple(sorted(known & found))


def _short(name: str) -> str:
    return SHORT.get(name, name.removeprefix("numcodecs."))


def _libraries(tree: ast.AST, source: str) -> tuple[str, ...]:
    """What the lesson imports besides this library, and what its bridge names; a bridge always leads to zarr-python."""
    peers = {module: peer for peer, module in PEERS.items()}
    own = set(re.findall(r'"(\w+)\.py"', source))  # modules that the lesson itself writes
    modules = _imported(tree) - EVERYWHERE - sys.stdlib_module_names - own
    found = {peers.get(module, package(module).replace("_", "-")) for module in modules}
    rows = bridges.rows("\n\n".join(markdown(source)))
    for row in rows or ():
        found |= {peer for peer in PEERS if re.search(rf"\b{peer}\b", row[1], re.IGNORECASE)}
    return tuple(sorted(found | ({"zarr-python"} if rows else set()), key=str.lower))


def _imported(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def _data(tree: ast.AST, said: str) -> tuple[str, ...]:
    """Whether the data are real or generated: what its modules of `data_gen` do, and what the passport says."""
    modules = {
        name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "data_gen"
        for name in node.names
    }
    files = [path for name in sorted(modules) if (path := CLONE / "data_gen" / f"{name}.py").is_file()]
    found = {"real" if _vendored(path) else "generated" for path in files}
    found |= {value for value in ORDERS["data"] if value in said} | ({"real"} if "vendor" in said else set())
    return tuple(value for value in ORDERS["data"] if value in (found or {"generated"}))


@functools.cache
def _vendored(path: Path) -> bool:
    return "vendor.load(" in path.read_text(encoding="utf-8")
