"""The bridge of 04_01: the k best of all chunks, here and in Dask."""

from functools import reduce

import numpy as np
import pytest

import tutorial_zarr

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridge leads to zarr-python 3.4")
da = pytest.importorskip("dask.array")


def best(pairs, k):
    return sorted(pairs, key=lambda pair: (-pair[0], pair[1]))[:k]


@pytest.mark.bridge(
    "`parallel_chunk_map(work)` that keeps the k best of each chunk",
    "`dask.array.argtopk(scores, k)`: the same two steps",
    "the lower row number first among equal scores",
)
def test_dask_has_the_k_best_and_another_order_of_equals():
    distinct = np.array([3, 8, 5, 1, 9, 2, 7, 0])
    tied = np.array([3, 5, 5, 1, 5, 2, 5, 0])
    for scores, wanted in ((distinct, [4, 1]), (tied, [1, 2])):
        for length in (2, 3, 8):
            ours = tutorial_zarr.create_array({}, data=scores, chunks=(length,))
            work = ours.parallel_chunk_map(
                lambda coords, part, n=length: best(
                    [(int(score), coords[0] * n + i) for i, score in enumerate(part)], 2
                )
            )
            assert [row for _, row in reduce(lambda one, two: best(one + two, 2), work)] == wanted
    cut = [da.from_array(distinct, chunks=length) for length in (2, 3, 8)]
    assert all(da.argtopk(scores, 2).compute().tolist() == [4, 1] for scores in cut)
    assert da.argtopk(da.from_array(tied, chunks=3), 2).compute().tolist() != [1, 2]
    assert da.topk(da.from_array(tied, chunks=3), 2).compute().tolist() == [5, 5]


@pytest.mark.bridge(
    "`work(coords, part)`: a chunk comes with its coordinates",
    "`dask.array.map_blocks(work, ...)` with `block_info`: with its place in the array, too",
    "in zarr-python alone: a map over chunks",
)
def test_a_block_of_dask_knows_its_place(tmp_path):
    ours = tutorial_zarr.create_array(tmp_path / "a.zarr", data=np.arange(20).reshape(10, 2), chunks=(4, 2))
    firsts = ours.parallel_chunk_map(lambda coords, part: (coords[0] * ours.chunks[0], int(part[0, 0])), ordered=True)
    assert list(firsts) == [(0, 0), (4, 8), (8, 16)]

    def first(part, block_info=None):
        (begin, _), _ = block_info[0]["array-location"]
        return np.array([[begin, part[0, 0]]])

    blocks = da.from_zarr(str(tmp_path / "a.zarr"))
    found = da.map_blocks(first, blocks, dtype="i8", chunks=((1, 1, 1), (2,))).compute()
    assert found.tolist() == [[0, 0], [4, 8], [8, 16]]
    assert not [name for name in dir(zarr.Array) if "map" in name]
