"""The exercises of 01_03: an order of pipelines, why delta hurts a shuffle, a pipeline to undo."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from data_gen import ticks
from tutorial_zarr.gallery.exercises import Verdict, not_yet, on_cases, right


def _left(shares: np.ndarray, cname: str, shuffle: int) -> int:
    """Bytes that Blosc leaves of all columns, each a chunk of its own."""
    import numcodecs

    codec = numcodecs.Blosc(cname, 3, shuffle)
    return sum(len(codec.encode(np.ascontiguousarray(column))) for column in shares.T)


def exercise_1(answer: Any) -> Verdict:
    """Three pipelines for the sizes of trades, the smallest first."""
    sizes = ticks.make("small").arrays["size"]
    pipelines = {"lz4": ("lz4", 0), "zstd": ("zstd", 0), "shuffle, zstd": ("zstd", 1)}
    if not isinstance(answer, (list, tuple)) or not all(isinstance(name, str) for name in answer):
        return not_yet(f"expected a list of three names, found {answer!r}.")
    if sorted(answer) != sorted(pipelines):
        return not_yet(f"expected each of {', '.join(map(repr, pipelines))} once, found {list(answer)}.")
    left = {name: _left(sizes, *pipeline) for name, pipeline in pipelines.items()}
    if list(answer) == sorted(left, key=left.__getitem__):
        return right(", ".join(f"{name} leaves {left[name] / sizes.nbytes:.0%}" for name in answer) + ".")
    if list(answer) == ["zstd", "shuffle, zstd", "lz4"]:
        return not_yet("so it is for prices in dollars, which repeat as a whole. Do sizes?")
    if answer[0] == "lz4":
        return not_yet("lz4 is the fastest of the three, as it searches least. It is seldom the smallest.")
    return not_yet("zstd searches longer than lz4 in the same bytes. And what does the shuffle do to the zeros?")


def exercise_2(answer: Any) -> Verdict:
    """Why delta and a byte shuffle leave more than the byte shuffle alone, on prices in cents."""
    cents = np.rint(ticks.make("small").arrays["price"][:, 0] * 100).astype("<i4")
    difference = np.diff(cents, prepend=np.int32(0)).astype("<i4")

    def left(values: np.ndarray) -> int:
        return len(zlib.compress(values.view("u1").reshape(-1, 4).T.tobytes(), 5))

    # The same differences without a sign: 0, -1, 1, -2, 2 as 0, 1, 2, 3, 4. Now the upper bytes stay zero.
    unsigned = ((difference << 1) ^ (difference >> 31)).astype("<i4")
    if answer == "b" and left(unsigned) < left(difference):
        share = f"{left(difference):,} bytes with the sign, {left(unsigned):,} bytes when it is folded away"
        return right(f"{share}; and {left(cents):,} without delta.")
    if answer == "a":
        smaller = float(np.mean(np.abs(difference[1:]) < cents[1:]))
        return not_yet(f"{smaller:.0%} of the differences are smaller than the prices. Look at their bytes.")
    if answer == "c":
        return not_yet(f"there are {difference.size:,} differences of {cents.size:,} prices, in as many bytes.")
    return not_yet('expected one of the letters "a", "b" and "c". Look at the bytes of 1 and of -1.')


# What is done to the bytes of int32 values when they are written.
STEPS: dict[str, Callable[[bytes], bytes]] = {
    "delta": lambda data: np.diff(np.frombuffer(data, "<i4"), prepend=np.int32(0)).astype("<i4").tobytes(),
    "shuffle": lambda data: np.frombuffer(data, "u1").reshape(-1, 4).T.tobytes(),
    "gzip": lambda data: zlib.compress(data, 5, wbits=31),
}


def exercise_3(answer: Any) -> Verdict:
    """The function that undoes a pipeline."""
    small, wide = np.arange(3000, 3040, 2, dtype="<i4"), np.array([-(2**31), 2**31 - 1, 5, -7], "<i4")
    cases = [((_written(small, steps), steps), small) for steps in _pipelines()]
    said = on_cases(answer, cases)
    if said:
        forwards = on_cases(lambda data, steps: answer(data, steps[::-1]), cases) is None
        return not_yet("that walks the list forwards. What was done last is undone first." if forwards else said)
    if on_cases(answer, [((_written(wide, ["delta"]), ["delta"]), wide)]):
        return not_yet("right for small differences. For large ones the sums leave int32; give `np.cumsum` a dtype.")
    return right(f"{len(cases) + 1} pipelines undone, each from its last step to its first.")


def _pipelines() -> list[list[str]]:
    return [[], ["gzip"], ["shuffle"], ["shuffle", "gzip"], ["delta"], ["delta", "shuffle", "gzip"], ["gzip", "gzip"],
            ["delta", "delta", "gzip"]]  # fmt: skip


def _written(values: np.ndarray, steps: Sequence[str]) -> bytes:
    data = values.tobytes()
    for step in steps:
        data = STEPS[step](data)
    return data


def _forwards(data: bytes, pipeline: Sequence[str]) -> np.ndarray:
    """A plausible mistake: the steps are undone in the order in which they were done."""
    for step in pipeline:
        if step == "gzip":
            data = zlib.decompress(data, wbits=31)
        elif step == "shuffle":
            data = np.frombuffer(data, "u1").reshape(4, -1).T.tobytes()
        else:
            data = np.cumsum(np.frombuffer(data, "<i4"), dtype="<i4").tobytes()
    return np.frombuffer(data, "<i4")


# One plausible wrong answer each.
WRONG = {"1": ["zstd", "shuffle, zstd", "lz4"], "2": "a", "3": _forwards}
