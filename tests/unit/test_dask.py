"""Dask arrays from and into arrays in a store, work on other processes, and what NumPy takes as it is."""

import itertools
import os
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.chunk_grids import Axis, UnevenAxis
from tutorial_zarr.errors import SelectionError, ValueMismatchError
from tutorial_zarr.integrations.dask_arrays import (
    edge_within_a_unit,
    from_dask,
    moved_to_units,
    store_dask,
    to_dask,
    whole_units,
)
from tutorial_zarr.stores import MemoryStore, TraceStore

try:
    import dask.array as da
except ImportError:
    da = None

needs_dask = pytest.mark.skipif(da is None, reason="dask is not installed")


def example(store=None, **options):
    """12 by 10 numbers in shards of 4 by 10 that hold chunks of 2 by 5."""
    array = zarr.create_array({} if store is None else store, shape=(12, 10), dtype="i4", chunks=(2, 5), **options)
    array[...] = np.arange(120).reshape(12, 10)
    return array


# --- blocks and write units


def test_edges_between_blocks_are_compared_with_those_between_units_for_every_small_case():
    for lengths, extent in [([3, 3, 3], 9), ([3, 3, 3], 8), ([1, 4, 2], 7), ([5, 5], 6)]:
        axis = UnevenAxis(extent, lengths)
        units = {0, extent, *(edge for edge in itertools.accumulate(lengths) if edge < extent)}
        for start, stop in itertools.combinations(range(extent + 1), 2):
            for inner in itertools.chain.from_iterable(
                itertools.combinations(range(start + 1, stop), n) for n in range(3)
            ):
                edges = [start, *inner, stop]
                blocks = [tuple(b - a for a, b in itertools.pairwise(edges))]
                found = edge_within_a_unit(blocks, [slice(start, stop)], [axis])
                assert (found is None) == (set(inner) <= units)
                moved = moved_to_units(blocks, [slice(start, stop)], [axis])
                assert sum(moved[0]) == stop - start
                assert all(length > 0 for length in moved[0])
                assert edge_within_a_unit(moved, [slice(start, stop)], [axis]) is None


def test_blocks_of_whole_units_cover_the_array_and_hold_as_many_units_as_fit():
    array = example(shards=(4, 10))
    assert whole_units(array, 0) == ((4, 4, 4), (10,))
    assert whole_units(array, 4 * 80) == ((8, 4), (10,))
    assert whole_units(array, 1 << 20) == ((12,), (10,))
    assert whole_units(zarr.create_array({}, shape=(0, 3), chunks=(1, 1), dtype="i1"), 0) == ((0,), (1, 1, 1))
    assert whole_units(zarr.create_array({}, shape=(), dtype="i1"), 0) == ()
    assert edge_within_a_unit([(8, 4)], [slice(0, 12)], [Axis(12, 4)]) is None


# --- reading


@needs_dask
def test_a_dask_array_reads_each_shard_once():
    trace = TraceStore(MemoryStore())
    array = example(trace, shards=(4, 10))
    lazy = to_dask(array, "units")
    assert lazy.chunks == ((4, 4, 4), (10,))
    trace.requests.clear()
    np.testing.assert_array_equal(lazy.compute(), array[...])
    assert sorted({request.key for request in trace.requests}) == ["c/0/0", "c/1/0", "c/2/0"]
    trace.requests.clear()
    np.testing.assert_array_equal(lazy[5:7, 3].compute(), array[5:7, 3])
    assert {request.key for request in trace.requests} == {"c/1/0"}


@needs_dask
def test_blocks_are_those_that_are_asked_for():
    array = example()
    assert to_dask(array).chunks == ((12,), (10,))
    assert to_dask(array, (6, -1)).chunks == ((6, 6), (10,))
    np.testing.assert_array_equal(to_dask(array, 3).sum(axis=0).compute(), array[...].sum(axis=0))
    scalar = zarr.create_array({}, data=np.array(5))
    assert to_dask(scalar).compute() == 5


