"""The exercises of 01_05: a byte order that is told wrong, an array for older readers, equality of bits."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

import tutorial_zarr as zarr
from tutorial_zarr.errors import ZarrError
from tutorial_zarr.gallery.exercises import Verdict, not_yet, right
from tutorial_zarr.interop.lint import lint

READERS = ["gdal", "netcdf-c", "z5py"]


def exercise_1(answer: Any) -> Verdict:
    """What the 1 of a big-endian int32 array is when its document says little."""
    a = zarr.create_array({}, data=np.array([1], ">i4"), dtype=">i4", compressors=None, zarr_format=3)
    document = json.loads(a.store.get("zarr.json"))
    document["codecs"][0]["configuration"]["endian"] = "little"
    a.store.set("zarr.json", json.dumps(document).encode())
    found = int(zarr.open_array(a.store, mode="r", zarr_format=3)[0])
    if isinstance(answer, bool) or not isinstance(answer, (int, np.integer)):
        return not_yet(f"expected a whole number, found {answer!r}.")
    if answer == found:
        return right(f"{found:,}, and no reader can know that it is wrong.")
    if answer == 1:
        return not_yet("the bytes on the disk stay 00 00 00 01. Which of them counts most now?")
    return not_yet("write the four bytes down, and read them as a number from right to left.")


def exercise_2(answer: Any) -> Verdict:
    """Keywords with which GDAL, netCDF-C and z5py read a bool array with gzip."""
    if not isinstance(answer, dict) or not answer:
        return not_yet(f"expected a dict of keywords, found {answer!r}.")
    try:
        a = zarr.create_array({}, **{"shape": (4, 6), "dtype": "bool", "compressors": "gzip", **answer})
    except (ZarrError, TypeError, ValueError) as error:
        return not_yet(f"that array cannot be made: {error}")
    if not np.can_cast(bool, a.dtype, "safe"):
        return not_yet(f"{a.dtype} does not hold True and False as numbers.")
    if a.shape != (4, 6):
        return not_yet(f"the shape should stay (4, 6), found {a.shape}.")
    left = [f for f in lint(a.store, READERS) if f.outcome != "untested"]
    if not left:
        return right(f"Zarr {a.zarr_format}, {a.dtype}: {', '.join(READERS)} read it.")
    return not_yet(f"{left[0].reader} does not read {' with '.join(left[0].elements)}. What would it read?")


def exercise_3(answer: Any) -> Verdict:
    """Which pair is equal for ``==``, and which byte by byte."""
    bits = np.array([0x7FF8 << 48, (0x7FF8 << 48) + 1], "u8").view("f8")
    pairs = {"a": np.array([0.0, -0.0]), "b": bits[[0, 0]], "c": bits}
    by_value = [name for name, (x, y) in pairs.items() if x == y]
    by_bytes = [name for name, (x, y) in pairs.items() if x.tobytes() == y.tobytes()]
    if not isinstance(answer, (tuple, list)) or len(answer) != 2 or not all(isinstance(x, str) for x in answer):
        return not_yet(f"expected two letters, found {answer!r}.")
    given = [x.strip().lower() for x in answer]
    if given == [*by_value, *by_bytes]:
        return right("so a writer that decides with == leaves out a -0.0 that somebody wrote, and stores every NaN.")
    if given[0] == "b":
        return not_yet("NaN == NaN is False, whatever its bits are.")
    if given[1] == "a":
        return not_yet("0.0 and -0.0 differ in one bit, the first.")
    return not_yet("try it: np.array([0.0]).tobytes() == np.array([-0.0]).tobytes()")


# One plausible wrong answer each.
WRONG = {"1": 1, "2": {"dtype": "uint8"}, "3": ("b", "b")}
