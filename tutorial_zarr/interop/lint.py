"""The portability lint: what of a store other readers will not open, why, and the nearest change.

It knows nothing of its own. All comes from a stored matrix (``matrix.json``, made by ``interop run`` and
``interop report``): an element with which no case was read equal by a reader is one that this reader does not have,
and so is a pair of elements. The nearest change is another element of the same category, which the readers asked for
do read beside the rest of the array; or to leave the element out.

>>> elements = ["format:3", "type:int32", "grid:regular", "keys:default/", "codec:gzip", "layout:sharded"]
>>> [finding.elements for finding in lint_elements(elements, ["gdal"])]
[('layout:sharded',)]
"""

from __future__ import annotations

import functools
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import tutorial_zarr as zarr
from tutorial_zarr.errors import SelectionError

from .elements import elements_of
from .outcomes import NAMES

MATRIX = Path(__file__).with_name("matrix.json")
DROPPABLE = ("layout", "endian", "fill", "attributes", "names", "data", "groups", "struct")
EXCHANGEABLE = ("codec", "codec2", "keys", "blosc", "format", "grid")  # by anything else of the category


@dataclass(frozen=True)
class Finding:
    """What one reader makes of one array."""

    array: str
    reader: str
    elements: tuple[str, ...]
    outcome: str  # what most of the cases came to; "untested" where there was none
    cases: int  # how many cases were tried
    said: str = ""
    change: str = ""

    def __str__(self) -> str:
        what = " with ".join(map(_words, self.elements))
        if self.outcome == "untested":
            return f"{self.array}: {self.reader}: {what} was never tried"
        verdict = "reads it wrong" if self.outcome == "wrong" else "does not read it"
        evidence = f"{self.outcome} in {self.cases} of {self.cases} cases"
        said = f"; it says {self.said!r}" if self.said else ""
        return f"{self.array}: {self.reader} {verdict}: {what} ({evidence}{said}); try: {self.change}"


