"""Copies, moves, deletions, rechunks and conversions that end at each of their requests, consolidated or not.

The law: whoever reads the store afterwards, by the consolidated metadata or by the nodes' own documents, by this
library or by zarr-python, finds of each array what it held before or what it was to hold, or does not find it; never
other elements. And the same call, made again, ends as if nobody had stopped it.
"""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.errors import NodeExistsError, ZarrError
from tutorial_zarr.stores import MemoryStore

from .stopping import StoppedError, Stopping


def tree(zarr_format, consolidated, add=0):
    """/ holds x, and the group g with y and the group h, which holds x and is consolidated itself."""
    store = MemoryStore()
    root = zarr.create_group(store, zarr_format=zarr_format, attributes={"title": "t"})
    root.create_array("x", data=np.arange(1, 7) + add, chunks=2, attributes={"n": 1})
    root.create_array("g/y", data=np.arange(1.0, 4) + add, chunks=2)
    root.create_array("g/h/x", data=np.arange(1, 3) + add, chunks=1, compressors=None)
    if consolidated:
        zarr.consolidate_metadata(store, path="g/h")
        zarr.consolidate_metadata(store)
    return store


def contents(mapping, use_consolidated):
    """Path -> elements of all arrays that a reader finds; None stands for an error."""
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            root = zarr.open_group(MemoryStore(dict(mapping)), mode="r", use_consolidated=use_consolidated)
        except ZarrError:
            return found
        for path, node in root.members(max_depth=None):
            if isinstance(node, zarr.Array):
                try:
                    found[path] = node[...].tolist()
                except ZarrError:
                    found[path] = None
    return found


