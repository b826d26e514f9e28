"""Codecs that are not the specification's own: those of its registry of extensions, and numcodecs'.

Nothing of the format rests on them; read what you meet. What the lossy ones have in common is in `rounding`, what they
refuse to lose in `checked`.
"""

from . import (
    bitround,
    cast,
    checked,
    conditional,
    in_numpy,
    n5,
    numcodecs_engines,
    numcodecs_filters,
    packbits,
    reshape,
    rounding,
    scale_offset,
    strings,
    zfp,
)

__all__ = [
    "bitround",
    "cast",
    "checked",
    "conditional",
    "in_numpy",
    "n5",
    "numcodecs_engines",
    "numcodecs_filters",
    "packbits",
    "reshape",
    "rounding",
    "scale_offset",
    "strings",
    "zfp",
]
