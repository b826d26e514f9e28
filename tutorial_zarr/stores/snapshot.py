"""Several reads of one value that must belong together: a shard's index, and then the chunks that it names.

If another writer replaces the value in between, they do not. So a store that can do so keeps reading from the value
that it read first: a file that stays open, an entry of a zip file, a transaction. A store whose answers carry tags
compares them and raises ReplacedError; the caller then starts over.

>>> from tutorial_zarr.stores import MemoryStore
>>> store = MemoryStore({"a": b"12345"})
>>> with store.snapshot("a") as value:
...     first = value.get((0, 2))
...     store.set("a", b"abcde")
...     first, value.get_ranges([(2, 5)])
(b'12', [b'345'])
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tutorial_zarr import parallel
from tutorial_zarr.errors import ReplacedError

from . import bounds

ByteRange = Any  # tuple[int, int | None] | int | None
REQUESTS = 10  # for ranges of one value, sent at the same time


class Snapshot:
    """Reads of one value. This one asks the store each time: it is for stores whose values nobody else replaces."""

    isolated = False  # whether what it reads belongs together even if others write

    def __init__(self, store: Any, key: str) -> None:
        self.store, self.key = store, key

    def get(self, byte_range: ByteRange) -> Any:
        """The bytes of a range, from now on of this state of the value; None where there is no such key."""
        return self.store.get(self.key, byte_range)

    def get_ranges(self, ranges: Sequence[ByteRange]) -> list[Any]:
        """Several ranges of the same state of the value."""
        return self.store.get_ranges(self.key, ranges)

    def close(self) -> None:
        """Let go of the value."""

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class TaggedSnapshot(Snapshot):
    """For a store whose `get_part` tells the tag of the value that a range is of, such as an ETag."""

    tag: Any = None

    @property
    def isolated(self) -> bool:  # type: ignore[override]
        return self.tag is not None

    def get(self, byte_range: ByteRange) -> Any:
        value, self.tag = self.store.get_part(self.key, byte_range)
        return value

    def get_ranges(self, ranges: Sequence[ByteRange]) -> list[Any]:
        if self.tag is None:
            return super().get_ranges(ranges)
        same = bounds.carried(self._same)
        return [value for _, value in parallel.stream(same, ranges, min(len(ranges), REQUESTS))]

    def _same(self, byte_range: ByteRange) -> Any:
        value, tag = self.store.get_part(self.key, byte_range)
        if value is not None and tag is None:  # an answer that the range lies beyond the end carries none
            _, tag = self.store.get_part(self.key, (0, 0))
        if value is None or tag != self.tag:
            raise ReplacedError(
                f"key {self.key!r} in {self.store!r}: expected the value whose tag was {self.tag}, found "
                f"{'none' if value is None else tag}",
                key=self.key,
            )
        return value