def contents_of_zarr_python(mapping):
    """The same, as zarr-python sees it."""
    other = pytest.importorskip("zarr", reason="the second reader is not installed")
    from zarr.core.buffer.cpu import Buffer
    from zarr.storage import MemoryStore as OtherStore

    store, found = OtherStore({key: Buffer.from_bytes(bytes(value)) for key, value in mapping.items()}), {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for path, node in other.open_group(store, mode="r").members(max_depth=None):
                if isinstance(node, other.Array):
                    found[path] = node[...].tolist()
        except (FileNotFoundError, ValueError, KeyError):
            pass
    return found


def readers(mapping):
    return [contents(mapping, None), contents(mapping, False), contents_of_zarr_python(mapping)]


def check_truth(mapping, old, new, both):
    found_by = readers(mapping) if both else [contents(mapping, None), contents(mapping, False)]
    for found in found_by:
        for path, elements in found.items():
            assert elements is None or elements in (old.get(path), new.get(path)), path


SOURCE = {f: tree(f, False, add=100) for f in (2, 3)}


def source(zarr_format, path=""):
    return zarr.open(SOURCE[zarr_format], mode="r", path=path)


def _nodes(zarr_format, group, array):
    made = zarr.create_group({}, zarr_format=zarr_format, attributes={"n": 2})
    return {
        group: made.metadata,
        f"{group}/x": made.create_array("x", shape=3, dtype="i1", fill_value=7).metadata,
        array: made.create_array("y", shape=5, dtype="i1", fill_value=8, attributes={"n": 3}).metadata,
    }


OPERATIONS = {
    "move": lambda s, f: zarr.move(s, "g", "new/place"),
    "move an array": lambda s, f: zarr.move(s, "x", "g/z"),
    "delete": lambda s, f: zarr.delete(s, "g", dry_run=False),
    "delete an array": lambda s, f: zarr.delete(s, "g/y", dry_run=False),
    "copy": lambda s, f: zarr.copy(source(f, "g"), s, name="new/place"),
    "copy within": lambda s, f: zarr.copy(zarr.open(s, path="g", use_consolidated=False), s, name="new"),
    "copy replaces": lambda s, f: zarr.copy(source(f, "g"), s, name="g", if_exists="replace"),
    "copy replaces an array": lambda s, f: zarr.copy(source(f, "x"), s, name="x", if_exists="replace"),
    "copy replaces the root": lambda s, f: zarr.copy(source(f), s, name="", if_exists="replace"),
    "copy skips": lambda s, f: zarr.copy(source(f), s, name="g", if_exists="skip"),
    "rechunk": lambda s, f: zarr.rechunk(source(f, "x"), s, path="g/new", chunks=3, workers=1),
    "rechunk replaces": lambda s, f: zarr.rechunk(source(f, "x"), s, path="x", chunks=3, workers=1, overwrite=True),
    "rechunk within": lambda s, f: zarr.rechunk(
        zarr.open_array(s, path="g/h/x"), s, path="x", chunks=2, workers=1, overwrite=True
    ),
    "create a hierarchy": lambda s, f: zarr.create_hierarchy(store=s, nodes=_nodes(f, "new/a", "new/b/c")),
    "create replaces": lambda s, f: zarr.create_hierarchy(store=s, nodes=_nodes(f, "g", "x"), overwrite=True),
    "convert to a target": lambda s, f: zarr.convert.convert(
        source(5 - f), f, zarr.open_group(s, use_consolidated=False).require_group("converted"), memory="1 MiB"
    ),
}


@pytest.mark.parametrize("consolidated", [False, True])
@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_ends_at_any_request_shows_nothing_untrue_and_goes_on(operation, zarr_format, consolidated):
    act, begin = OPERATIONS[operation], tree(zarr_format, consolidated).mapping
    whole = Stopping(MemoryStore(dict(begin)))
    act(whole, zarr_format)
    steps, final = 10**6 - whole.left, whole.store.mapping
    old, new = contents(begin, False), contents(final, False)
    assert [found == new for found in readers(final)] == [True] * 3
    if consolidated and operation != "copy replaces the root":  # by one that is not consolidated
        assert not zarr.is_stale(MemoryStore(dict(final)))
    assert not [key for key in final if ".unfinished" in key or ".rechunk" in key]
    assert steps > 3
    for step in range(steps):
        store = Stopping(MemoryStore(dict(begin)))
        store.left = step
        with pytest.raises(StoppedError, match="ends"):
            act(store, zarr_format)
        check_truth(store.store.mapping, old, new, both=consolidated and step % 3 == 0)
        act(store.store, zarr_format)
        assert _said(store.store.mapping) == _said(final), step


def _said(mapping):
    """Values, documents as what they say: consolidated entries may stand in another order."""
    return {k: json.loads(v) if k.endswith(("zarr.json", ".zmetadata")) else bytes(v) for k, v in mapping.items()}


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("consolidated", [False, True])
def test_a_hierarchy_that_was_cut_short_is_completed_and_what_is_there_keeps_its_elements(zarr_format, consolidated):
    store = tree(zarr_format, consolidated)
    new = zarr.create_array({}, shape=(3,), chunks=(2,), dtype="i2", zarr_format=zarr_format).metadata
    group = zarr.create_group({}, zarr_format=zarr_format, attributes={"n": 1}).metadata
    named = {"g/n": new, "h/a": new, "h/b": new, "k": group, "k/a": new, "m/deep/a": new}
    before, whole = dict(store.mapping), Stopping(MemoryStore(dict(store.mapping)))
    zarr.create_hierarchy(store=whole, nodes=named)
    steps = 10**6 - whole.left
    assert steps > 10
    for step in range(steps):
        store = Stopping(MemoryStore(dict(before)))
        store.left = step
        with pytest.raises(StoppedError, match="ends"):
            zarr.create_hierarchy(store=store, nodes=named)
        left = store.store
        made = [path for path, node in zarr.open_group(left, mode="r", use_consolidated=False).members(None)
                if path in named and isinstance(node, zarr.Array)]  # fmt: skip
        marked = any(".unfinished" in key for key in left.mapping)
        assert marked or not made or len(made) == 5
        # The last one is there when its mark goes: whoever writes into one before that has it still.
        for path in made[:1] if marked and len(made) == 5 else []:
            zarr.open_array(left, path=path)[...] = 7
        zarr.create_hierarchy(store=left, nodes=named) if marked or not made else None
        assert not [key for key in left.mapping if ".unfinished" in key], step
        assert {path for path, node in zarr.open_group(left, mode="r").members(None)} >= {*named}
        assert not consolidated or not zarr.is_stale(left)
        for path in made[:1] if marked and len(made) == 5 else []:
            assert zarr.open_array(left, path=path)[...].tolist() == [7, 7, 7]


def test_a_hierarchy_that_was_cut_short_is_not_completed_by_another_one():
    new = zarr.create_array({}, shape=(3,), dtype="i2").metadata
    store = Stopping(tree(3, False))
    store.left = 2  # the mark, and k
    with pytest.raises(StoppedError, match="ends"):
        zarr.create_hierarchy(store=store, nodes={"g/n": new, "k": new, "m": new})
    there = dict(store.store.mapping)
    assert "k/zarr.json" in there
    assert "m/zarr.json" not in there
    with pytest.raises(NodeExistsError, match="array 'k': expected nothing"):
        zarr.create_hierarchy(store=store.store, nodes={"g/n": new, "k": new})
    assert dict(store.store.mapping) == there
