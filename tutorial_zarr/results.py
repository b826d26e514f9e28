"""Memory for large results, used again.

The first write to fresh memory costs more than the copy that makes it, as the system clears each page before. So a
large result comes from the memory of an earlier one, once nobody holds that any more: neither it nor a view of it.

>>> import numpy as np
>>> first = empty((1 << 20,), np.dtype("f8"))
>>> first.shape, first.flags.writeable
((1048576,), True)
"""

from __future__ import annotations

import math
import weakref
from typing import Any

import numpy as np

try:
    import mmap
except ImportError:  # a browser's Python may leave it out
    mmap = None  # type: ignore[assignment]

LARGE = 1 << 22  # bytes, from which a result comes from memory that is used again
MOST_SPARE = 1 << 28  # bytes of such memory that are kept while nobody has a result in them
REUSES = hasattr(mmap, "MADV_FREE") and hasattr(mmap, "MADV_HUGEPAGE")  # on Linux
_spare: list[mmap.mmap] = []  # memory of results that are gone, two at most
_lent: dict[int, tuple[weakref.ref[np.ndarray], Any]] = {}  # memory of results, each with what tells when it is gone


def empty(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """As `np.empty`; a large one in the memory of an earlier result, if nobody holds that any more.

    The first write to fresh memory costs more than a copy. What is kept is marked as free to take, so the system takes
    it where it needs some; and what does not suit the next large result is given back first, so that no more is held
    than without. A forked child has a copy of its own.
    """
    nbytes = math.prod(shape) * dtype.itemsize
    if nbytes < LARGE or dtype.hasobject or not REUSES:
        return np.empty(shape, dtype)
    memory = _spare.pop() if _spare else None  # one step each: another thread, or the end of a result, may come between
    if memory is None or not nbytes <= len(memory) <= nbytes + nbytes // 8:
        memory = None
        _spare.clear()
        try:
            memory = mmap.mmap(-1, nbytes, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            memory.madvise(mmap.MADV_HUGEPAGE)
        except OSError:  # a kernel without huge pages, or no memory, as `np.empty` then says
            return np.empty(shape, dtype)
    whole = np.frombuffer(memory, np.uint8)  # all views have it as their base
    gone = weakref.ref(whole, _end_result)
    _lent[id(gone)] = gone, memory
    return whole[:nbytes].view(dtype).reshape(shape)


def _end_result(gone: weakref.ref[np.ndarray]) -> None:
    """Keep the memory of a result that nobody holds any more."""
    memory = _lent.pop(id(gone))[1]
    if len(memory) + sum(map(len, _spare)) <= MOST_SPARE and len(_spare) < 2:
        memory.madvise(mmap.MADV_FREE)
        _spare.append(memory)
