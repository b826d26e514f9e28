"""The exercises of 01_05: a byte order that is told wrong, an array for older readers, bits, axes put back."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

import numpy as np

import tutorial_zarr as zarr
from tutorial_zarr.errors import ZarrError
from tutorial_zarr.gallery.exercises import Verdict, not_yet, on_cases, recognised, right
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
        return right("so a writer that decides with == leaves out a -0.0 that was written, and stores every NaN.")
    if given[0] == "b":
        return not_yet("NaN == NaN is False, whatever its bits are.")
    if given[1] == "a":
        return not_yet("0.0 and -0.0 differ in one bit, the first.")
    return not_yet("try it: np.array([0.0]).tobytes() == np.array([-0.0]).tobytes()")


def _stored(raw: bytes, shape: tuple[int, ...], order: tuple[int, ...]) -> Any:
    return np.frombuffer(raw, "<i4").reshape([shape[axis] for axis in order])


def _by_order(raw: bytes, shape: tuple[int, ...], order: tuple[int, ...]) -> Any:
    return _stored(raw, shape, order).transpose(order)


def _not_at_all(raw: bytes, shape: tuple[int, ...], order: tuple[int, ...]) -> Any:
    return np.frombuffer(raw, "<i4").reshape(shape)


def _as_stored(raw: bytes, shape: tuple[int, ...], order: tuple[int, ...]) -> Any:
    return _stored(raw, shape, order)


def _reversed(raw: bytes, shape: tuple[int, ...], order: tuple[int, ...]) -> Any:
    return _stored(raw, shape, order).transpose()


# What goes wrong most often, and what to say then.
UNDONE = {
    _by_order: "it is right for two axes. For three, doing (2, 0, 1) a second time gives (1, 2, 0), and not the start.",
    _not_at_all: "it takes the elements as if they lay in the order of `shape`. They lie in the order of `order`.",
    _as_stored: "the axes are still in the order in which they were stored. Who brings them back?",
    _reversed: "it turns all axes round, whatever `order` says. Try an order that leaves an axis in its place.",
}


def exercise_4(answer: Any) -> Verdict:
    """A function that brings the axes of a stored chunk back into their order."""
    cases: list[Any] = []
    for shape in ((5,), (2, 3), (3, 3), (2, 3, 4), (4, 1, 2), (2, 0, 3), (2, 3, 2, 5)):
        values = np.arange(math.prod(shape), dtype="<i4").reshape(shape)
        orders = itertools.permutations(range(len(shape)))
        cases += [((values.transpose(order).tobytes(), shape, order), values) for order in orders]
    wrong = on_cases(answer, cases)
    if wrong is None:
        return right(f"{len(cases)} chunks of one to four axes, each in every order, came back as they were.")
    mistakes = {words: [(given, mistake(*given)) for given, _ in cases] for mistake, words in UNDONE.items()}
    return not_yet(recognised(answer, mistakes) or wrong)


# One plausible wrong answer each.
WRONG = {"1": 1, "2": {"dtype": "uint8"}, "3": ("b", "b"), "4": _by_order}
