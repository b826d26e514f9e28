"""Ragged arrays and other objects of Zarr 2: elements set one by one, lists taken apart, what nobody wrote."""

import numcodecs
import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.errors import ChunkError, MetadataError, ValueMismatchError
from tutorial_zarr.tools.convert import rechunk

ITEMS = [[1, 3, 5], [], [7]]


def ragged(shape=3, item="<i4", store=None, **options):
    codec = {"id": "vlen-array", "dtype": item}
    return zarr.create_array(
        {} if store is None else store, shape=shape, dtype=object, object_codec=codec, zarr_format=2, **options
    )


def objects(codec="json2", shape=3, **options):
    return zarr.create_array({}, shape=shape, dtype=object, object_codec={"id": codec}, zarr_format=2, **options)


def lists(array):
    found = np.empty(array.shape, object)
    for place, item in np.ndenumerate(np.asarray(array[...])):
        assert isinstance(item, np.ndarray)
        found[place] = item.tolist()
    return found.tolist()


@pytest.mark.parametrize("chunks", [1, 2, 3])
@pytest.mark.parametrize("item", ["<i4", ">i4", "<i8", "|u1", "<f8"])
def test_elements_of_a_ragged_array_are_set_one_by_one(item, chunks):
    store = {}
    z = ragged(item=item, chunks=chunks, store=store)
    assert lists(z) == [[], [], []]
    z[0] = np.array([1, 3, 5])
    assert lists(z) == [[1, 3, 5], [], []]
    z[-1] = [7]
    assert lists(z) == ITEMS
    assert z[0].dtype == np.dtype(item)
    z[1] = np.array([], float)
    z.oindex[[2]] = [np.array([9, 9])]
    z.vindex[[0]] = [[4]]
    z.set_mask_selection([False, True, False], [np.array([8], "i2")])
    again = zarr.open_array(store, mode="r")
    assert lists(again) == [[4], [8], [9, 9]]
    assert again[2].tolist() == [9, 9]


def test_a_ragged_array_takes_lists_rows_and_object_arrays():
    z = ragged()
    z[:] = ITEMS
    assert lists(z) == ITEMS
    z[:] = np.arange(6).reshape(3, 2)
    assert lists(z) == [[0, 1], [2, 3], [4, 5]]
    whole = np.empty(3, object)
    whole[:] = [np.array(each) for each in ITEMS]
    z[:] = whole
    assert lists(z) == ITEMS
    z[:2] = [[1, 2]]  # one element, broadcast
    assert lists(z) == [[1, 2], [1, 2], [7]]
    z[:] = z[::-1]
    assert lists(z) == [[7], [1, 2], [1, 2]]
    z.append([[3], [4, 5]])
    assert lists(z)[3:] == [[3], [4, 5]]
    with zarr.AppendBuffer(z) as buffer:
        buffer.append([[6]])
    assert lists(z)[-1] == [6]
    two = ragged((2, 2), chunks=(1, 2))
    two[...] = [[[1], [2, 3]], [[], [4]]]
    assert lists(two) == [[[1], [2, 3]], [[], [4]]]
    two[:, 1] = [[5], [6, 7]]
    assert lists(two) == [[[1], [5]], [[], [6, 7]]]
    scalar = ragged(())
    assert scalar[()].tolist() == []
    scalar[...] = [1, 2]
    assert scalar[()].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("selection", "value", "message"),
    [
        (0, 5, "expected an array of one axis as an element, found 5"),
        (0, None, "expected an array of one axis as an element, found None"),
        (0, np.array([[1, 2]]), "found 2 axes"),
        (0, [1.5], r"expected elements that hold numbers of the type int32, found np.float64\(1.5\)"),
        (0, np.array([2**40]), "found np.int64"),
        (0, [float("nan")], "found np.float64"),
        (0, ["a"], "elements|invalid literal"),
        (slice(None), np.array([1, 3, 5]), "expected a list of arrays, one for each element, found one array of 3"),
        (slice(None), [1, 3, 5], "expected an array of one axis as an element, found 1"),
        (slice(None), [[1], None, [2]], "found None"),
        (slice(None), [[1], [2]], "broadcasts to the selected shape"),
    ],
)
def test_what_is_no_element_of_a_ragged_array_is_refused_and_changes_nothing(selection, value, message):
    z = ragged()
    z[:] = ITEMS
    with pytest.raises(ValueError, match=message):
        z[selection] = value
    assert lists(z) == ITEMS


