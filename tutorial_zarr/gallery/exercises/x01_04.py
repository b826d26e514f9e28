"""The exercises of 01_04: differences of a copy, chunks when the format changes, a way through a copy."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any

import numpy as np

import tutorial_zarr as zarr
from tutorial_zarr.gallery.exercises import Verdict, not_yet, on_cases, recognised, right


def _whole(answer: Any) -> bool:
    return isinstance(answer, (int, np.integer)) and not isinstance(answer, bool)


def exercise_1(answer: Any) -> Verdict:
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


def exercise_2(answer: Any) -> Verdict:
    """Chunks that have to be written again when an array of 100 chunks goes from v2 to v3 by its document."""
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


COPY = ("a", "a/x", "a/x/deep", "a/b", "ab", "ab/x", "b", "b/a", "b/a/x", "b/a/ab", "z")  # groups and arrays


def exercise_3(answer: Any) -> Verdict:
    """The function that finds the children of a node in a copy of all documents."""
    copy = {path: {"zarr_format": 3, "node_type": "group"} for path in COPY[::-1]}
    paths = ("a", "b/a", "", "ab", "z", "a/x")
    wanted = {path: sorted(PurePosixPath(node).name for node in COPY if _parent(node) == path) for path in paths}
    said = on_cases(answer, [((copy, path), names) for path, names in wanted.items()])
    if said is None:
        return right(f"{len(paths)} nodes of a copy of {len(COPY)}, the root and `a` beside `ab` among them.")
    mistakes = {
        "you return whole paths. A name is what stands behind the last slash.": [
            ((copy, path), sorted(node for node in COPY if _parent(node) == path)) for path in paths
        ],
        "`ab` begins with `a`, and does not lie in it. Compare the parent, not the first letters.": [
            ((copy, path), _that_begin(copy, path)) for path in paths
        ],
        "grandchildren are among them. Only what lies directly below counts.": [
            ((copy, path), sorted(PurePosixPath(node).name for node in COPY if node.startswith(f"{path}/")))
            for path in ("a", "b/a", "ab")
        ],
        "right below a group; but the nodes at the root have no slash in their paths.": [
            ((copy, path), names if path else []) for path, names in wanted.items()
        ],
    }
    return not_yet(recognised(answer, mistakes) or said)


def _parent(path: str) -> str:
    return str(PurePosixPath(path).parent).removeprefix(".")


def _that_begin(copy: dict[str, Any], path: str) -> list[str]:
    """A plausible mistake: what begins with the letters of `path` is taken for a child of it."""
    depth = path.count("/") + 1 if path else 0
    return sorted(node.split("/")[-1] for node in copy if node.startswith(path) and node.count("/") == depth)


# One plausible wrong answer each.
WRONG = {"1": 1, "2": 100, "3": _that_begin}
