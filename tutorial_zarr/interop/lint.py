"""The portability lint: what of a store other readers will not open, why, and the nearest change.

It knows nothing of its own. All comes from a stored matrix (``matrix.json``, made by ``interop run`` and
``interop report``): an element with which no case was read equal by a reader is one that this reader does not have,
and so is a pair of elements. The nearest change is another element of the same category, which the readers asked for
do read beside the rest of the array; where there is none, `changes` says what to write in its place.

Asked are, where nobody is named, the `READERS` that people use, of those that read the array's Zarr format at all.

>>> elements = ["format:3", "type:int32", "grid:regular", "keys:default/", "codec:gzip", "layout:sharded"]
>>> [finding.elements for finding in lint_elements(elements, ["gdal"])]
[('layout:sharded',)]
"""

from __future__ import annotations

import functools
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np

import tutorial_zarr as zarr
from tutorial_zarr import dtypes
from tutorial_zarr.errors import MetadataError, SelectionError
from tutorial_zarr.tools.members import walk
from tutorial_zarr.words import plain

from .changes import TEXT, change_of, compresses, words
from .elements import elements_of
from .outcomes import NAMES

MATRIX = Path(__file__).with_name("matrix.json")
EXCHANGEABLE = ("codec", "codec2", "keys", "blosc", "format", "grid")  # by anything else of the category
# Asked where nobody is named. Not among them: z5py, which few use; Icechunk, which keeps arrays in repositories of its
# own; ome-zarr, which reads images alone; and this library.
READERS = ("gdal", "netcdf-c", "tensorstore", "xarray", "zarr-python", "zarr-python-2", "zarrita", "zarrs")


@dataclass(frozen=True)
class Finding:
    """What one reader makes of one array."""

    array: str
    reader: str
    elements: tuple[str, ...]
    outcome: str  # what most of the cases came to; "untested" where there was none
    cases: int  # how many cases were tried
    change: str = ""

    def __str__(self) -> str:
        what, array = " with ".join(map(words, self.elements)), plain(self.array)
        if self.outcome == "untested":
            return f"{array}: {self.reader}: {what} was never tried"
        verdict = "reads it wrong" if self.outcome == "wrong" else "does not read it"
        evidence = f"{self.outcome} in {self.cases} of {self.cases} cases"
        return f"{array}: {self.reader} {verdict}: {what} ({evidence}); try: {self.change}"


