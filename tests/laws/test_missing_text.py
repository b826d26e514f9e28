"""Missing text is not the word for it: None, NaN, NA and NaT are refused wherever text is taken."""

import warnings

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.errors import MetadataError, ValueMismatchError

pd = pytest.importorskip("pandas", reason="pandas is not installed")
Text = np.dtypes.StringDType
TIMES = np.array(["2020-01-01", "NaT"], "M8[s]")

MISSING = {
    "None": ["a", None],
    "NaN": ["a", float("nan")],
    "objects": np.array(["a", None], object),
    "NA": pd.array(["a", pd.NA], dtype="string"),
    "NaT": np.array(["a", pd.NaT], object),
    "series": pd.Series(["a", None]),
    "category": pd.Categorical(["a", None]),
    "na_object None": np.array(["a", None], Text(na_object=None)),
    "na_object NaN": np.array(["a", np.nan], Text(na_object=np.nan)),
    "numbers": np.array([1.5, np.nan]),
    "times": TIMES,
    "masked": np.ma.array(["a", "b"], mask=[False, True]),
}
TYPES = [(str, 3), (str, 2), ("U4", 3), ("U4", 2), ("S4", 3), ("S4", 2)]


def text(dtype=str, zarr_format=3, **options):
    a = zarr.create_array({}, shape=2, chunks=2, dtype=dtype, zarr_format=zarr_format, **options)
    a[:] = ["x", "y"]
    return a


def refused():
    return pytest.raises(ValueMismatchError, match=r"expected text, found .*; try \"\" or a word of your own")


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("value", MISSING.values(), ids=MISSING)
def test_missing_text_is_refused_by_assignments_and_appends(value, dtype):
    a = text(*dtype)
    for write in (
        lambda: a.__setitem__(slice(None), value),
        lambda: a.set_mask_selection([True, True], value),
        lambda: a.vindex.__setitem__([0, 1], value),
        lambda: a.append(value),
    ):
        with refused():
            write()
    buffer = zarr.AppendBuffer(a)
    with refused():
        buffer.append(value)
    buffer.close()
    assert [str(v, "ascii") if isinstance(v, bytes) else v for v in a[:].tolist()] == ["x", "y"]


@pytest.mark.parametrize("value", [None, float("nan"), pd.NA, pd.NaT, np.float32("nan"), TIMES[1]], ids=repr)
def test_one_missing_word_is_refused(value):
    for dtype in TYPES:
        a = text(*dtype)
        with refused():
            a[0] = value
        if value is not None:  # None asks for the default
            with pytest.raises(MetadataError, match=r"fill_value.*expected text"):
                text(*dtype, fill_value=value)


@pytest.mark.parametrize("value", MISSING.values(), ids=MISSING)
def test_missing_text_is_refused_as_the_data_of_a_new_array(value):
    with pytest.raises(ValueMismatchError, match="expected text, found"):
        zarr.create_array({}, data=value, dtype=str)
    with pytest.raises(ValueMismatchError, match="expected text, found"):
        zarr.create_array({}, data=value, dtype="U3")


def test_a_list_in_which_numpy_sees_text_is_looked_at_first():
    with pytest.raises(ValueMismatchError, match="expected text, found nan"):
        zarr.create_array({}, data=["a", float("nan")])
    with pytest.raises(ValueMismatchError, match="expected text, found nan"):
        zarr.open_group({}, mode="w")["words"] = ["a", float("nan")]


def test_missing_text_is_refused_in_the_fields_of_records():
    record = np.dtype([("n", [("word", "U3"), ("i", "i2")]), ("t", "S2"), ("x", "f4")])
    a = zarr.create_array({}, shape=2, dtype=record)
    a[:] = whole = np.array([(("a", 1), b"b", 2.5)] * 2, record)
    loose = np.dtype([("n", [("word", object), ("i", "i2")]), ("t", object), ("x", "f4")])
    for write in (
        lambda: a.__setitem__("t", ["a", None]),
        lambda: a.__setitem__(0, ((None, 1), b"b", 0.0)),
        lambda: a.__setitem__(slice(None), [(("a", 1), b"b", 0.0), (("a", 1), np.nan, 0.0)]),
        lambda: a.__setitem__("n", [("a", 1), (None, 2)]),
        lambda: a.__setitem__(slice(None), np.array([(("a", 1), b"b", 0), ((None, 1), b"b", 0)], loose)),
    ):
        with refused():
            write()
    assert a[:].tolist() == whole.tolist()
    a[0] = (("c", 1), b"d", float("nan"))  # a number may be NaN
    with pytest.raises(MetadataError, match="a record whose text is text"):
        zarr.create_array({}, shape=2, dtype=record, fill_value=((None, 1), b"b", 0))


def test_text_of_any_kind_is_still_taken():
    a = text()
    for value in (
        ["a", "né"],
        np.array(["a", "né"]),
        np.array(["a", "né"], object),
        np.array(["a", "né"], Text(na_object=None)),
        pd.Series(["a", "né"]),
        pd.array(["a", "né"], dtype="string"),
        np.ma.array(["a", "né"]),
    ):
        a[:] = value
        assert a[:].tolist() == ["a", "né"]
    a[0] = "None"
    a[1] = 7
    assert a[:].tolist() == ["None", "7"]


def test_dask_blocks_with_missing_text_are_refused():
    da = pytest.importorskip("dask.array", reason="dask is not installed")
    a = text()
    from tutorial_zarr.integrations.dask_arrays import store_dask

    blocks = da.from_array(np.array(["a", None], object), chunks=2)
    with refused():
        store_dask(blocks, a)
    assert a[:].tolist() == ["x", "y"]


def test_xarray_says_that_it_stores_missing_text_as_empty_text():
    xr = pytest.importorskip("xarray", reason="xarray is not installed")
    from tutorial_zarr.integrations.xarray_backend import to_zarr

    for values in (MISSING["objects"], MISSING["na_object None"], MISSING["NaN"]):
        store = {}
        data = xr.Dataset({"w": ("n", np.asarray(values, None if isinstance(values, np.ndarray) else object))})
        with pytest.warns(UserWarning, match="variable 'w': missing text is stored as empty text"):
            to_zarr(data, store)
        assert zarr.open_array(store, path="w")[:].tolist() == ["a", ""]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        to_zarr(xr.Dataset({"w": ("n", np.array(["a", ""], object))}), {})
