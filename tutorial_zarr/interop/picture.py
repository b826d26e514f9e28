"""The matrix as a picture: who reads what, one change at a time.

Each row is a case that differs from one plain array (int32 in named axes, zstd, ragged chunks) in one thing: its type,
its layout, or its codec. So a cell that is not equal has one cause. Every outcome has a sign beside its colour.

>>> {panel: len(rows) for panel, rows in one_change(2).items()}
{'data types': 22, 'layouts': 8, 'codecs': 21}
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tutorial_zarr import viz
from tutorial_zarr.viz.chart import BLUE, SKY, VERMILION
from tutorial_zarr.viz.sign_table import Sign, sign_table

from .cases import all_cases
from .lint import Matrix, stored_matrix
from .outcomes import MARKS, NAMES

Marks = Mapping[str, Mapping[str, str]]  # reader -> case -> mark
Panels = Mapping[str, Mapping[str, str]]  # title -> label -> case

# What a cell shows: words, colour, sign, colour of the sign.
SIGNS: dict[str, Sign] = {
    "equal": ("reads it equal", BLUE, "=", "white"),
    "retyped": ("equal, in another type", SKY, "~", "black"),
    "refused": ("refuses it, with an error", "#eceff1", "\u2013", "#78909c"),
    "wrong": ("wrong elements, and no error", VERMILION, "\u00d7", "white"),
    "crash": ("crashed or hung", "black", "!", "white"),
    "absent": ("not asked", "white", "", "white"),
}
SHOWN_AS = {"unsupported": "refused", "timeout": "crash", "unwritten": "absent"}
# Variants that would only repeat their neighbours.
VARIANTS = re.compile(
    r"gzip-\d|blosc-.*|.*crc32c-zstd|gzip-crc32c|zstd-negative|packbits-(first|last)_byte|scale_offset-.*|two-filters"
    r"|numcodecs\.(gzip|zstd|blosc|crc32|crc32c|adler32|fletcher32|jenkins_lookup3|base64|astype|quantize|bitround"
    r"|packbits|fixedscaleoffset)|long|sharded-(partly-written|empty|no-axis|one-chunk)|no-axis-empty"
    r"|rectilinear-.*|one-chunk-larger|partly-written|crc32|adler32|base64|jenkins_lookup3"
)


def one_change(zarr_format: int) -> dict[str, dict[str, str]]:
    """Panel -> label -> id of the case that differs from the plain array in that alone."""
    panels: dict[str, dict[str, str]] = {"data types": {}, "layouts": {}, "codecs": {}}
    for id in all_cases():
        version, label, layout, chain = [*id.split("/"), "", "", ""][:4]
        if version != f"v{zarr_format}" or not chain.startswith("named-") or label in ("fill", "names", "keys"):
            continue
        chain = chain.removeprefix("named-")
        if (layout, chain) == ("edge", "zstd"):
            panels["data types"][label.removeprefix("numpy.")] = id
        elif chain == "zstd" and not VARIANTS.fullmatch(layout):
            panels["layouts"][layout.replace("-", " ")] = id
        elif layout == "edge" and not VARIANTS.fullmatch(chain):
            panels["codecs"][chain] = id
    return panels


def recorded(matrix: Matrix | None = None) -> dict[str, dict[str, str]]:
    """The marks of the stored matrix: what each reader made of the stores that this library wrote."""
    stored = matrix or stored_matrix()
    return {reader: dict(zip(all_cases(), row, strict=True)) for reader, row in stored.marks.items()}


def heat_map(marks: Marks, panels: Panels, title: str, versions: Mapping[str, str]) -> viz.Chart:
    """Readers as columns, those that read most first; `versions` are the words at their heads."""
    cases = [case for rows in panels.values() for case in rows.values()]
    readers = sorted(marks, key=lambda r: (-sum(marks[r].get(case, " ") in "=~" for case in cases), r))
    # A reader that knows nothing of all this has a number in the words, and no empty column.
    able = [r for r in readers if any(marks[r].get(case, " ") in "=~X" for case in cases)]
    shown = {
        panel: {label: [_sign(marks[r].get(case, " ")) for r in able] for label, case in rows.items()}
        for panel, rows in panels.items()
    }
    figure = sign_table(shown, [versions.get(r, r) for r in able], SIGNS)
    return viz.Chart.of(figure, title, _in_words(marks, readers, cases))


def _sign(mark: str) -> str:
    name = NAMES.get(mark, "absent")
    return SHOWN_AS.get(name, name)


def _in_words(marks: Marks, readers: list[str], cases: list[str]) -> str:
    """The picture for those who do not see it."""
    parts = []
    for reader in readers:
        row = "".join(marks[reader].get(case, " ") for case in cases)
        wrong = f", {row.count('X')} wrong without an error" if "X" in row else ""
        parts.append(f"{reader} {sum(row.count(MARKS[name]) for name in ('equal', 'retyped'))}{wrong}")
    return f"A table of readers and {len(cases)} arrays. How many each reads: {'; '.join(parts)}."


def versions_of(matrix: Matrix | None = None) -> dict[str, str]:
    """The name and the version of each reader of the stored matrix."""
    peers = (matrix or stored_matrix()).data["peers"]
    return {n: f"{n.removesuffix('-2')} {next(iter(peer['versions'].values()))}" for n, peer in peers.items()}
