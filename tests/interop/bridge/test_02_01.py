"""The rows of the bridge table of 02_01, each run on both sides; the one on `TraceStore` stands in test_01_09."""

import math

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr.integrations.dask_arrays import to_dask
from tutorial_zarr.labs import chunks as lab

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the rows speak of zarr-python 3.4")
da = pytest.importorskip("dask.array")
SHAPE = (240, 37, 49)


@pytest.mark.bridge(
    "`lab.advise(shape, dtype, reads)`: chunks for a mix of reads",
    '`chunks="auto"`, or no `chunks`: a shape by its size alone',
    "reads, weights, a ranking",
)
def test_who_chooses_chunks():
    points, maps = (
        lab.advise(SHAPE, "f4", [f"{name} 100%: {box}"], shards=False).best.layout.chunks
        for name, box in (("points", "all, 1, 1"), ("maps", "1, all, all"))
    )
    assert points[0] > maps[0]  # other reads, other chunks
    assert math.prod(points[1:]) < math.prod(maps[1:])
    chosen = {zarr.create_array({}, shape=SHAPE, dtype="f4", **how).chunks for how in ({"chunks": "auto"}, {})}
    assert len(chosen) == 1
    larger = zarr.create_array({}, shape=(240, 370, 490), dtype="f4").chunks
    assert {*chosen, larger} != {larger}
    assert not [name for name in dir(zarr) if "advise" in name]


@pytest.mark.bridge(
    "`a.plan(selection)`: requests and bytes of a read, beforehand",
    "`dask.array.from_zarr(z)[selection].npartitions`: how many chunks it touches",
    "bytes, and requests of a shard",
)
def test_what_a_read_will_cost():
    region = np.s_[120:150, 12:20, 28:36]
    a = tutorial_zarr.create_array({}, shape=SHAPE, dtype="f4", chunks=(60, 16, 16))
    z = zarr.create_array({}, shape=SHAPE, dtype="f4", chunks=(60, 16, 16))
    assert a.plan(region).requests == da.from_zarr(z)[region].npartitions == 4
    a[...] = 1.0
    assert a.plan(region, look=True).stored_bytes > 0
    z = zarr.create_array({}, shape=SHAPE, dtype="f4", chunks=(60, 16, 16), shards=(240, 48, 64))
    assert da.from_zarr(z)[region].npartitions == 4  # of one shard: an index and some ranges
    assert not hasattr(z, "plan")


@pytest.mark.bridge("`chunks=`, `shards=`", 'the same names; `shards="auto"` chooses a shape', "-")
def test_shards_have_the_same_names(tmp_path):
    data = np.arange(100, dtype="int32")
    a = tutorial_zarr.create_array(tmp_path / "ours", data=data, chunks=(5,), shards=(20,))
    z = zarr.create_array(str(tmp_path / "theirs"), data=data, chunks=(5,), shards=(20,))
    assert (a.chunks, a.shards) == (z.chunks, z.shards) == ((5,), (20,))
    assert np.array_equal(zarr.open_array(str(tmp_path / "ours"), mode="r")[:], data)
    assert np.array_equal(tutorial_zarr.open_array(tmp_path / "theirs", mode="r")[:], data)
    assert zarr.create_array({}, shape=(10_000, 10_000), dtype="f4", chunks="auto", shards="auto").shards is not None


@pytest.mark.bridge(
    "`to_dask(a)`: blocks of whole shards",
    "`dask.array.from_zarr(z)`: a block for each inner chunk; `chunks=` makes larger ones",
    "-",
)
def test_blocks_of_a_sharded_array():
    data = np.arange(100, dtype="int32")
    blocks = to_dask(tutorial_zarr.create_array({}, data=data, chunks=(5,), shards=(20,)))
    assert all(length % 20 == 0 for length in blocks.chunks[0])
    z = zarr.create_array({}, data=data, chunks=(5,), shards=(20,))
    assert da.from_zarr(z).chunks == ((5,) * 20,)
    assert da.from_zarr(z, chunks=z.shards).chunks == ((20,) * 5,)
    assert blocks.sum().compute() == da.from_zarr(z).sum().compute() == data.sum()
