"""The bridge: tables of what a name of this library is called in zarr-python, xarray and Dask, each row with its test.

A lesson and an article end in such a table. Its rows are no hearsay: for each stands a test in ``tests/interop/bridge``
that runs both sides and carries the row as a mark, in the very words of its three cells::

    @pytest.mark.bridge("`plan`", "-", "all of it")
    def test_nothing_says_beforehand_what_a_read_costs(tmp_path): ...

This module reads both and compares them; it runs nothing.

>>> rows('''| here | zarr-python, xarray, Dask | not there |
... |---|---|---|
... | `plan` | - | all of it |
... ''')
[('`plan`', '-', 'all of it')]
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

Row = tuple[str, ...]

HEAD = ("here", "zarr-python, xarray, Dask", "not there")
TESTS = Path("tests", "interop", "bridge")  # below the root of a clone


def rows(text: str) -> list[Row] | None:
    """The rows of the bridge table in a text of Markdown; None where it has no such table."""
    head = re.search(
        rf"^\| *{' *[|] *'.join(map(re.escape, HEAD))} *\|\n\|[-| :]+\|\n((?:\|.*\n?)*)", text, re.MULTILINE
    )
    if head is None:
        return None
    return [tuple(cell.strip() for cell in line.strip().strip("|").split("|")) for line in head[1].splitlines()]


def problems(text: str, root: Path) -> Iterator[str]:
    """What is wrong with the bridge table of a text: none, no rows, or rows that no test below `root` proves."""
    found = rows(text)
    if found is None:
        yield f"expected the table '| {' | '.join(HEAD)} |', found none"
        return
    if not found:
        yield "expected at least one row, found none"
    known = proven(root)
    for row in found:
        if len(row) != len(HEAD):
            yield f"expected {len(HEAD)} cells in the row of {row[0]!r}, found {len(row)}"
        elif row not in known:
            alike = next((other for other in known if other[0] == row[0]), None)
            beside = f", found one with other words: {alike[1:]}" if alike else ""
            yield f"expected a test in {TESTS.as_posix()} with the mark bridge{row}{beside}"


def proven(root: Path) -> set[Row]:
    """The rows that the tests below `root` prove."""
    return {row for path in sorted((root / TESTS).glob("test_*.py")) for row in _marks(path, path.stat().st_mtime_ns)}


@functools.lru_cache(maxsize=256)
def _marks(path: Path, _changed: int) -> frozenset[Row]:
    functions = [
        node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.FunctionDef)
    ]
    calls = [
        mark
        for function in functions
        if function.name.startswith("test_")
        for mark in function.decorator_list
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.bridge"
    ]
    return frozenset(tuple(ast.literal_eval(argument) for argument in call.args) for call in calls)
