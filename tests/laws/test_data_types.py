"""The laws of a data type, for every one in the registry and the patterns beside it.

A type that is registered and not listed here fails a test.
"""

import pytest

from tutorial_zarr import dtypes
from tutorial_zarr.testing import DataTypeLaws

NAMES = dtypes.names()  # at import, before any other test has registered its own
UNITS = [("ns", 1), ("D", 25), ("μs", 3), ("generic", 1)]
FIELDS = [
    {"name": "id", "data_type": "int16"},
    {"name": "x", "data_type": "complex64"},
    {"name": "t", "data_type": {"name": "numpy.datetime64", "configuration": {"unit": "s", "scale_factor": 10}}},
    {"name": "at", "data_type": {"name": "struct", "configuration": {"fields": [{"name": "b", "data_type": "bool"}]}}},
]
CONFIGURED = {
    "fixed_length_utf32": [{"length_bytes": 4}, {"length_bytes": 12}],
    "null_terminated_bytes": [{"length_bytes": 3}],
    "numpy.datetime64": [{"unit": unit, "scale_factor": scale} for unit, scale in UNITS],
    "numpy.timedelta64": [{"unit": unit, "scale_factor": scale} for unit, scale in UNITS],
    "raw_bytes": [{"length_bytes": 3}],
    "struct": [{"fields": FIELDS}],
    "structured": [{"fields": FIELDS}],
}


class TestDataTypes(DataTypeLaws):
    data_types = [
        *[name for name in NAMES if name not in CONFIGURED],
        *[{"name": name, "configuration": each} for name, configured in CONFIGURED.items() for each in configured],
        *("r8", "r24", "r64"),
    ]
    values = {"null_terminated_bytes": [b"a", b"", b"abc", b"a\0b"]}

    def elements(self, data_type):
        if "float" in data_type.name or "int2" in data_type.name or "int4" in data_type.name:
            pytest.importorskip("ml_dtypes", reason="the package ml_dtypes is not installed")
        return super().elements(data_type)


def test_every_registered_data_type_is_under_the_law():
    listed = {d if isinstance(d, str) else d["name"] for d in TestDataTypes.data_types}
    assert listed >= set(NAMES)