@needs_dask
def test_uneven_chunks_become_blocks_of_those_lengths():
    array = zarr.create_array({}, data=np.arange(10), chunks=((3, 7),))
    assert to_dask(array, "units").chunks == ((3, 7),)


# --- writing


@needs_dask
def test_blocks_that_share_a_shard_are_refused_or_cut_anew():
    source = np.arange(120).reshape(12, 10) * 3
    array = example(shards=(4, 10))
    misfit = da.from_array(source, chunks=(5, 5))
    with pytest.raises(ValueMismatchError, match=r"found one that ends at 5 on axis 0, within the unit from 4 to 8; "):
        store_dask(misfit, array)
    np.testing.assert_array_equal(array[...], np.arange(120).reshape(12, 10))
    store_dask(misfit, array, rechunk=True)
    np.testing.assert_array_equal(array[...], source)


@needs_dask
def test_each_shard_is_written_once():
    trace = TraceStore(MemoryStore())
    array = zarr.create_array(trace, shape=(12, 10), dtype="i4", chunks=(2, 5), shards=(4, 10))
    trace.requests.clear()
    store_dask(da.ones((12, 10), dtype="i4", chunks=(8, 10)), array)
    written = [request.key for request in trace.requests if request.verb == "PUT"]
    assert sorted(written) == ["c/0/0", "c/1/0", "c/2/0"]


@needs_dask
def test_a_region_is_written_and_a_delayed_writes_later():
    array = example()
    delayed = store_dask(da.zeros((4, 10), dtype="i4", chunks=(2, 10)), array, np.s_[4:8, :], compute=False)
    assert array[5, 5] == 55
    delayed.compute()
    assert array[4:8].sum() == 0
    assert array[3, 0] == 30
    with pytest.raises(ValueMismatchError, match=r"expected a dask array of the shape \(12, 10\), found \(4, 10\)"):
        store_dask(da.zeros((4, 10)), array)
    with pytest.raises(SelectionError, match="region: expected 2 slices of step 1"):
        store_dask(da.zeros((4, 10)), array, np.s_[::2])


@needs_dask
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_an_array_is_created_for_a_dask_array(zarr_format):
    source = np.arange(120.0).reshape(12, 10)
    array = from_dask(da.from_array(source, chunks=(5, 10)), {}, zarr_format=zarr_format)
    assert array.chunks == (5, 10)
    np.testing.assert_array_equal(array[...], source)
    store = {}
    with pytest.raises(ValueMismatchError, match=r"blocks of one length along each axis, found \(4, 8\) on axis 0"):
        from_dask(da.from_array(source, chunks=((4, 8), 10)), store)
    with pytest.raises(ValueMismatchError, match="found one that ends at 5 on axis 0, within the unit from 4 to 8"):
        from_dask(da.from_array(source, chunks=(5, 10)), store, chunks=(4, 10))
    assert store == {}
    recut = from_dask(da.from_array(source, chunks=(5, 10)), store, chunks=(4, 10), rechunk=True)
    np.testing.assert_array_equal(recut[...], source)
    later, delayed = from_dask(da.ones((4,), chunks=2), {}, compute=False)
    assert later.nchunks_initialized == 0
    delayed.compute()
    assert later[:].tolist() == [1, 1, 1, 1]


# --- other processes


