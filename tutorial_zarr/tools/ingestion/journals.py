"""What journals say of the array that they belong to, and how it is found out that they do not.

A journal outlives the array: that may be made anew, or another one put in its place. So what a journal claims to be
written is looked at before anybody relies on it.
"""

from __future__ import annotations

import re
import zlib
from typing import Any

from tutorial_zarr import parallel
from tutorial_zarr.array import Array
from tutorial_zarr.errors import ConversionError, UnsupportedError

_LINE = re.compile(r"(\d+:\d+(,\d+:\d+)*)? [0-9a-f]{8}")

TAIL = 256  # bytes at the end of a stored value that are looked at: there stand checksums, a shard's index


def about(array: Array) -> dict[str, Any]:
    """Which array is meant, in JSON. Refused where a kill would take back what a journal says."""
    if array.store.holds_back:
        raise UnsupportedError(
            f"{array.label}: expected a store that keeps what is written, so that a journal can say what is done, "
            f"found {array.store!r}, which does so when it is closed; try without a journal, or write to a folder, "
            "and copy that to the zip file at the end",
            path=array.path,
        )
    place = [part if isinstance(part, (str, int)) else type(part).__name__ for part in array.store.location(array.path)]
    return {"array": array.path, "place": place}


def stamp(array: Array, region: tuple[slice, ...]) -> str:
    """A checksum of how the values end that are stored of a region of whole write units."""
    checksum = 0
    for key, _ in array.plan_write(region).touches():
        end = array.store.get(key, -TAIL)
        checksum = zlib.crc32(b"-" if end is None else b"+" + bytes(end), checksum)
    return f"{checksum:08x}"


def done(path: str, array: Array, lines: list[str]) -> dict[str, str]:
    """The keys of items that a journal names, and their stamps; refused where that is not what is stored."""
    damaged = next((line for line in lines if not _LINE.fullmatch(line)), None)
    if damaged is not None:
        raise ConversionError(
            f"journal {path!r}: expected an item and its checksum, found {damaged[:80]!r}: try another"
        )
    done = dict(line.split(" ") for line in lines)

    def differs(key: str) -> bool:
        cuts = [tuple(map(int, cut.split(":"))) for cut in key.split(",")] if key else []
        return stamp(array, tuple(slice(*cut) for cut in cuts)) != done[key]

    found = parallel.stream(differs, list(done), array.store.concurrency or parallel.get_workers(), ordered=True)
    wrong = [key for key, differing in found if differing]
    if wrong:
        raise ConversionError(
            f"journal {path!r}: expected the {len(done)} items that it names in {array.label}, found {len(wrong)} "
            f"that are not what was written, the first at {wrong[0]}: the array was made anew, or written to since; "
            "nothing was changed; try another file, with which all items are written again"
        )
    return done