def test_what_nobody_wrote_is_empty_in_files_of_zarr_python_2_too():
    for fill in (0, None, "", []):
        store = {}
        ragged(store=store, fill_value=None)
        store[".zarray"] = store[".zarray"].replace(
            b'"fill_value": null', b'"fill_value": %s' % repr(fill).replace("None", "null").replace("'", '"').encode()
        )
        z = zarr.open_array(store)
        assert lists(z) == [[], [], []]
        z[1] = [1]
        assert lists(z) == [[], [1], []]
    assert ragged().metadata.document["fill_value"] == 0, "as zarr-python 2 writes it"
    assert lists(ragged(fill_value=[4, 5]))[0] == [4, 5]
    with pytest.raises(MetadataError, match=r"fill_value.*expected an array of one axis"):
        ragged(fill_value="word")


def test_other_objects_that_nobody_wrote_are_none_or_what_the_fill_value_says():
    assert objects()[:].tolist() == [None, None, None]
    assert objects(fill_value=None)[:].tolist() == [None, None, None]
    assert objects(fill_value=0)[:].tolist() == [0, 0, 0]
    assert objects(fill_value={"a": [1]})[:].tolist() == [{"a": [1]}] * 3
    labels = {"id": "categorize", "dtype": "|O", "astype": "|u1", "labels": ["a", "b"]}
    a = zarr.create_array({}, shape=3, chunks=3, dtype=object, filters=[labels], zarr_format=2)
    a[1] = "b"
    assert a[:].tolist() == ["", "b", ""]
    with pytest.raises(ChunkError, match=r"categorize.*one of the labels.*found c"):
        a[0] = "c"
    assert a[:].tolist() == ["", "b", ""]


@pytest.mark.parametrize("codec", ["json2", "msgpack2"])
def test_an_object_set_by_its_index_is_stored_as_it_is(codec):
    if codec == "msgpack2":
        pytest.importorskip("msgpack", reason="the package msgpack is not installed")
    z = objects(codec, chunks=2)
    for i, item in enumerate([[1, 2], {"a": [None]}, "text"]):
        z[i] = item
    assert z[:].tolist() == [[1, 2], {"a": [None]}, "text"]
    z[:] = [[1], [2, 3], []]
    assert z[:].tolist() == [[1], [2, 3], []]
    z[:] = [[1, 2], [3, 4], [5, 6]]  # lists of one length stay lists
    assert z[:].tolist() == [[1, 2], [3, 4], [5, 6]]
    z[1:] = None
    assert z[:].tolist() == [[1, 2], None, None]
    z[:] = np.arange(3)
    assert z[:].tolist() == [0, 1, 2]
    one = np.empty((), object)
    one[()] = [7, 8]
    z[0] = one
    assert z[0] == [7, 8]
    table = objects(codec, shape=(2, 2))
    table[...] = [[1, [2]], [{"a": 3}, None]]
    assert table[...].tolist() == [[1, [2]], [{"a": 3}, None]]
    with pytest.raises(ValueMismatchError, match="rows of one length"):
        table[...] = [[1, 2], [3]]


def test_ragged_arrays_are_copied_and_rechunked():
    z = ragged(chunks=2)
    z[:] = ITEMS
    store = {}
    rechunk(z, store, chunks=(1,))
    assert lists(zarr.open_array(store)) == ITEMS
    assert lists(zarr.copy(z, {}, name="b")) == ITEMS
    like = zarr.empty_like(z)
    assert lists(like) == [[], [], []]
    like[:] = z
    assert lists(like) == ITEMS


def test_numcodecs_own_objects_are_taken():
    z = zarr.empty(2, dtype=object, object_codec=numcodecs.VLenArray(int), zarr_format=2)
    z[0] = np.array([1, 3, 5])
    assert lists(z) == [[1, 3, 5], []]
