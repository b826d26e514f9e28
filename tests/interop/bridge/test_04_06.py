"""The bridge of 04_06 and of article 16: an array made of another one, chunk by chunk, and rows that are appended."""

import numpy as np
import pytest

import tutorial_zarr

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridge leads to zarr-python 3.4")

BOOKS = np.array([[[0, 0], [4, 4]], [[1, 0], [0, 9]]])  # two pieces of two features, two centroids each
ROWS = np.random.default_rng(4).integers(0, 10, (20, 4)).astype("f4")


def encode(part, books):
    """The codes of rows, by squared differences."""
    pieces = part.reshape(len(part), 2, 1, 2)
    return ((pieces - books) ** 2).sum(3).argmin(2).astype("u1")


@pytest.mark.bridge(
    "`vectors.parallel_chunk_map(work)`, which writes the codes of its chunk",
    'Dask: `x.map_blocks(encode, books, dtype="uint8", chunks=...)`, then `to_zarr`',
    "-",
)
def test_both_make_codes_of_vectors_chunk_by_chunk(tmp_path):
    da = pytest.importorskip("dask.array")
    vectors = tutorial_zarr.create_array(tmp_path / "vectors", data=ROWS, chunks=(8, 4))
    codes = tutorial_zarr.create_array(tmp_path / "codes", shape=(20, 2), chunks=(8, 2), dtype="u1")

    def work(coords, part):
        start = coords[0] * 8
        codes[start : start + len(part)] = encode(part, BOOKS)

    for _ in vectors.parallel_chunk_map(work):
        pass
    x = da.from_zarr(str(tmp_path / "vectors"))
    made = x.map_blocks(encode, BOOKS, dtype="uint8", chunks=(x.chunks[0], (2,)))
    made.to_zarr(str(tmp_path / "theirs"))
    theirs = tutorial_zarr.open_array(tmp_path / "theirs", mode="r")
    assert (theirs.chunks, theirs.dtype) == (codes.chunks, codes.dtype)
    assert np.array_equal(theirs[...], codes[...])
    assert np.array_equal(codes[...], encode(ROWS, BOOKS))


@pytest.mark.bridge(
    "`vectors.append(rows)`, then `codes.append(...)`: one array at a time",
    'xarray: `ds.to_zarr(append_dim="doc")`, all arrays in one call',
    "-",
)
def test_xarray_appends_to_all_arrays_in_one_call(tmp_path):
    xr = pytest.importorskip("xarray")
    whole = {"vectors": ROWS, "codes": encode(ROWS, BOOKS)}
    group = tutorial_zarr.create_group(str(tmp_path / "ours"))
    for name, values in whole.items():
        group.create_array(name, data=values[:12], chunks=(8, values.shape[1]))
    group["vectors"].append(ROWS[12:])
    assert (group["vectors"].shape[0], group["codes"].shape[0]) == (20, 12)
    group["codes"].append(whole["codes"][12:])
    dims = {"vectors": ("doc", "feature"), "codes": ("doc", "piece")}
    first, later = (
        xr.Dataset({name: (dims[name], values[part]) for name, values in whole.items()})
        for part in (slice(12), slice(12, None))
    )
    first.to_zarr(str(tmp_path / "theirs"))
    later.to_zarr(str(tmp_path / "theirs"), append_dim="doc")
    for folder in ("ours", "theirs"):
        found = tutorial_zarr.open_group(str(tmp_path / folder), mode="r")
        assert all(np.array_equal(found[name][...], values) for name, values in whole.items())


@pytest.mark.bridge(
    "`create_group`, `create_array`, `attrs`, `a.oindex[ids]`, `a.append(rows)`", "the same names in zarr-python", "-"
)
@pytest.mark.parametrize("library", [tutorial_zarr, zarr])
def test_the_names_are_the_same(library):
    group = library.create_group({} if library is zarr else tutorial_zarr.stores.MemoryStore())
    group.attrs["codebooks_have_seen"] = [0, 12]
    a = group.create_array("vectors", shape=(12, 4), chunks=(8, 4), dtype="f4")
    a[...] = ROWS[:12]
    a.append(ROWS[12:])
    assert list(group.attrs["codebooks_have_seen"]) == [0, 12]
    assert np.array_equal(group["vectors"].oindex[np.array([17, 2, 9])], ROWS[[17, 2, 9]])
