"""Why a reader shows something else than was meant, and what cures it.

A silent cell of the table of `survey` has one cause, found here by what the cell is of: writer, situation, array,
reader and view, as patterns. A silent cell without a cause still has to be looked into.

>>> cause_of("xarray", "counts-v2", "v", "xarray", "decoded")
'fill-value-becomes-missing'
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Cause:
    """One reason for silent cells."""

    id: str
    what: str  # what happens, a sentence
    instead: str  # what the program should write instead
    cells: tuple[str, ...]  # patterns of "writer/situation/node/reader/view"


CAUSES = (
    Cause(
        "fill-value-becomes-missing",
        "A reader takes the fill value of Zarr 2 for missing values, so that what was written and is equal to it goes.",
        "Give each integer array a `_FillValue` outside its values, or write Zarr 3.",
        ("xarray/counts-v2/*/*/decoded",),
    ),
)


def cause_of(writer: str, situation: str, node: str, reader: str, view: str) -> str:
    """The id of the cause of a silent cell, "" where there is none."""
    name = f"{writer}/{situation}/{node}/{reader}/{view}"
    return next((each.id for each in CAUSES if any(fnmatchcase(name, p) for p in each.cells)), "")