class Matrix:
    """A stored matrix, asked by elements."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self.marks: dict[str, str] = data["marks"]
        self.cases = [frozenset(data["elements"][n] for n in case) for case in data["cases"]]
        self._empty = frozenset(data["empty"])
        self._with: dict[str, set[int]] = {}
        self._reads: dict[tuple[str, ...], bool | None] = {}
        self.linted: dict[Any, list[Finding]] = {}  # elements and readers -> what was found
        for n, elements in enumerate(self.cases):
            for element in elements:
                self._with.setdefault(element, set()).add(n)
        self._asked = {reader: self._evidence(reader) for reader in self.marks}

    def _evidence(self, reader: str) -> set[int]:
        """The cases that say something about a reader: where it reads no array without names for its axes, those
        that have them, as the others come to nothing whatever else is in them.
        """
        read = [self.cases[n] for n, mark in enumerate(self.marks[reader]) if mark in "=~"]
        needed = {e for e in frozenset.intersection(*read) if e.startswith("names:")} if read else set()
        return {n for n, mark in enumerate(self.marks[reader]) if mark not in " w." and needed <= self.cases[n]}

    def tried(self, reader: str, elements: Iterable[str]) -> list[int]:
        """The cases with all these elements that this reader was asked for. Where no chunk is stored, no codec is
        needed: such a case says something about fill values, and of other things only where there is no other.
        """
        wanted = list(elements)
        found = self._asked[reader].intersection(*(self._with.get(element, set()) for element in wanted))
        if not any(element.startswith("fill:") for element in wanted):
            found = found - self._empty or found
        return sorted(found)

    def reads(self, reader: str, elements: Iterable[str]) -> bool | None:
        """Whether any such case was read equal; None where there is none. Against a pair only those cases speak in
        which everything is read when it stands alone.
        """
        key = reader, *elements
        if key not in self._reads:
            tried = self.tried(reader, key[1:])
            read = any(self.marks[reader][n] in "=~" for n in tried)
            if len(key) > 2 and not read:
                tried = [n for n in tried if all(self.reads(reader, [e]) for e in self.cases[n])]
            self._reads[key] = read if tried else None
        return self._reads[key]

    def causes(self, reader: str, blamed: list[tuple[str, ...]], zarr_format: str) -> list[tuple[str, ...]]:
        """Without what something else accounts for: that is always there as well, or fails in more cases."""
        left = [b for b in blamed if not any(self._same(a, b) for a in blamed) and not self._explained(reader, b)]
        return [b for b in left if not any(self._comes_with(a, b, zarr_format) for a in left)]

    def _comes_with(self, a: tuple[str, ...], b: tuple[str, ...], zarr_format: str) -> bool:
        """Whether `a` is a type that is never stored without `b`, as text is not without its codec."""
        if a == b or len(a) > 1 or not a[0].startswith("type:"):
            return False
        cases = self._with[a[0]] & self._with.get(zarr_format, set())
        return all(cases <= self._with[element] for element in b)

    def _same(self, a: tuple[str, ...], b: tuple[str, ...]) -> bool:
        of_a, of_b = (set.intersection(*(self._with[e] for e in elements)) for elements in (a, b))
        return of_a == of_b and sorted(map(_rank, a)) < sorted(map(_rank, b))

    def _explained(self, reader: str, pair: tuple[str, ...]) -> bool:
        if len(pair) == 1:
            return False
        own = self.tried(reader, pair)
        plain = [n for n in own if all(self.reads(reader, [e]) for e in self.cases[n])]
        return all(
            any(
                len(self.tried(reader, other)) > len(own) and self.reads(reader, other) is False
                for other in itertools.combinations(sorted(self.cases[n]), 2)
            )
            for n in plain
        )

    def outcome(self, reader: str, elements: Iterable[str]) -> tuple[str, int]:
        """The worst that such cases came to where one is wrong, else the most frequent; and how many there are."""
        tried = self.tried(reader, elements)
        marks = Counter(self.marks[reader][n] for n in tried)
        return NAMES["X" if marks["X"] else marks.most_common(1)[0][0]], len(tried)


def _rank(element: str) -> tuple[bool, bool, str]:
    """What is named first of things that always come together: the format, the type."""
    return not element.startswith("format:"), not element.startswith("type:"), element


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
    key = (*sorted(elements),), (*check_readers(readers, matrix),)
    if key not in matrix.linted:  # most arrays of a store are alike
        if len(matrix.linted) > 1000:
            matrix.linted.clear()
        matrix.linted[key] = _findings(*key, matrix)
    return [replace(finding, array=array) for finding in matrix.linted[key]]


def _findings(given: Sequence[str], wanted: Sequence[str], matrix: Matrix) -> list[Finding]:
    found: list[Finding] = []
    zarr_format = next((e for e in given if e.startswith("format:")), "")
    for reader in wanted:
        single = {element: matrix.reads(reader, [element]) for element in given}
        found += [Finding("", reader, (e,), "untested", 0) for e, reads in single.items() if reads is None]
        bad: list[tuple[str, ...]] = [(e,) for e, reads in single.items() if reads is False]
        if (zarr_format,) in bad:  # then only what is the same in the other format matters besides
            bad = [one for one in bad if one[0].startswith(("format:", "type:"))]
        else:
            good = [e for e, reads in single.items() if reads]
            bad += [pair for pair in itertools.combinations(good, 2) if matrix.reads(reader, pair) is False]
            bad = matrix.causes(reader, bad, zarr_format)
        sound = [e for e in given if not any(e in blamed for blamed in bad)]
        for blamed in bad:
            change = nearest_change(sound, blamed, list(wanted), matrix)
            if change is None and len(wanted) > 1:
                change = nearest_change(sound, blamed, [reader], matrix)
                change = change and f"{change}, for {reader} alone"
            found.append(Finding("", reader, blamed, *matrix.outcome(reader, blamed), change or change_of(blamed)))
    return found


def nearest_change(sound: list[str], blamed: tuple[str, ...], readers: list[str], matrix: Matrix) -> str | None:
    """What to put in the place of one of the blamed elements, so that all the readers have it beside the sound ones."""
    for element in sorted(blamed, key=lambda e: e.startswith("type:")):
        category = element.partition(":")[0]
        rest = [*sound, *(e for e in blamed if e != element)]
        if category == "format":
            rest = [e for e in rest if e.startswith("type:")]  # the rest has other names in the other format
        others: Iterable[str] = {e for case in matrix.cases for e in case if e.startswith(category + ":")} - {
            element,
            *rest,
        }
        if category == "type":
            others = _wider(element, others)
        elif category not in EXCHANGEABLE:
            others = set()
        if category.startswith("codec"):
            others = {e for e in others if compresses(e)} if compresses(element) else set()
            if not others or any(e.startswith(category + ":") for e in rest):
                return f"leave out {words(element)}"
        for other in others if category == "type" else sorted(others, key=lambda e: _unlike(e, element)):
            if _all_read([*rest, other], readers, matrix, needed=[other]):
                return f"{words(other)} instead of {words(element)}"
        if category.startswith("codec"):
            return f"leave out {words(element)}"
    return None


def _unlike(a: str, b: str) -> tuple[float, str]:
    return -SequenceMatcher(None, a, b).ratio(), a


def _wider(element: str, others: Iterable[str]) -> list[str]:
    """The types of numpy among others that hold every value of this one, the smallest first; for times integers, and
    for text other text.
    """
    if element in TEXT:
        return sorted(TEXT & set(others))
    own = _numbers(element)
    if own is None:
        return []
    plain = (e for e in others if not e.startswith("type:numpy."))
    found = {e: kind for e in plain if (kind := _numbers(e)) is not None and kind.type.__module__ == "numpy"}
    fits = [
        e for e, kind in found.items() if np.can_cast(own, kind, "safe") and (own.kind not in "iu" or kind.kind in "iu")
    ]
    return sorted(fits, key=lambda e: (found[e].itemsize, found[e].kind != own.kind, found[e].kind != "u", e))


def _numbers(element: str) -> np.dtype | None:
    """How numpy holds the numbers of this type; None where it has others, or needs to be told more."""
    if element in ("type:numpy.datetime64", "type:numpy.timedelta64"):
        return np.dtype("int64")
    try:
        found = dtypes.from_json(element.partition(":")[2]).numpy
    except MetadataError:
        return None
    return found if found.names is None and (found.kind in "biufc" or found.type.__module__ != "numpy") else None


def _all_read(elements: list[str], readers: list[str], matrix: Matrix, needed: Iterable[str] = ()) -> bool:
    for reader in readers:
        if any(matrix.reads(reader, [e]) is not True for e in needed):
            return False
        pairs = itertools.chain(((e,) for e in elements), itertools.combinations(elements, 2))
        if any(matrix.reads(reader, pair) is False for pair in pairs):
            return False
    return True


def default_readers(zarr_format: int, matrix: Matrix | None = None) -> list[str]:
    """The `READERS` that read this Zarr format; all that the matrix has, where it has none of them.

    >>> default_readers(3)
    ['gdal', 'tensorstore', 'xarray', 'zarr-python', 'zarrita', 'zarrs']
    """
    matrix = matrix or stored_matrix()
    known = [name for name in READERS if name in matrix.marks] or sorted(matrix.marks)
    return [name for name in known if matrix.reads(name, [f"format:{zarr_format}"])]


def lint(store: Any, readers: Iterable[str] = (), matrix: Matrix | None = None) -> Iterator[Finding]:
    """Findings for every array of a store.

    Parameters
    ----------
    store
        What `open` takes: a folder, a URL, a store, an array or a group.
    readers
        Names of the matrix's readers. Without any, `default_readers` of each array's Zarr format are asked.
    matrix
        Another matrix than the one that this version was released with.

    Raises `SelectionError` for a reader that the matrix does not have.
    """
    for _, _, findings in lint_arrays(store, readers, matrix):
        yield from findings


def lint_arrays(
    store: Any, readers: Iterable[str] = (), matrix: Matrix | None = None
) -> Iterator[tuple[str, list[str], list[Finding]]]:
    """Every array of a store as `lint` sees it: its path, the readers asked, the findings."""
    matrix, named = matrix or stored_matrix(), list(readers)
    for path, array in arrays_of(store):
        document = array.metadata.to_json()
        asked = check_readers(named, matrix) if named else default_readers(array.zarr_format, matrix)
        elements = elements_of(document, dict(array.attrs), path)
        yield path, asked, lint_elements(elements, asked, path or "the array", matrix) if asked else []


def arrays_of(store: Any) -> Iterator[tuple[str, zarr.Array]]:
    """Every array of a store by its path."""
    node = zarr.open(store, mode="r")
    if isinstance(node, zarr.Array):
        yield "", node
        return
    for path, member in walk(node):
        if isinstance(member, zarr.Array):
            yield path, member
