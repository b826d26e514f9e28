"""The exercises of 01_04: documents of a dataset, differences of a copy, chunks when the format changes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

import tutorial_zarr as zarr
from tutorial_zarr.gallery.exercises import Verdict, not_yet, right
from tutorial_zarr.stores import TraceStore


def _whole(answer: Any) -> bool:
    return isinstance(answer, (int, np.integer)) and not isinstance(answer, bool)


def exercise_1(answer: Any) -> Verdict:
    """GETs of a walk over 3 groups and 10 arrays in v3."""
    root = zarr.open_group({}, mode="w", zarr_format=3)
    names = [f"g{k % 3}/a{k}" for k in range(10)]
    for name in ("g0", "g1", "g2"):
        root.create_group(name)
    for name in names:
        root.create_array(name, shape=(2,), dtype="uint8")
    trace = TraceStore(root.store)
    opened = zarr.open_group(trace, mode="r", zarr_format=3)
    seen = sum(1 for _, group in opened.groups() for _ in group.arrays())
    if not _whole(answer):
        return not_yet(f"expected a whole number of requests, found {answer!r}.")
    if answer == trace.count("GET"):
        return right(f"{answer} documents, for {seen} arrays; and {trace.count('LIST')} lists come on top.")
    if answer == 3 + 10:
        return not_yet("these are the nodes below the root. Where does a reader begin?")
    if answer == 10:
        return not_yet("these are the arrays. Groups have documents as well.")
    return not_yet("draw the tree, and count its nodes.")


def exercise_2(answer: Any) -> Verdict:
    """Nodes in which a copy differs after one was deleted, one added, one changed."""
    root = zarr.open_group({}, mode="w", zarr_format=3)
    for name in "abc":
        root.create_array(name, shape=(2,), dtype="uint8")
    zarr.consolidate_metadata(root.store)
    copy = root.store.get("zarr.json")
    now = zarr.open_group(root.store, mode="r+", zarr_format=3, use_consolidated=False)
    del now["b"]
    now.create_array("d", shape=(2,), dtype="uint8")
    now["c"].attrs["units"] = "K"
    root.store.set("zarr.json", copy)  # another program would have left it as it was
    found = sorted(difference.path for difference in zarr.consolidated_differences(root.store))
    if not _whole(answer):
        return not_yet(f"expected a whole number of nodes, found {answer!r}.")
    if answer == len(found):
        return right(f"they are {', '.join(found)}.")
    if answer == 1:
        return not_yet("the new one is not in the copy. But is all that is in the copy still true?")
    return not_yet("go through a, b, c and d: what does the copy say, and what does the store?")


def exercise_3(answer: Any) -> Verdict:
    """Chunks that have to be written anew when an array of 100 chunks goes from v2 to v3 by its document."""
    values = np.arange(100, dtype="int32")
    gzip5 = {"name": "gzip", "configuration": {"level": 5}}
    old = zarr.create_array({}, data=values, chunks=(1,), compressors=gzip5, zarr_format=2)
    encoding = {"name": "v2", "separator": "."}
    new = zarr.create_array({}, data=values, chunks=(1,), compressors=gzip5, chunk_key_encoding=encoding, zarr_format=3)
    document = json.loads(new.store.get("zarr.json"))
    keys = [old.chunk_key(coords) for coords in np.ndindex(old.cdata_shape)]
    changed = sum(old.store.get(key) != new.store.get(key) for key in keys)
    old.store.set("zarr.json", json.dumps(document).encode())
    same = np.array_equal(zarr.open_array(old.store, mode="r", zarr_format=3)[...], values)
    if not _whole(answer):
        return not_yet(f"expected a whole number of chunks, found {answer!r}.")
    if same and answer == changed:
        return right(f"{changed} of {len(keys)}: the same bytes under the same keys, and a new document.")
    return not_yet("where would the bytes of a chunk say which format they belong to?")


# One plausible wrong answer each.
WRONG = {"1": 13, "2": 1, "3": 100}
