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


class _Bound(threading.local):
    now: Bound = (sys.maxsize, None)


_bound = _Bound()


def change_bound(bound: Bound) -> Bound:
    """Set this thread's bound, and return the one before, to be set again. `at_most` for who counts microseconds."""
    before, _bound.now = _bound.now, bound
    return before


class at_most:  # noqa: N801 - it is used as a function; as a generator it would cost each read four calls more
    """Let this thread read no value of more than `nbytes` in a `with` block; ``refusal(key, size)`` is raised."""

    __slots__ = ("before", "now")

    def __init__(self, nbytes: int, refusal: Refusal) -> None:
        self.now: Bound = (nbytes, refusal)

    def __enter__(self) -> None:
        self.before = change_bound(self.now)

    def __exit__(self, *exception: object) -> None:
        _bound.now = self.before


def carried(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`function` with the bound of this thread, for other threads to call."""
    nbytes, refusal = _bound.now
    if refusal is None:
        return function

    def bounded(argument: Any) -> Any:
        with at_most(nbytes, refusal):
            return function(argument)

    return bounded


def room() -> int:
    """The bytes that a value may have now."""
    return _bound.now[0]


def check_size(key: str, size: int) -> None:
    """Raise where a value of `size` bytes, or more, is larger than it can be."""
    most, refusal = _bound.now
    if size > most and refusal is not None:
        raise refusal(key, size)
