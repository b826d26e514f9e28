r"""A manifest of hashes: what a store holds, to be compared with later, or with a copy elsewhere.

A line for each key, as ``sha256sum`` writes it, so that ``sha256sum --check FILE`` verifies a folder without this
library. It notices what no codec can: changed bits where there is no checksum, chunks that changed places,
values that were deleted.

>>> from tutorial_zarr.stores import MemoryStore
>>> print(*lines(MemoryStore({"a": b"1"})), sep="\n")
6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b  a
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from tutorial_zarr import parallel
from tutorial_zarr.errors import MetadataError, ZarrError
from tutorial_zarr.progress import Progress, follow
from tutorial_zarr.stores import Store

from .report import Report

PIECE = 1 << 24  # values are hashed so many bytes at a time


def digest(store: Store, key: str) -> str | None:
    """The SHA-256 of a value; None where there is none."""
    size = store.get_size(key)
    if size is None:
        return None
    total = hashlib.sha256()
    for start in range(0, size, PIECE):
        piece = store.get(key, (start, min(start + PIECE, size)) if size > PIECE else None)
        if piece is None:
            return None
        total.update(piece)
    return total.hexdigest()


def lines(store: Store, path: str = "", jobs: int = 1) -> Iterator[str]:
    """The lines of a manifest, in the order of the store's listing."""
    for key, found in parallel.stream(lambda key: digest(store, key), store.list_prefix(path), jobs):
        if found is not None:
            yield line(found, key)


def line(found: str, key: str) -> str:
    """One line. A key with a line feed or a backslash is escaped, and the line then begins with a backslash."""
    name = key.replace("\\", "\\\\").replace("\n", "\\n")
    return f"{'' if name == key else chr(92)}{found}  {name}"


def parse(text: Iterable[str], where: str = "manifest") -> dict[str, str]:
    r"""Key -> hash, of the lines of a manifest.

    >>> parse([line("0" * 64, "a\nb")]) == {"a\nb": "0" * 64}
    True
    """
    entries = {}
    for number, row in enumerate(text, 1):
        row = row.rstrip("\n")
        found, gap, name = row.lstrip("\\")[:64], row.lstrip("\\")[64:66], row.lstrip("\\")[66:]
        if gap != "  " or not name or set(found) - set("0123456789abcdef"):
            raise MetadataError(f"{where}, line {number}: expected a SHA-256 and a key, found {row[:80]!r}", key=where)
        if row.startswith("\\"):
            name = "".join({"\\n": "\n", "\\\\": "\\"}.get(part, part) for part in _escapes(name))
        entries[name] = found
    return entries


def _escapes(name: str) -> Iterator[str]:
    at = 0
    while at < len(name):
        width = 2 if name[at] == "\\" else 1
        yield name[at : at + width]
        at += width


def write_manifest(
    store: Store, file: str | os.PathLike[str], path: str = "", jobs: int = 1, progress: Progress = None
) -> int:
    """Write the manifest of all keys below `path` to `file`; returns how many there are. The file is written whole."""
    place, count = Path(file), 0
    temporary = place.with_name(place.name + ".partial")
    with temporary.open("w", encoding="utf-8", newline="\n") as out:
        for row in follow(lines(store, path, jobs), progress, "hashing", unit="keys"):
            out.write(row + "\n")
            count += 1
    temporary.replace(place)
    return count


def verify(
    store: Store,
    file: str | os.PathLike[str],
    path: str = "",
    jobs: int = 1,
    progress: Progress = None,
) -> Report:
    """Compare a store with a manifest: values that changed, that are missing, that came since."""
    with Path(file).open(encoding="utf-8", newline="\n") as rows:
        expected = parse(rows, str(file))
    report = Report(repr(store), path, chunks=False)

    def look(key: str) -> str:
        try:
            return digest(store, key) or ""
        except (ZarrError, OSError) as error:
            return f"! {error}"

    pairs = parallel.stream(look, store.list_prefix(path), jobs, ordered=False)
    for key, found in follow(pairs, progress, "verifying", len(expected), "keys"):
        report.keys += 1
        wanted = expected.pop(key, None)
        if found.startswith("! "):
            report.add("unreadable", key, found[2:])
        elif wanted is None:
            report.add("unlisted", key, "found a value that the manifest does not list")
        elif wanted != found:
            report.add("changed", key, f"expected the SHA-256 {wanted}, found {found or 'nothing'}")
    for key in expected:
        report.add("missing", key, "expected a value, as the manifest lists one, found none")
    return report
