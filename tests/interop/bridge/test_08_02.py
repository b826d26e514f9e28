"""The bridge of 08_02 and of article 33: labels of blocks, edges, places of chunks and smaller copies, run twice."""

import numpy as np
import pytest

import tutorial_zarr

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridges lead to zarr-python 3.4")

MASK = np.zeros((8, 8), bool)
MASK[1:7, 1:3] = True  # one object in two blocks
MASK[5:7, 6] = True  # and one in a third


@pytest.mark.bridge(
    "`label` for each chunk, then `names(pairs)`",
    "`da.map_blocks(ndimage.label)` numbers each block from 1: one number for many objects",
    "the join",
)
def test_blocks_that_are_labelled_alone_share_their_numbers(tmp_path):
    da = pytest.importorskip("dask.array")
    ndimage = pytest.importorskip("scipy.ndimage")
    tutorial_zarr.create_array(tmp_path / "mask", data=MASK, chunks=(4, 4))
    blocks = da.from_zarr(str(tmp_path / "mask"))
    found = blocks.map_blocks(lambda block: ndimage.label(block)[0], dtype="i4").compute(scheduler="sync")
    assert np.unique(found).tolist() == [0, 1]  # two objects in three blocks, and one number
    assert ndimage.label(MASK)[1] == 2
    assert not hasattr(da, "label")


@pytest.mark.bridge(
    "edges kept while a chunk is in memory",
    "`dask.array.overlap.overlap(a, 1)`: each block with a line of its neighbours",
    "here: a function for it",
)
def test_dask_gives_each_block_a_line_of_its_neighbours():
    da = pytest.importorskip("dask.array")
    numbers = np.arange(64).reshape(8, 8)
    wider = da.overlap.overlap(da.from_array(numbers, chunks=4), 1, boundary="none")
    assert wider.chunks == ((5, 5), (5, 5))
    block = wider.blocks[0, 0].compute(scheduler="sync")
    np.testing.assert_array_equal(block, numbers[:5, :5])
    assert not any(hasattr(tutorial_zarr.Array, name) for name in ("overlap", "map_overlap"))


@pytest.mark.bridge(
    "`mask.grid.region(coords)`, chunk by chunk",
    "`dask.array.core.slices_from_chunks`, or `block_info` in `map_blocks`",
    "-",
)
def test_both_say_where_a_chunk_lies():
    da = pytest.importorskip("dask.array")
    mask = tutorial_zarr.create_array({}, data=MASK, chunks=(4, 3))
    blocks = da.from_array(MASK, chunks=(4, 3))
    ours = [mask.grid.region(coords) for coords in mask.grid]
    assert [tuple(box) for box in ours] == list(da.core.slices_from_chunks(blocks.chunks))
    places = []

    def note(block, block_info=None):
        places.append(tuple(slice(*ends) for ends in block_info[0]["array-location"]))
        return block

    blocks.map_blocks(note, dtype=bool, meta=np.zeros((0, 0), bool)).compute(scheduler="sync")
    assert {str(box) for box in places} == {str(tuple(box)) for box in ours}


@pytest.mark.bridge(
    "`one_of_four`, a smaller copy of labels",
    "`coarsen(...).mean()` in xarray invents numbers; `isel(y=slice(None, None, 2))` does not",
    "-",
)
def test_the_mean_of_labels_is_the_label_of_something_else():
    xarray = pytest.importorskip("xarray")
    labels = np.zeros((4, 4), "u4")
    labels[:, 1] = 80
    there = xarray.DataArray(labels, dims=("y", "x"))
    mean = there.coarsen(y=2, x=2, boundary="trim").mean()
    assert set(np.unique(mean)) == {0, 40}
    assert set(np.unique(there.isel(y=slice(None, None, 2), x=slice(1, None, 2)))) <= {0, 80}
    array = tutorial_zarr.create_array({}, data=labels, chunks=(2, 2))
    assert set(np.unique(array[::2, 1::2])) == {0, 80}
