"""Data types: numpy dtype, v2 typestr, v3 name, and fill values as JSON.

Read in this order: `base` (what a data type is), `numbers`, `times`, `text`, `records`, `v2`.

>>> from_json("float32").fill_from_json("0x7fc00001").view("u4").item() == 0x7FC00001
True
"""

from . import numbers, records, text, times, v2
from .base import DataType, from_json, names, register
from .v2 import from_numpy, from_v2, to_v2

__all__ = [
    "DataType",
    "from_json",
    "from_numpy",
    "from_v2",
    "names",
    "numbers",
    "records",
    "register",
    "text",
    "times",
    "to_v2",
    "v2",
]
