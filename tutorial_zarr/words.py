r"""Numbers, shapes, selections and values in words, fit for a terminal and for a page.

Everything that comes from a store (names, attributes, fill values) passes through `plain`, so that no control
character in it reaches a terminal, and through `escape`, so that no markup in it reaches a page.

>>> count(1024, "chunks"), times((100, 200)), size_text(98_765_432), plain("a\x1b[31m")
('1,024 chunks', '100 x 200', '94.2 MiB', 'a\\x1b[31m')
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

from tutorial_zarr.errors import spelled, spelled_lines

LONGEST = 300  # characters of one value that are shown
LONGEST_LINE = 4000  # and of one line about an array


# As html.escape does; that module brings a table of all entities, which makes every import of the library slower.
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})


def text_of(value: Any) -> str:
    """``str(value)``; of a time so far away that NumPy has no date for it, its number."""
    try:
        return str(value)
    except OverflowError:
        return f"{value.astype('i8')} of {value.dtype}"


def plain(value: Any, longest: int | None = None) -> str:
    """Text on one line: control characters, and those that turn the direction of writing, spelt out."""
    words = spelled(text_of(value))
    if longest is None or len(words) <= longest:
        return words
    if longest < 40:  # no room to say how many are left out
        return words[: longest - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return f"{words[: longest - 20]}... ({len(words):,} characters)"


def plain_lines(value: Any) -> str:
    """`plain`, and the lines stay lines; for text of ours in which names from elsewhere stand."""
    return spelled_lines(str(value))


def markdown(value: Any, longest: int | None = None) -> str:
    r"""`plain`, and nothing in it is markup to Markdown, in a cell of a table too.

    >>> print(markdown("a|b_[x](y) <b>"))
    a\|b\_\[x\](y) &lt;b&gt;
    """
    return re.sub(r"([\\`*_\[\]|#~])", r"\\\1", escape(value, longest))


def some(names: Iterable[Any], most: int = 20, longest: int = 40) -> str:
    """The first of many names, and how many are left out.

    >>> some("abcde", 3), some("abc", 3)
    ('a, b, c and 2 more', 'a, b, c')
    """
    names = list(names)
    rest = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(plain(name, longest) for name in names[:most]) + rest


def escape(value: Any, longest: int | None = None) -> str:
    """`plain`, and safe between tags and in quoted attributes of HTML and SVG."""
    return plain(value, longest).translate(_ESCAPES)


def times(lengths: Iterable[Any]) -> str:
    """A shape in words: ``100 x 200``; an uneven axis by its shortest and longest chunk."""
    return " x ".join(length_text(n) for n in lengths)


def array_words(shape: Sequence[int]) -> str:
    """An array by its shape: ``a 4 x 6 array``, ``an array of 10``."""
    return f"a {times(shape)} array" if len(shape) > 1 else f"an array of {shape[0]}" if shape else "a scalar"


def length_text(length: Any) -> str:
    """The length of a chunk along an axis; where the chunks differ, the range of their lengths.

    >>> length_text(30), length_text((10, 20, 20))
    ('30', '10..20')
    """
    if isinstance(length, (tuple, list)):
        low, high = min(length, default=0), max(length, default=0)
        return f"{low}" if low == high else f"{low}..{high}"
    return f"{length}"


def shape_text(lengths: Sequence[Any]) -> str:
    """A shape as Python writes it; an uneven axis by its shortest and longest chunk."""
    words = ", ".join(map(length_text, lengths))
    return f"({words},)" if len(lengths) == 1 else f"({words})"


def count(n: int, plural: str) -> str:
    """``1 chunk``, ``1,024 chunks``."""
    return f"{n:,} {plural if n != 1 else plural.removesuffix('s')}"


def is_or_are(n: int) -> str:
    """The verb for `n` of something."""
    return "is" if n == 1 else "are"


def size_text(nbytes: float, up: bool = False) -> str:
    """Bytes in the unit that suits them; rounded `up`, where it must be enough.

    >>> [size_text(n) for n in (0, 1023, 1024, 10 * 1024**2, 3 * 1024**4)]
    ['0 B', '1023 B', '1.0 KiB', '10.0 MiB', '3.0 TiB']
    >>> size_text(1025, up=True)
    '1.1 KiB'
    """
    if nbytes < 1024:
        return f"{nbytes:g} B"
    for unit in ("KiB", "MiB", "GiB", "TiB", "PiB"):
        nbytes /= 1024
        if nbytes < 1024 or unit == "PiB":
            break
    return f"{math.ceil(nbytes * 10) / 10 if up else nbytes:,.1f} {unit}"


def ratio_text(nbytes: int, stored: int) -> str:
    """How many times smaller the stored bytes are: ``3.2 : 1``."""
    if not stored:
        return "nothing is stored"
    ratio = nbytes / stored
    return f"{ratio:,.0f} : 1" if ratio >= 100 else f"{ratio:.2g} : 1" if ratio < 1 else f"{ratio:.1f} : 1"


def selection_text(ranges: Sequence[range]) -> str:
    """Ranges as they are typed: ``[0:200, 5]``."""

    def one(r: range) -> str:
        if len(r) == 1:
            return f"{r[0]}"
        return f"{r.start}:{r.stop}" + (f":{r.step}" if r.step != 1 else "")

    return f"[{', '.join(one(r) for r in ranges)}]"


def table_text(rows: dict[str, Any]) -> str:
    """Names and values in two columns."""
    width = max(map(len, rows), default=0)
    return "\n".join(f"{name:<{width}} : {plain(value, LONGEST_LINE)}" for name, value in rows.items())
