"""The exercises of 01_03: an order of pipelines, why delta hurts a shuffle, where compression stops paying."""

from __future__ import annotations

import math
import zlib
from typing import Any

import numpy as np

from data_gen import ticks
from tutorial_zarr.gallery.exercises import Verdict, not_yet, right


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


def exercise_3(answer: Any) -> Verdict:
    """The bandwidth up to which a codec with ratio 4 that unpacks 800 MB/s makes reads faster."""
    ratio, decode = 4, 800

    def gained(bandwidth: float) -> float:
        """Seconds for a gigabyte without the codec, less those with it."""
        return 1000 / bandwidth - (1000 / ratio / bandwidth + 1000 / decode)

    is_number = isinstance(answer, (int, float, np.integer, np.floating)) and not isinstance(answer, bool)
    if not is_number or not math.isfinite(answer) or answer <= 0:
        return not_yet(f"expected a bandwidth in MB/s, found {answer!r}.")
    if abs(gained(answer)) < 1e-3:
        return right("there both take 1.67 seconds; over a thinner wire the codec wins, over a thicker one it loses.")
    if answer == decode:
        return not_yet("at 800 MB/s plain bytes arrive as fast as these unpack, and the fetch comes on top.")
    verdict = "still faster" if gained(answer) > 0 else "already slower"
    return not_yet(f"at {answer:,.0f} MB/s the read is {verdict} with the codec. Set the two times equal.")


# One plausible wrong answer each.
WRONG = {"1": ["zstd", "shuffle, zstd", "lz4"], "2": "a", "3": 800}
