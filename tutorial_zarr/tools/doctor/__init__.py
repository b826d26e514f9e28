"""The doctor: holds every document and every chunk of a store against the format, and names what is wrong.

    examine          the report on a store: faults, each with its key, its likely cause and its repair
    census           the present and absent chunks of one array
    write_manifest   the hashes of all values, for `verify` to compare with later
    repair           what is safe to repair, when asked
    misread          what common readers take otherwise than it was meant, and what cures it

It uses nothing of a store but its interface, so folders, zip files and buckets are examined alike; it holds a few
chunks at a time, and goes on after a fault. What cannot be noticed is said: a report's notes name the arrays whose
codecs hold no checksum.

>>> from tutorial_zarr.stores import MemoryStore
>>> import tutorial_zarr as zarr
>>> store = MemoryStore()
>>> a = zarr.create_array(store, shape=(4,), chunks=(2,), dtype="u1", compressors=None)
>>> a[:] = 7
>>> store.set("c/1", b"7")
>>> [(fault.rule, fault.key, fault.problem) for fault in examine(store).faults]
[('wrong-size', 'c/1', 'expected 2 bytes, found 1')]
"""

from __future__ import annotations

from typing import Any

from tutorial_zarr import parallel
from tutorial_zarr.nodes import normalize_path
from tutorial_zarr.progress import Progress, meter
from tutorial_zarr.stores import make_store

from .census import Census, census
from .hierarchy import Examination
from .manifest import verify, write_manifest
from .repair import Action, repair
from .report import RULES, ArrayRow, Fault, Report

__all__ = [
    "RULES",
    "Action",
    "ArrayRow",
    "Census",
    "Fault",
    "Report",
    "census",
    "examine",
    "repair",
    "verify",
    "write_manifest",
]


def examine(
    store: Any,
    path: str = "",
    *,
    chunks: bool = True,
    jobs: int | None = None,
    progress: Progress = None,
    storage_options: dict[str, Any] | None = None,
) -> Report:
    """Examine the node at `path` and all below it.

    `chunks=False` looks at documents and keys alone. `jobs` chunks are decoded at once: by default as many as the
    store or the processors bear. `progress` is as everywhere; a step is a key, and their number is not known before.
    """
    opened = make_store(store, "r", storage_options)
    report = Report(repr(opened), normalize_path(path), chunks=chunks)
    in_flight = jobs or opened.concurrency or parallel.get_workers()
    with meter(progress, None, "examining", "keys") as advance:
        Examination(opened, report, chunks, in_flight, advance).run(report.path)
    return report