class Matrix:
    """A stored matrix, asked by elements."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self.marks: dict[str, str] = data["marks"]
        self.cases = [frozenset(data["elements"][n] for n in case) for case in data["cases"]]
        self._with: dict[str, set[int]] = {}
        self._reads: dict[tuple[str, ...], bool | None] = {}
        for n, elements in enumerate(self.cases):
            for element in elements:
                self._with.setdefault(element, set()).add(n)

    def tried(self, reader: str, elements: Iterable[str]) -> list[int]:
        """The cases with all these elements that this reader was asked for."""
        found = set.intersection(*(self._with.get(element, set()) for element in elements))
        return sorted(n for n in found if self.marks[reader][n] not in " w.")

    def reads(self, reader: str, elements: Iterable[str]) -> bool | None:
        """Whether any such case was read equal; None where there is none."""
        key = reader, *elements
        if key not in self._reads:
            tried = self.tried(reader, key[1:])
            self._reads[key] = any(self.marks[reader][n] in "=~" for n in tried) if tried else None
        return self._reads[key]

    def outcome(self, reader: str, elements: Iterable[str]) -> tuple[str, int, str]:
        """The worst that such cases came to where one is wrong, else the most frequent; how many; what was said."""
        tried = self.tried(reader, elements)
        marks = Counter(self.marks[reader][n] for n in tried)
        mark = "X" if marks["X"] else marks.most_common(1)[0][0]
        hits = [n for n in tried if self.marks[reader][n] == mark]
        plainest = min(hits, key=lambda n: sum(not self.reads(reader, [e]) for e in self.cases[n]))
        place = self.data["said"][reader].get(str(plainest))
        return NAMES[mark], len(tried), "" if mark == "X" or place is None else self.data["sentences"][place]


@functools.cache
def stored_matrix(file: Path = MATRIX) -> Matrix:
    """The matrix that this package was released with."""
    return Matrix(json.loads(file.read_text(encoding="utf-8")))


def check_readers(names: Iterable[str], matrix: Matrix) -> list[str]:
    """The readers of these names; all without names."""
    wanted = list(names) or sorted(matrix.marks)
    unknown = sorted(set(wanted) - set(matrix.marks))
    if unknown:
        raise SelectionError(f"readers: expected some of {', '.join(sorted(matrix.marks))}, found {', '.join(unknown)}")
    return wanted


def lint_elements(
    elements: Iterable[str], readers: Iterable[str] = (), array: str = "", matrix: Matrix | None = None
) -> list[Finding]:
    """What readers do not have of these elements: alone first, and in pairs of those that they have alone."""
    matrix = matrix or stored_matrix()
    wanted = check_readers(readers, matrix)
    found: list[Finding] = []
    given = sorted(elements)
    for reader in wanted:
        single = {element: matrix.reads(reader, [element]) for element in given}
        found += [Finding(array, reader, (e,), "untested", 0) for e, reads in single.items() if reads is None]
        bad = [(e,) for e, reads in single.items() if reads is False]
        if any(e.startswith("format:") for (e,) in bad):  # then nothing else matters
            bad = [(e,) for (e,) in bad if e.startswith("format:")]
        else:
            good = [e for e, reads in single.items() if reads]
            bad += [pair for pair in itertools.combinations(good, 2) if matrix.reads(reader, pair) is False]
        sound = [e for e in given if not any(e in blamed for blamed in bad)]
        for blamed in bad:
            outcome, cases, said = matrix.outcome(reader, blamed)
            change = nearest_change(sound, blamed, wanted, matrix)
            if change is None and len(wanted) > 1:
                change = nearest_change(sound, blamed, [reader], matrix)
                change = change and f"{change}, for {reader} alone"
            change = change or f"without {' and '.join(map(_words, blamed))}; no case shows a smaller change"
            found.append(Finding(array, reader, blamed, outcome, cases, said, change))
    return found


def nearest_change(sound: list[str], blamed: tuple[str, ...], readers: list[str], matrix: Matrix) -> str | None:
    """What to put in the place of one of the blamed elements, so that all the readers have it beside the sound ones."""
    for element in sorted(blamed, key=lambda e: e.startswith("type:")):
        category = element.partition(":")[0]
        rest = [*sound, *(e for e in blamed if e != element)]
        if category == "format":
            rest = [e for e in rest if e.startswith("type:")]  # the rest has other names in the other format
        others = {e for case in matrix.cases for e in case if e.startswith(category + ":")} - {element, *rest}
        if category not in EXCHANGEABLE:
            others = {e for e in others if _kin(element, e)}
        others_left = any(e.startswith(category + ":") for e in rest) and category.startswith("codec")
        if category in DROPPABLE or others_left:
            return f"leave out {_words(element)}"
        for other in sorted(others, key=lambda e: (-SequenceMatcher(None, e, element).ratio(), e)):
            if _all_read([*rest, other], readers, matrix, needed=[other]):
                return f"{_words(other)} instead of {_words(element)}"
        if category.startswith("codec"):
            return f"leave out {_words(element)}"
    return None


def _kin(a: str, b: str) -> bool:
    """Whether two types are of one kind, such as float16 and float32."""
    return a.rstrip("0123456789") == b.rstrip("0123456789")


def _all_read(elements: list[str], readers: list[str], matrix: Matrix, needed: Iterable[str] = ()) -> bool:
    for reader in readers:
        if any(matrix.reads(reader, [e]) is not True for e in needed):
            return False
        pairs = itertools.chain(((e,) for e in elements), itertools.combinations(elements, 2))
        if any(matrix.reads(reader, pair) is False for pair in pairs):
            return False
    return True


def _words(element: str) -> str:
    category, _, name = element.partition(":")
    words = {
        "codec": "the codec ",
        "codec2": "the codec ",
        "type": "the type ",
        "format": "Zarr ",
        "keys": "chunk keys ",
    }
    return words.get(category, f"{category} ") + name


def lint(store: Any, readers: Iterable[str] = (), matrix: Matrix | None = None) -> Iterator[Finding]:
    """Findings for every array of a store."""
    for path, array in arrays_of(store):
        document = array.metadata.to_json()
        elements = elements_of(document, dict(array.attrs), path)
        yield from lint_elements(elements, readers, path or "the array", matrix)


def arrays_of(store: Any) -> Iterator[tuple[str, zarr.Array]]:
    """Every array of a store by its path."""
    node = zarr.open(store, mode="r")
    if isinstance(node, zarr.Array):
        yield "", node
        return
    for path, member in node.members(max_depth=None):
        if isinstance(member, zarr.Array):
            yield path, member
