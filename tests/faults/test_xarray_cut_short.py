"""Datasets of which the writing ends at each of its requests: by an error, and as if the process had been killed.

The law: whoever opens the group afterwards, by this library or by zarr-python, with or without consolidated metadata,
finds of its variables those that were there before, or those that were to be there; never both, never others. Some may
be missing, and xarray may refuse to open it. And the same call, made again, ends as if nothing had happened.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.errors import StoreError
from tutorial_zarr.stores import MemoryStore

from .stopping import StoppedError, Stopping

xr = pytest.importorskip("xarray", reason="the engine needs xarray, which is not installed")

from tutorial_zarr.integrations.xarray_backend import ZarrBackend, to_zarr  # noqa: E402 - it needs xarray


def dataset(start=0, stop=4, add=0.0):
    rows = np.arange(start, stop)
    values = rows[:, None] * 10.0 + np.arange(3) + add
    return xr.Dataset(
        {"a": (("t", "x"), values + 1), "b": ("t", rows + 100 + int(add)), "fixed": ("x", [7.0, 8.0, 9.0 + add])},
        coords={"t": rows + int(add), "x": [10, 20, 30]},
        attrs={"n": int(add)},
    )


def blocks(given):
    encoding = {name: {"chunks": (2, *given[name].shape[1:])} for name in ("a", "b")}
    chunked = given.chunk(t=2)
    for name, options in encoding.items():
        chunked[name].encoding = options
    return chunked


def own_source(store):
    """The dataset that is stored, changed, in blocks that read from the store itself; the rows backwards."""
    found = xr.open_dataset(store, engine=ZarrBackend, chunks={"t": 4}, consolidated=False)
    return found.isel(t=slice(None, None, -1)).assign(a=found.a.isel(t=slice(None, None, -1)) * 2)


first, later = dataset(), dataset(4, 6)
# What is called, and what the group is to hold then; in between also a new variable that labels nothing.
WRITES = {
    "new": (None, lambda s: to_zarr(blocks(first), s), first),
    "over itself": (first, lambda s: to_zarr(own_source(s), s, mode="w"), own_source),
    "over another": (first, lambda s: to_zarr(later, s, mode="w"), later),
    "append": (first, lambda s: to_zarr(blocks(later), s, append_dim="t"), dataset(0, 6)),
    "append and more": (
        first,
        lambda s: to_zarr(later.assign(c=("x", [1, 2, 3])), s, append_dim="t"),
        dataset(0, 6).assign(c=("x", [1, 2, 3])),
        first.assign(c=("x", [1, 2, 3])),
    ),
    "add": (first, lambda s: to_zarr(first.assign(c=first.a * 2).chunk(t=4), s, mode="a"), first.assign(c=first.a * 2)),
    "values": (first, lambda s: to_zarr(dataset(add=5).chunk(t=4), s, mode="a"), dataset(add=5)),
    "values from itself": (first, lambda s: to_zarr(own_source(s), s, mode="a"), own_source),
}


def opened(mapping, reader, consolidated):
    """What a reader finds; None where it is refused."""
    copy = dict(mapping)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if reader == "here":
                return xr.open_dataset(copy, engine=ZarrBackend, consolidated=consolidated).load()
            pytest.importorskip("zarr", reason="the second reader is not installed")
            from zarr.core.buffer.cpu import Buffer
            from zarr.storage import MemoryStore as OtherStore

            other = OtherStore({key: Buffer.from_bytes(bytes(value)) for key, value in copy.items()})
            return xr.open_dataset(other, engine="zarr", consolidated=consolidated).load()
        except (ValueError, KeyError, OSError):
            return None


def is_part(found, of):
    return all(name in of.variables and found[name].variable.equals(of[name].variable) for name in found.variables)


def _finishes(name, call, held, new):
    """To open the group for writing, or to make the same call again, brings the new one."""
    again = MemoryStore(dict(held))
    if name != "new":
        zarr.open_group(again, mode="a")
    done = opened(again.mapping, "here", False)
    if done is None or not done.equals(new):
        try:
            call(again)
        except StoreError as error:
            assert "it is finished now" in str(error)  # noqa: PT017
        assert not [key for key in again.mapping if ".unfinished/new" in key]
        assert not [key for key in again.mapping if b"unfinished_writes" in again.mapping[key]]
        xr.testing.assert_equal(opened(again.mapping, "here", None), new)
    xr.testing.assert_equal(opened(again.mapping, "here", False), new)


@pytest.mark.parametrize(("zarr_format", "consolidated"), [(2, True), (3, False)])
@pytest.mark.parametrize("name", WRITES)
def test_a_dataset_is_the_old_or_the_new_wherever_writing_it_ends(name, zarr_format, consolidated):
    before, call, wanted, *between = WRITES[name]
    begin = MemoryStore()
    if before is not None:
        to_zarr(before, begin, zarr_format=zarr_format, consolidated=consolidated)
    new = wanted(dict(begin.mapping)).load() if callable(wanted) else wanted
    requests = 0
    for dead in (True, False):
        for left in range(0, 10**6, 1 if dead else 3):
            store = Stopping(MemoryStore(dict(begin.mapping)))
            store.left, store.dead = left, dead
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    call(store)
                break
            except StoppedError:
                pass
            held = store.store.mapping
            for reader in ("here", "zarr-python"):
                for trust in (False, None) if consolidated else (False,):
                    found = opened(held, reader, trust)
                    allowed = [whole for whole in (before, new, *between) if whole is not None]
                    assert found is None or any(is_part(found, whole) for whole in allowed), (left, dead, reader)
            _finishes(name, call, held, new)
            requests += 1
    assert requests > 10
