"""Attributes: no change is lost, a handle of what is no more refuses, a NaN that was there stays."""

import json
import math
import multiprocessing
import threading

import pytest

import tutorial_zarr as zarr
from tutorial_zarr.errors import MetadataError, NodeNotFoundError, ReadOnlyError
from tutorial_zarr.metadata import dump_json, parse_json
from tutorial_zarr.metadata.model import keep_constants
from tutorial_zarr.stores import LocalStore, MemoryStore, SQLiteStore, TraceStore

FORMATS = pytest.mark.parametrize("zarr_format", [2, 3])
KINDS = pytest.mark.parametrize("kind", ["array", "group"])


def make(store, kind, zarr_format=3, path="x", **options):
    if kind == "group":
        return zarr.create_group(store, path=path, zarr_format=zarr_format, **options)
    return zarr.create_array(store, name=path, shape=(2,), dtype="i4", zarr_format=zarr_format, **options)


def reopened(store, path="x"):
    return zarr.open(store, path=path, mode="r").attrs.asdict()


@FORMATS
@KINDS
@pytest.mark.parametrize("place", ["memory", "folder", "sqlite"])
def test_threads_and_handles_that_each_set_one_lose_none(kind, zarr_format, place, tmp_path):
    store = {
        "memory": MemoryStore,
        "folder": lambda: LocalStore(tmp_path),
        "sqlite": lambda: SQLiteStore(tmp_path / "s"),
    }
    store = store[place]()
    node = make(store, kind, zarr_format)
    handles = [node, *(zarr.open(store, path="x", mode="r+") for _ in range(2))]
    threads = [threading.Thread(target=handles[i % 3].attrs.__setitem__, args=(f"k{i}", i)) for i in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert reopened(store) == {f"k{i}": i for i in range(24)}


def _set_some(folder, start):
    attributes = zarr.open(folder, path="x", mode="r+").attrs
    for i in range(start, start + 8):
        attributes[f"k{i}"] = i


@KINDS
def test_processes_that_each_set_some_lose_none(kind, tmp_path):
    make(LocalStore(tmp_path), kind)
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_set_some, args=(str(tmp_path), start)) for start in (0, 8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert reopened(tmp_path) == {f"k{i}": i for i in range(16)}


@FORMATS
@KINDS
def test_every_way_of_changing_is_applied_to_what_is_stored(kind, zarr_format):
    store = MemoryStore()
    one, other = make(store, kind, zarr_format).attrs, zarr.open(store, path="x", mode="r+").attrs
    one["a"] = 1
    other.update(b=2, c=3)
    assert one.setdefault("b", 9) == 2
    assert one.pop("c") == 3
    assert one.pop("c", "none") == "none"
    with pytest.raises(KeyError):
        del other["c"]
    assert reopened(store) == {"a": 1, "b": 2}
    other.put({"d": 4})
    assert reopened(store) == {"d": 4}
    one["e"] = 5
    assert one.asdict() == {"d": 4, "e": 5}
    del one["d"]
    other.clear()
    assert reopened(store) == {}


@FORMATS
@KINDS
@pytest.mark.parametrize("now", ["array", "group", "nothing"])
def test_a_handle_of_what_was_replaced_or_deleted_refuses(kind, zarr_format, now):
    store = MemoryStore()
    root = zarr.create_group(store, zarr_format=zarr_format)
    old = make(store, kind, zarr_format)
    del root["x"]
    if now != "nothing":
        options = {"overwrite": True} | ({"attributes": {"is": "new"}} if now == "group" else {})
        make(store, now, zarr_format, **options)
        if now == kind == "array":  # of another type
            zarr.create_array(store, name="x", shape=(2,), dtype="f8", zarr_format=zarr_format, overwrite=True)
    before = dict(store.mapping)
    if now == kind == "group":
        old.attrs["late"] = 1  # a group has no nature but to be one
        assert reopened(store) == {"is": "new", "late": 1}
        return
    with pytest.raises((MetadataError, NodeNotFoundError), match=r"replaced since|deleted since"):
        old.attrs["late"] = 1
    assert store.mapping == before


def test_an_attribute_of_a_group_keeps_its_newest_consolidated_metadata():
    store = MemoryStore()
    early = zarr.create_group(store)
    zarr.consolidate_metadata(store)
    zarr.open_group(store, mode="r+").create_group("later")
    early.attrs["finished"] = True
    assert list(zarr.open_consolidated(store)) == ["later"]
    assert not zarr.is_stale(store)


@FORMATS
@KINDS
def test_consolidated_metadata_stay_true(kind, zarr_format):
    store = MemoryStore()
    zarr.create_group(store, zarr_format=zarr_format)
    node = make(store, kind, zarr_format, path="g/x")
    zarr.consolidate_metadata(store)
    zarr.consolidate_metadata(store, path="g")
    node.attrs["units"] = "K"
    assert zarr.open_consolidated(store)["g/x"].attrs.asdict() == {"units": "K"}
    assert zarr.open_consolidated(store, path="g")["x"].attrs.asdict() == {"units": "K"}
    assert not zarr.is_stale(store)
    assert not zarr.is_stale(store, "g")


def test_an_array_of_version_1_takes_its_attributes_along():
    meta = {"zarr_format": 1, "shape": [2], "chunks": [2], "dtype": "<i4", "compression": None,
            "compression_opts": None, "fill_value": 0, "order": "C"}  # fmt: skip
    store = MemoryStore({"meta": json.dumps(meta).encode(), "attrs": b'{"old": 1}', "0": bytes(8)})
    zarr.open_array(store, mode="r+").attrs["new"] = 2
    assert zarr.open_array(store, mode="r").attrs.asdict() == {"old": 1, "new": 2}


def test_one_attribute_costs_a_read_and_a_write_and_a_look_at_each_group_above():
    trace = TraceStore(MemoryStore())
    root, deep = make(trace, "array", path=""), None
    trace.clear()
    root.attrs["a"] = 1
    assert [request[:2] for request in trace.requests] == [("GET", "zarr.json"), ("PUT", "zarr.json")]
    trace = TraceStore(MemoryStore())
    deep = make(trace, "array", path="g/x")
    trace.clear()
    deep.attrs["a"] = 1
    assert [request[:2] for request in trace.requests] == [
        ("GET", "g/x/zarr.json"),
        ("PUT", "g/x/zarr.json"),
        ("GET", "g/zarr.json"),
        ("GET", "zarr.json"),
    ]


def test_who_may_only_read_changes_nothing():
    store = MemoryStore()
    make(store, "array")
    with pytest.raises(ReadOnlyError):
        zarr.open(store, path="x", mode="r").attrs["a"] = 1


# --- NaN


@FORMATS
@KINDS
def test_a_nan_that_was_there_stays_whatever_else_changes(kind, zarr_format):
    """zarr-python and xarray write it bare; it is read, and written back as it was."""
    store = MemoryStore()
    make(store, kind, zarr_format, attributes={"valid_min": 1})
    key = "x/zarr.json" if zarr_format == 3 else "x/.zattrs"
    store.mapping[key] = store.mapping[key].replace(b'"valid_min": 1', b'"valid_min": [NaN, -Infinity, Infinity]')
    node = zarr.open(store, path="x", mode="r+")
    node.attrs["units"] = "K"
    if kind == "array":
        node.append([1])
        node.resize(7)
    text = b"".join(store.mapping[key].split())
    assert b'"valid_min":[NaN,-Infinity,Infinity]' in text
    assert reopened(store)["units"] == "K"
    node.attrs["valid_min"] = "none"
    assert b"NaN" not in store.mapping[key]


@FORMATS
def test_an_array_with_such_an_attribute_can_be_copied_and_stored_again(zarr_format):
    store = MemoryStore()
    root = zarr.create_group(store, zarr_format=zarr_format)
    root.create_array("x", data=[1, 2], attributes={"valid_min": 1})
    key = "x/zarr.json" if zarr_format == 3 else "x/.zattrs"
    store.mapping[key] = store.mapping[key].replace(b'"valid_min": 1', b'"valid_min": NaN')
    root["y"] = root["x"]
    root["x"] = root["x"]
    assert math.isnan(root["y"].attrs["valid_min"])
    assert math.isnan(root["x"].attrs["valid_min"])
    assert root["x"][...].tolist() == [1, 2]


@FORMATS
@KINDS
@pytest.mark.parametrize("value", [math.nan, [1.0, math.inf]])
def test_a_new_nan_is_refused_with_the_way_out(kind, zarr_format, value):
    store = MemoryStore()
    node = make(store, kind, zarr_format)
    before = dict(store.mapping)
    with pytest.raises(MetadataError, match=r"the number (nan|inf) at missing.*try a string or null"):
        node.attrs["missing"] = value
    with pytest.raises(MetadataError, match="try a string or null"):
        make(store, kind, zarr_format, path="y", attributes={"missing": value})
    assert store.mapping == before


def test_what_comes_from_a_file_that_holds_nan_may_be_written():
    kept = keep_constants({"range": [math.nan, 3.0], "name": "a", "deep": {"x": -math.inf}})
    found = parse_json(dump_json(kept), "zarr.json")
    assert repr(found) == "{'range': [nan, 3.0], 'name': 'a', 'deep': {'x': -inf}}"


@FORMATS
def test_a_bare_nan_as_a_fill_value_is_read_and_spelt_right_with_the_next_change(zarr_format):
    store = MemoryStore()
    zarr.create_array(store, shape=(2,), dtype="f4", fill_value=0.5, zarr_format=zarr_format)
    key = "zarr.json" if zarr_format == 3 else ".zarray"
    store.mapping[key] = store.mapping[key].replace(b"0.5", b"NaN")
    array = zarr.open_array(store, mode="r+")
    assert math.isnan(array[0])
    array.resize(3)
    assert json.loads(store.mapping[key])["fill_value"] == "NaN"
    store.mapping[key] = store.mapping[key].replace(b'"NaN"', b"NaN")
    with pytest.raises(MetadataError, match="bare constant NaN"):
        zarr.open_array(store, mode="r", strict=True)
