"""What an epoch reads and holds, worked out before it runs: made by ``loader.plan()``."""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

from tutorial_zarr.array import Array
from tutorial_zarr.plan import ReadPlan
from tutorial_zarr.stores.wrappers import WrapperStore
from tutorial_zarr.words import count, size_text


class EpochPlan(NamedTuple):
    """The cost of one epoch of a loader, or of its part. The arrays' documents, read twice for each, are not in it."""

    rows: int  # rows that the batches hold
    batches: int
    reads: int  # units, or of a full shuffle batches, each read by itself
    requests: int  # to the stores, for chunks; where `exact` is false, the most that it may take
    exact: bool
    nbytes: int  # bytes of the rows in memory
    decoded_bytes: int | None  # bytes that the decoders make; None for elements without a fixed size
    stored_bytes: int | None  # bytes that come from the stores; None unless they were asked (`look`)
    memory_bytes: int  # bytes of rows that are held at the same time, at most

    @property
    def amplification(self) -> float | None:
        """Bytes decoded for each byte that a batch holds."""
        return None if self.decoded_bytes is None or not self.nbytes else self.decoded_bytes / self.nbytes

    def explain(self) -> str:
        """All of it in words."""
        stored = "" if self.stored_bytes is None else f" for {size_text(self.stored_bytes)}"
        requests = ("" if self.exact else "at most ") + count(self.requests, "requests")
        lines = [
            f"{count(self.rows, 'rows')} in {count(self.batches, 'batches')}, {size_text(self.nbytes)} in memory.",
            f"{count(self.reads, 'reads')}: {requests}{stored}.",
            f"At most {size_text(self.memory_bytes)} of rows are held at the same time.",
        ]
        if self.amplification is not None:
            many = f"{self.amplification:,.3g} times what the batches hold"
            lines.insert(2, f"{size_text(self.decoded_bytes or 0)} are decoded, {many}.")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.explain()


def row_bytes(array: Any) -> int:
    """Bytes of one row of an array in memory; for text and objects those of the references alone."""
    return int(array.dtype.itemsize) * math.prod(array.shape[1:])


def remembering(array: Array) -> Array:
    """The same array, whose store is asked once only for each size, and once for each index of a shard."""
    store = WrapperStore(array.store)
    store.get_size = functools.cache(array.store.get_size)  # type: ignore[method-assign]
    store.get = functools.cache(array.store.get)  # type: ignore[method-assign]
    return array.at(store, array.path)


class Bill:
    """Adds up the plans of many reads."""

    def __init__(self, look: bool) -> None:
        self.requests, self.exact = 0, True
        self.decoded: int | None = 0
        self.stored: int | None = 0 if look else None

    def add(self, plan: ReadPlan) -> None:
        """One read more."""
        self.requests += plan.requests
        self.exact = self.exact and plan.exact
        self.decoded = None if self.decoded is None or plan.decoded_bytes is None else self.decoded + plan.decoded_bytes
        if self.stored is not None:
            self.stored += plan.stored_bytes or 0
