r"""Tables that fit a terminal of 80 columns, whatever they hold.

A table of many narrow columns has its headings as a staircase, since eight names side by side would not fit.

>>> print("\n".join(staircase(["gdal", "zarrs"], [("air", ["ok", "no"]), ("a/longer/name", ["ok", "ok"])])))
               gdal
               |  zarrs
air            ok no
a/longer/name  ok ok
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

WIDTH = 80


def staircase(columns: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
    """The lines of a table with narrow cells: a name, and a sign of up to two characters for each of `columns`.

    A name that is too long to stand beside its signs has a line of its own.
    """
    most = max(10, WIDTH - 3 * len(columns) - max(map(len, columns), default=0))
    wide = max((len(name) for name, _ in rows if len(name) <= most), default=0)
    lines = [" " * wide + "  " + "|  " * place + column for place, column in enumerate(columns)]
    for name, cells in rows:
        if len(name) > wide:
            lines.append(name)
            name = ""
        lines.append((name.ljust(wide) + "  " + " ".join(cell.ljust(2) for cell in cells)).rstrip())
    return lines


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], widest: int, left: int = 1) -> list[str]:
    """The lines of a table whose first column is wrapped between words at `widest` characters.

    The first `left` columns stand at the left, the others at the right.
    """
    cells = [tuple(headings), *map(tuple, rows)]
    firsts = [textwrap.wrap(row[0], widest, break_long_words=False, break_on_hyphens=False) or [""] for row in cells]
    widths = [max(len(line) for first in firsts for line in first)]
    widths += [max(len(row[n]) for row in cells) for n in range(1, len(headings))]
    lines = []
    for first, row in zip(firsts, cells, strict=True):
        rest = [
            cell.ljust(width) if n < left else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row[1:], widths[1:], strict=True), 1)
        ]
        lines.append("  ".join([first[0].ljust(widths[0]), *rest]).rstrip())
        lines += ["  " + line for line in first[1:]]
    return lines
