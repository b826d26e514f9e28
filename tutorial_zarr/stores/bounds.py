"""How large a value may be that this thread reads next: asked before its bytes are taken, not afterwards.

Who knows what a value is for says how large it can be; the store that knows its size, or counts what comes, compares.
It goes around the arguments of `get`, as every wrapper between the two would have to pass it on.

>>> from tutorial_zarr.errors import LimitError
>>> with at_most(10, lambda key, size: LimitError(f"{key}: {size} bytes")):
...     check_size("a", 11)
Traceback (most recent call last):
tutorial_zarr.errors.LimitError: a: 11 bytes
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

Refusal = Callable[[str, int], Exception]  # key, size -> what to raise


Bound = tuple[int, Refusal | None]


class _Here(threading.local):
    bound: Bound = (sys.maxsize, None)


here = _Here()  # the bound of this thread; who counts microseconds sets it, and then the one before again


class at_most:  # noqa: N801 - it is used as a function; as a generator it would cost each read four calls more
    """Let this thread read no value of more than `nbytes` in a `with` block; ``refusal(key, size)`` is raised."""

    __slots__ = ("before", "now")

    def __init__(self, nbytes: int, refusal: Refusal | None) -> None:
        self.now: Bound = (nbytes, refusal)

    def __enter__(self) -> None:
        self.before, here.bound = here.bound, self.now

    def __exit__(self, *exception: object) -> None:
        here.bound = self.before


def carried(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`function` with the bound of this thread, for other threads to call."""
    nbytes, refusal = here.bound
    if refusal is None:
        return function

    def bounded(argument: Any) -> Any:
        with at_most(nbytes, refusal):
            return function(argument)

    return bounded


def room() -> int:
    """The bytes that a value may have now."""
    return here.bound[0]


def check_size(key: str, size: int) -> None:
    """Raise where a value of `size` bytes, or more, is larger than it can be."""
    most, refusal = here.bound
    if size > most and refusal is not None:
        raise refusal(key, size)
