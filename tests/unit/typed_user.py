"""What a program that uses the library is told of types. `test_types` has mypy check it, and runs it."""

from __future__ import annotations

from typing import Any, assert_type

import numpy as np

import tutorial_zarr as zarr
from tutorial_zarr.attributes import Attributes
from tutorial_zarr.codecs import Codec
from tutorial_zarr.lazy import LazyView
from tutorial_zarr.stores import MemoryStore, Store


def arrays() -> None:
    """An array, what is in it, and what it is made of."""
    a = zarr.create_array({}, shape=(4, 6), dtype="i4", chunks=(2, 3))
    assert_type(a, zarr.Array)
    assert_type(a[...], Any)  # an array or a scalar, as of NumPy's arrays
    assert_type(np.asarray(a), "np.ndarray[tuple[Any, ...], np.dtype[Any]]")
    assert_type(a.attrs, Attributes)
    assert_type(a.attrs.get("unit"), Any | None)
    assert_type(a.shape, tuple[int, ...])
    assert_type(a.dtype, np.dtype[Any])
    assert_type(a.codecs, tuple[Codec, ...])
    assert_type(a.store, Store)
    assert_type(a.lazy[1:], LazyView)
    assert_type(a.append(np.zeros((1, 6), "i4")), tuple[int, ...])


def groups() -> None:
    """A group and its members."""
    store = MemoryStore()
    assert_type(zarr.create_group(store), zarr.Group)
    g = zarr.open_group(store, mode="r+")
    assert_type(g, zarr.Group)
    assert_type(g.attrs, Attributes)
    assert_type(g.create_array("a", shape=3, dtype="f8"), zarr.Array)
    assert_type(g["a"], zarr.Array | zarr.Group)
    assert_type(list(g.members()), list[tuple[str, zarr.Array | zarr.Group]])
    assert_type(zarr.open(store), zarr.Array | zarr.Group)
    assert_type(zarr.open_array(store, path="a", mode="r"), zarr.Array)


def codecs() -> None:
    """The fields of a codec have the types of their values."""
    from tutorial_zarr.codecs.compressors import Blosc, Gzip, Zstd
    from tutorial_zarr.codecs.fields import IntegerField
    from tutorial_zarr.codecs.sharding import ShardingCodec

    assert_type(Gzip("gzip", {"level": 1}).level, int)
    assert_type(Zstd("zstd").checksum, bool)
    assert_type(Blosc("blosc").shuffle, int)
    assert_type(Gzip.level, IntegerField)
    inner: dict[str, Any] = {"chunk_shape": [2], "codecs": [{"name": "bytes"}]}
    assert_type(ShardingCodec("sharding_indexed", inner).chunk_shape, tuple[int, ...])
