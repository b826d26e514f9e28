"""Other layouts and other formats.

`rechunk` writes an array anew: `plan` works out how within a memory budget, `rechunking` does it. `to_v3` and `to_v2`
change the format of a hierarchy (`migrate`), with documents alone where chunks can stay; `formats` says what becomes
of one node's metadata.
"""

from .migrate import ConversionPlan, NodePlan, convert, remove_metadata, to_v2, to_v3
from .plan import RechunkPlan
from .rechunking import content_hash, rechunk

__all__ = [
    "ConversionPlan",
    "NodePlan",
    "RechunkPlan",
    "content_hash",
    "convert",
    "rechunk",
    "remove_metadata",
    "to_v2",
    "to_v3",
]