@needs_dask
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_dask_array_may_be_read_from_what_it_replaces_and_may_fail(zarr_format, tmp_path):
    place = tmp_path / "a.zarr"
    values = np.arange(24.0).reshape(6, 4)
    zarr.create_array(place, data=values, chunks=(2, 4), zarr_format=zarr_format)
    from_dask(to_dask(zarr.open_array(place))[::-1] + 1, place, overwrite=True, zarr_format=zarr_format)
    np.testing.assert_array_equal(zarr.open_array(place)[:], values[::-1] + 1)
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}

    def fails(block, block_info=None):
        if block_info[0]["chunk-location"] == (2, 0):
            raise OSError("the source is down")
        return block

    wrong = da.map_blocks(fails, da.zeros((6, 4), chunks=(2, 4)), dtype=float)
    with pytest.raises(OSError, match="the source is down"):
        from_dask(wrong, place, overwrite=True)
    with pytest.raises(ValueMismatchError, match="expected blocks that are not read from what is replaced"):
        from_dask(to_dask(zarr.open_array(place)), place, overwrite=True, compute=False)
    assert {path: path.read_bytes() for path in place.rglob("*") if path.is_file()} == before
    with pytest.raises(OSError, match="the source is down"):
        from_dask(wrong, tmp_path / "b.zarr")
    assert [path for path in (tmp_path / "b.zarr").rglob("*") if path.is_file()] == []


@needs_dask
def test_blocks_that_are_read_from_the_array_itself_are_read_first():
    array = example()
    before = array[...]
    turned = to_dask(array, "units")[::-1]
    store_dask(turned, array, rechunk=True)
    np.testing.assert_array_equal(array[...], before[::-1])
    with pytest.raises(ValueMismatchError, match="expected blocks that are not read from the array itself"):
        store_dask(to_dask(array), array, compute=False)


def add_up(coords, chunk):
    return coords, int(chunk.sum())


def square(array_and_coords):
    array, coords = array_and_coords
    array[array.grid.region(coords)] = array.read_chunk(coords) ** 2
    return coords


def test_a_pickled_array_opens_itself_in_another_process(tmp_path):
    array = example(tmp_path / "a.zarr")
    assert pickle.loads(pickle.dumps(array)) == array
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        done = list(pool.map(square, [(array, coords) for coords in array.grid]))
    assert done == list(array.grid)
    np.testing.assert_array_equal(array[...], np.arange(120).reshape(12, 10) ** 2)


@pytest.mark.slow
def test_chunks_are_worked_on_by_a_dask_cluster_of_two_processes(tmp_path):
    distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed")
    array = example(tmp_path / "a.zarr", shards=(4, 10))
    options = {"dashboard_address": None, "local_directory": str(tmp_path / "workers")}
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, **options) as cluster,
        distributed.Client(cluster) as client,
    ):
        assert len({*client.run(os.getpid).values()}) == 2
        results = array.parallel_chunk_map(add_up, executor=client.get_executor(), max_concurrency=4)
        assert sorted(results) == [((i, 0), int(array[4 * i : 4 * i + 4].sum())) for i in range(3)]
        target = zarr.create_array(tmp_path / "b.zarr", shape=(12, 10), dtype="i4", chunks=(4, 10))
        store_dask(to_dask(array, "units") * 2, target)
    np.testing.assert_array_equal(target[...], array[...] * 2)


# --- what NumPy takes


def test_numpy_takes_an_array_as_it_is():
    array = example()
    assert np.asarray(array).sum() == 7140
    assert np.asarray(array, dtype="f8").dtype == np.float64
    assert np.array(array, copy=True).tolist() == array[...].tolist()
    assert np.mean(array) == 59.5
    with pytest.raises(ValueError, match="reading it makes a copy"):
        np.asarray(array, copy=False)
    assert (np.shape(array), np.ndim(array), np.size(array)) == ((12, 10), 2, 120)


def test_elements_go_to_other_libraries_by_dlpack():
    array = example()
    np.testing.assert_array_equal(np.from_dlpack(array), array[...])


@needs_dask
def test_tasks_in_other_processes_are_refused_where_they_would_write_to_a_copy_of_memory(tmp_path):
    import dask

    data = da.ones((8,), chunks=4, dtype="i4")
    with dask.config.set(scheduler="processes", num_workers=1):
        with pytest.raises(OSError, match="expected a store that other processes write to, found MemoryStore"):
            from_dask(data, {})
        assert (from_dask(data, tmp_path / "a")[...] == 1).all()
    with dask.config.set(scheduler="threads"):
        assert (from_dask(data, {})[...] == 1).all()
