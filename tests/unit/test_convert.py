"""From Zarr 2 to 3 and back: in place where the chunks can stay, anew where they cannot, and never with a loss."""

from __future__ import annotations

import json

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr import nodes
from tutorial_zarr.errors import ConversionError, NodeNotFoundError
from tutorial_zarr.nodes import ZarrWarning
from tutorial_zarr.stores import MemoryStore, TraceStore, WrapperStore
from tutorial_zarr.tools.convert import content_hash, remove_metadata, to_v2, to_v3
from tutorial_zarr.tools.convert.formats import spell

V2_KEYS = {"name": "v2", "separator": "."}


def old_tree(store=None):
    """A hierarchy of Zarr 2 with one array of each kind of layout."""
    root = zarr.create_group({} if store is None else store, zarr_format=2, attributes={"title": "old"})
    number = np.arange(12, dtype="f4").reshape(4, 3)
    root.create_array("plain", data=number, chunks=(2, 2), compressors=None)
    root.create_array("big", data=number.astype(">f8"), dtype=">f8", chunks=(2, 2), compressors="gzip")
    root.create_array("g/fortran", data=number, chunks=(2, 2), order="F", dimension_separator="/")
    root.create_array("g/delta", data=np.arange(9), chunks=4, filters=[{"id": "delta", "dtype": "<i8"}])
    root.create_array("g/text", data=np.array(["a", "", "ü", "long"], object), dtype=str, chunks=3)
    blosc = {"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": -1, "blocksize": 0}
    root.create_array("g/blosc", data=np.arange(9, dtype="u2"), chunks=4, dimension_names=["t"], compressors=blosc)
    root.create_array("g/date", data=np.arange(3).astype("M8[D]"), chunks=2, attributes={"n": [1, {"deep": None}]})
    return root


def new_tree(store=None):
    """A hierarchy of Zarr 3 all of whose arrays Zarr 2 can say."""
    root = zarr.create_group({} if store is None else store, attributes={"title": "new"})
    number = np.arange(12, dtype="f4").reshape(4, 3)
    options = {"chunks": (2, 2), "chunk_key_encoding": V2_KEYS}
    root.create_array("plain", data=number, compressors=None, dimension_names=["y", "x"], **options)
    root.create_array("big", data=number, dtype=">f4", compressors=["gzip"], **options)
    root.create_array(
        "g/fortran", data=number, order="F", chunks=(2, 2), chunk_key_encoding={"name": "v2", "separator": "/"}
    )
    root.create_array("g/two", data=number, compressors=["zstd", "crc32c"], **options)
    root.create_array("g/text", data=np.array(["a", "", "ü"], object), dtype=str, chunks=2, chunk_key_encoding="v2")
    return root


def hashes(root):
    return {p: content_hash(n) for p, n in root.members(max_depth=None) if isinstance(n, zarr.Array)}


def documents(store, zarr_format):
    names = ("zarr.json",) if zarr_format == 3 else (".zarray", ".zgroup", ".zattrs", ".zmetadata")
    return {key: bytes(store.get(key)) for key in store.list_prefix("") if key.rpartition("/")[2] in names}


# --- in place


@pytest.mark.parametrize(("make", "convert", "old"), [(old_tree, to_v3, 2), (new_tree, to_v2, 3)])
def test_in_place_only_documents_are_written_and_the_elements_are_the_same(make, convert, old):
    store = TraceStore(MemoryStore())
    root = make(store)
    before, expected = dict(store.store.mapping), hashes(root)
    store.clear()
    converted = convert(root)
    written = [request.key for request in store.requests if request.verb == "PUT"]
    assert set(written) == set(documents(store, 5 - old))
    assert written[-1] in ("zarr.json", ".zgroup")
    assert {key: value for key, value in store.store.mapping.items() if key in before} == before
    assert converted.zarr_format == 5 - old
    assert hashes(converted) == expected
    assert {p: {k: v for k, v in n.attrs.items() if k != "_ARRAY_DIMENSIONS"} for p, n in converted.members(None)} == {
        p: {k: v for k, v in n.attrs.items() if k != "_ARRAY_DIMENSIONS"} for p, n in root.members(None)
    }
    assert {p: n.dimension_names for p, n in converted.members(None) if isinstance(n, zarr.Array)} == {
        p: n.dimension_names for p, n in root.members(None) if isinstance(n, zarr.Array)
    }


@pytest.mark.parametrize(("make", "convert", "old"), [(old_tree, to_v3, 2), (new_tree, to_v2, 3)])
def test_a_conversion_is_undone_or_finished_by_removing_documents(make, convert, old):
    store = MemoryStore()
    expected = hashes(make(store))
    before = dict(store.mapping)
    convert(store)
    plan = remove_metadata(store, 5 - old, dry_run=True)
    assert set(plan.sizes) == set(documents(store, 5 - old))
    remove_metadata(store, 5 - old)
    assert dict(store.mapping) == before
    convert(store)
    remove_metadata(store, old)
    assert documents(store, old) == {}
    assert hashes(zarr.open_group(store, mode="r")) == expected
    with pytest.raises(NodeNotFoundError, match=f"expected documents of Zarr {old}"):
        remove_metadata(store, old)


@pytest.mark.parametrize("make", [old_tree, new_tree])
def test_there_and_back_again_the_documents_say_the_same(make):
    store = MemoryStore()
    root = make(store)
    there, back = (to_v3, to_v2) if root.zarr_format == 2 else (to_v2, to_v3)
    first = {p: n.metadata.document for p, n in root.members(None)}
    there(store)
    remove_metadata(store, root.zarr_format)
    again = back(store)
    for path, node in again.members(None):
        assert node.attrs.asdict() == root[path].attrs.asdict() if root.zarr_format == 3 else True
        if isinstance(node, zarr.Array):
            keys = ("shape", "chunks", "dtype", "fill_value", "order", "filters", "data_type", "chunk_grid")
            assert {k: node.metadata.document.get(k) for k in keys} == {k: first[path].get(k) for k in keys}


def test_a_dry_run_says_what_becomes_of_each_node_and_writes_nothing():
    root = new_tree()
    root.create_array("shards", shape=(4,), chunks=(1,), shards=(2,), dtype="i1")
    root.create_array("half", shape=(4,), dtype="bfloat16", chunk_key_encoding="v2") if _ml_dtypes() else None
    root.create_array("names", shape=(4, 2), dtype="i1", chunk_key_encoding="v2", dimension_names=["x", None])
    before = dict(root.store.mapping)
    plan = to_v2(root, dry_run=True)
    assert dict(root.store.mapping) == before
    lines = str(plan).splitlines()
    assert lines[0] == f"convert the root of {root.store!r} to Zarr 2: {len(plan.nodes)} nodes"
    assert "  /          metadata only" in lines
    reasons = "chunk keys such as c/0 are not Zarr 2's; Zarr 2 has no shards (sharding_indexed)"
    assert f"  shards     must be rewritten: {reasons}" in lines
    problem = "its dimension names ['x', None] have one that is null, for which Zarr 2 has no place"
    assert f"  names      impossible: {problem}" in lines
    assert {n["path"]: n["how"] for n in plan.to_json()["nodes"]}["plain"] == "metadata only"
    with pytest.raises(ConversionError, match=r"found \d of \d+ that cannot: .*'names' impossible"):
        to_v2(root)
    assert dict(root.store.mapping) == before


def _ml_dtypes():
    try:
        import ml_dtypes  # noqa: F401
    except ImportError:
        return False
    return True


def test_what_must_be_rewritten_asks_for_a_target():
    root = zarr.create_group({})
    root.create_array("x", data=np.arange(4), chunks=2)
    with pytest.raises(
        ConversionError, match=r"'x' must be rewritten \(chunk keys such as c/0 are not Zarr 2's\); try target="
    ):
        to_v2(root)


# --- what would be lost


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"_nc": {"a": 1}}, r"the member '_nc' of its \.zarray has no place in Zarr 3"),
        ({"dtype": "|O", "filters": [{"id": "json2"}], "fill_value": None}, "Zarr v3 has no objects"),
        ({"filters": [{"id": "nobody-knows"}]}, "nobody-knows"),
    ],
)
def test_an_old_array_that_zarr_3_cannot_say_is_refused(change, message):
    store = MemoryStore()
    zarr.create_array(store, name="x", shape=(4,), dtype="i4", zarr_format=2)
    document = {**json.loads(store.mapping["x/.zarray"]), **change}
    store.mapping["x/.zarray"] = json.dumps(document).encode()
    before = dict(store.mapping)
    with pytest.raises(ConversionError, match=message):
        to_v3(store, path="x")
    assert dict(store.mapping) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"dtype": "f8", "fill_value": np.array(0x7FF8000000000001, "u8").view("f8")},
            "its fill value '0x7ff8000000000001' would become 'NaN'",
        ),
        (
            {"dtype": "i4", "dimension_names": ["x"], "attributes": {"_ARRAY_DIMENSIONS": ["y"]}},
            "contradicts its dimension names",
        ),
        ({"dtype": "int4"}, "has no Zarr v2 typestr"),
    ],
)
def test_a_new_array_that_zarr_2_cannot_say_is_refused(options, message):
    if options["dtype"] == "int4" and not _ml_dtypes():
        pytest.skip("the type int4 needs the package ml_dtypes")
    root = zarr.create_group({})
    root.create_array("x", shape=(4,), chunk_key_encoding="v2", **options)
    with pytest.raises(ConversionError, match=message):
        to_v2(root)
    with pytest.raises(ConversionError, match=message):
        to_v2(root, {})


def test_a_nan_that_an_attribute_has_stays_as_it_is():
    other = pytest.importorskip("zarr", reason="the second reader is not installed")
    from zarr.core.buffer.cpu import Buffer

    store = MemoryStore()
    zarr.create_group(store, zarr_format=2)
    zarr.create_array(store, name="x", data=np.arange(3), zarr_format=2)
    store.mapping["x/.zattrs"] = store.mapping[".zattrs"] = b'{"missing": NaN, "n": [1, -Infinity]}'
    anew = zarr.rechunk(zarr.open_array(store, path="x"), {}, chunks=2, zarr_format=3)
    for node in (anew, to_v3(store, MemoryStore()), to_v3(store)):
        assert repr(node.attrs.asdict()) == "{'missing': nan, 'n': [1, -inf]}"
        data = Buffer.from_bytes(bytes(node.store.get(nodes.join(node.path, "zarr.json"))))
        theirs = other.open(other.storage.MemoryStore({"zarr.json": data}), mode="r")
        assert repr(dict(theirs.attrs)) == "{'missing': nan, 'n': [1, -inf]}"


def test_members_of_a_group_that_the_other_format_does_not_know_are_refused():
    store = MemoryStore({".zgroup": b'{"zarr_format": 2, "_nc_group": {}}'})
    with pytest.raises(ConversionError, match=r"'_nc_group' of its \.zgroup has no place in Zarr 3"):
        to_v3(store)


def test_a_chunk_that_would_read_differently_is_noticed():
    """numcodecs' filters see big-endian numbers in Zarr 2; in Zarr 3 they see native ones."""
    store = MemoryStore()
    zarr.create_array(
        store, data=np.arange(5, dtype=">i4"), dtype=">i4", zarr_format=2, filters=[{"id": "delta", "dtype": ">i4"}]
    )
    plan = to_v3(store, dry_run=True)
    read = zarr.open_array(store)[...]
    if plan.nodes[0].how == "metadata only":
        assert to_v3(store)[...].tolist() == read.tolist()
    else:
        assert plan.nodes[0].reasons == ("the chunk 0 would be read as other elements",)
        assert to_v3(store, {})[...].tolist() == read.tolist()


def test_one_node_that_cannot_be_read_is_named_and_nothing_is_written():
    root = old_tree()
    root.store.mapping["plain/.zarray"] = b"{ no json"
    plan = to_v3(root, dry_run=True)
    assert [n.path for n in plan.of("impossible")] == ["plain"]
    assert "cannot be read" in plan.of("impossible")[0].reasons[0]
    with pytest.raises(ConversionError, match="'plain' impossible"):
        to_v3(root)


def test_notes_say_what_readers_take_differently():
    root = zarr.create_group({}, zarr_format=2)
    root.create_array("masked", shape=(2,), dtype="f4", fill_value=-1, dimension_names=["x"])
    root.create_array("undefined", shape=(2,), dtype="f4", fill_value=None)
    notes = {node.path: node.notes for node in to_v3(root, dry_run=True).nodes}
    assert "xarray takes the fill_value of Zarr 2 for _FillValue" in notes["masked"][0]
    assert "fill_value null becomes the default" in notes["undefined"][0]


# --- both at once


def test_both_formats_stand_beside_each_other_until_one_is_removed():
    store = MemoryStore()
    old_tree(store)
    to_v3(store)
    with pytest.warns(ZarrWarning, match=r"there is a \.zgroup of Zarr 2 beside zarr\.json"):
        assert zarr.open_group(store).zarr_format == 3
    assert zarr.open_group(store, zarr_format=2)["plain"].zarr_format == 2
    assert zarr.open_group(store, zarr_format=3)["plain"].zarr_format == 3


def test_documents_that_differ_are_not_removed():
    store = MemoryStore()
    old_tree(store)
    new = to_v3(store)
    new["plain"].attrs["changed"] = True
    for zarr_format in (2, 3):
        with pytest.raises(
            ConversionError, match="say the same at 'plain', found that those of Zarr 2 and Zarr 3 differ"
        ):
            remove_metadata(store, zarr_format)
    new.create_group("only here")
    with pytest.raises(ConversionError, match="a node of Zarr 2 at 'only here' as well, found none"):
        remove_metadata(store, 3, force=True)
    remove_metadata(store, 2, force=True)
    assert zarr.open_group(store, mode="r")["plain"].attrs["changed"] is True


def test_a_node_that_was_changed_since_is_not_written_over():
    store = MemoryStore()
    old_tree(store)
    to_v3(store)["plain"].attrs["changed"] = True
    before = dict(store.mapping)
    with pytest.raises(ConversionError, match=r"'plain' impossible \(there is a node of Zarr 3 already"):
        to_v3(store)
    assert dict(store.mapping) == before


def test_what_is_converted_already_is_left_alone():
    store = MemoryStore()
    old_tree(store)
    to_v3(store)
    before = dict(store.mapping)
    assert {node.how for node in to_v3(store, dry_run=True).nodes} == {"done already"}
    to_v3(store)
    assert dict(store.mapping) == before
    remove_metadata(store, 2)
    with pytest.raises(NodeNotFoundError, match="found one of Zarr 3 already"):
        to_v3(store)


# --- to another place


@pytest.mark.parametrize(("make", "convert"), [(old_tree, to_v3), (new_tree, to_v2)])
def test_into_another_store_bytes_are_copied_where_they_can_stay(make, convert):
    root = make()
    root.store.set("g/notes.txt", b"somebody's")
    before, target = dict(root.store.mapping), MemoryStore()
    converted = convert(root, target)
    assert dict(root.store.mapping) == before
    assert hashes(converted) == hashes(root)
    names = ("zarr.json", ".zarray", ".zgroup", ".zattrs")
    data = {key: value for key, value in before.items() if key.rpartition("/")[2] not in names}
    assert {key: value for key, value in target.mapping.items() if key.rpartition("/")[2] not in names} == data


def test_what_cannot_stay_is_written_anew():
    root = new_tree()
    data = np.arange(64).reshape(8, 8)
    root.create_array("shards", data=data, chunks=(2, 2), shards=(4, 4), dimension_names=["y", "x"])
    root.create_array("uneven", data=data, chunks=([3, 5], 4))
    target = zarr.create_group({}, zarr_format=2)
    converted = to_v2(root, target.create_group("below"))
    assert converted.path == "below"
    assert hashes(converted) == hashes(root)
    assert converted["shards"].chunks == (2, 2)
    assert converted["shards"].attrs["_ARRAY_DIMENSIONS"] == ["y", "x"]
    assert converted["uneven"].chunks == (5, 4)
    assert sorted(key for key in target.store.mapping if ".rechunk" in key) == []


def test_a_codec_without_a_spelling_is_named():
    root = zarr.create_group({})
    root.create_array("x", data=np.arange(8.0), filters=[{"name": "bitround", "configuration": {"keepbits": 9}}])
    with pytest.raises(ConversionError, match=r"its codecs \['bitround', 'bytes', 'zstd'\] have no spelling in Zarr 2"):
        to_v2(root, {})
    old = zarr.rechunk(root["x"], {}, zarr_format=2, compressors="gzip")  # says what to use instead
    assert old[...].tolist() == root["x"][...].tolist()


def test_a_target_that_is_taken_is_refused(tmp_path):
    root = old_tree(tmp_path / "old")
    taken = MemoryStore()
    zarr.create_array(taken, name="plain", data=np.arange(3))
    before = dict(taken.mapping)
    with pytest.raises(ConversionError, match=r"'plain' impossible \(there is a node of Zarr 3 already"):
        to_v3(root, taken)
    assert dict(taken.mapping) == before
    with pytest.raises(ConversionError, match="expected a target outside of the source"):
        to_v3(root, tmp_path / "old")
    with pytest.raises(ConversionError, match="found a node of Zarr 2 at '/'"):
        to_v3(root["g"], zarr.create_group({}, zarr_format=2))


@pytest.mark.parametrize(("make", "convert"), [(old_tree, to_v3), (new_tree, to_v2)])
@pytest.mark.parametrize("consolidate", [None, True, False])
@pytest.mark.parametrize("was", [True, False])
def test_consolidated_metadata_is_written_as_asked(make, convert, consolidate, was):
    store = MemoryStore()
    root = make(store)
    if was:
        zarr.consolidate_metadata(store)
    convert(store, consolidate=consolidate)
    remove_metadata(store, root.zarr_format)
    wanted = was if consolidate is None else consolidate
    if wanted:
        assert not zarr.is_stale(store)
    else:
        with pytest.raises(NodeNotFoundError, match="expected consolidated metadata"):
            zarr.open_consolidated(store)


def test_a_single_array_is_converted_too(tmp_path):
    array = zarr.create_array(tmp_path / "x", data=np.arange(4), chunks=2, zarr_format=2)
    new = to_v3(tmp_path / "x")
    assert isinstance(new, zarr.Array)
    assert new[...].tolist() == [0, 1, 2, 3]
    remove_metadata(tmp_path / "x", 2)
    assert zarr.open_array(tmp_path / "x").zarr_format == 3
    assert array.path == ""


# --- cut short


class StoppedError(Exception):
    """Stands for the end of the process."""


class Stopping(WrapperStore):
    """Stops at the write or deletion number `left`."""

    left = 10**6

    def _count(self):
        self.left -= 1
        if self.left < 0:
            raise StoppedError("here the process ends")

    def set(self, key, value):
        self._count()
        super().set(key, value)

    def delete(self, key):
        self._count()
        super().delete(key)


@pytest.mark.parametrize(("make", "convert", "old"), [(old_tree, to_v3, 2), (new_tree, to_v2, 3)])
def test_at_every_moment_the_store_opens_whole_and_the_conversion_goes_on(make, convert, old):
    template = make()
    expected, paths = hashes(template), [p for p, _ in template.members(None)]
    finished = MemoryStore(dict(template.store.mapping))
    counting = Stopping(finished)
    convert(counting)
    remove_metadata(counting, old)
    for step in range(10**6 - counting.left):
        store = Stopping(MemoryStore(dict(template.store.mapping)))
        store.left = step
        with pytest.raises(StoppedError, match="ends"):
            remove_metadata(convert(store), old)
        node = _quietly_opened(store.store)
        assert [p for p, _ in node.members(None)] == paths
        assert hashes(node) == expected
        if old in _formats(store.store):
            convert(store.store)
            remove_metadata(store.store, old)
        elif documents(store.store, old):
            remove_metadata(store.store, old)
        assert store.store.mapping == finished.mapping


def _quietly_opened(store):
    return zarr.open_group(store, mode="r", zarr_format=3 if 3 in _formats(store) else 2)


def _formats(store):
    return {n for n, name in ((2, ".zgroup"), (3, "zarr.json")) if store.exists(name)}


@pytest.mark.parametrize("convert", [to_v2])
def test_a_conversion_into_another_store_goes_on_where_it_stopped(convert):
    root = new_tree()
    root.create_array("shards", data=np.arange(64).reshape(8, 8), chunks=(2, 2), shards=(4, 4))
    whole = MemoryStore()
    counting = Stopping(whole)
    convert(root, counting)
    for step in range(0, 10**6 - counting.left, 3):
        target = Stopping(MemoryStore())
        target.left = step
        with pytest.raises(StoppedError, match="ends"):
            convert(root, target)
        convert(root, target.store)
        assert target.store.mapping == whole.mapping


def test_what_a_killed_writer_left_beside_the_source_or_at_the_target_is_not_taken_over():
    root = old_tree()
    root.store.set("plain/.unfinished/new/0.0", b"of a killed writer")
    target = MemoryStore({".zattrs": b'{"a": "killed deletion"}', "big/c/0/0": b"its chunk"})
    expected, source = MemoryStore(), to_v3(root, {})
    assert not [key for key in source.store.mapping if ".unfinished" in key]
    del source.attrs["title"]
    to_v2(source, expected)
    to_v2(source, target)
    assert target.mapping == expected.mapping


def test_files_at_the_target_are_not_written_over():
    root = old_tree()
    root.store.set("g/notes.txt", b"somebody's")
    target = MemoryStore({"g/notes.txt": b"somebody else's"})
    before = dict(target.mapping)
    with pytest.raises(ConversionError, match=r"expected nothing at key 'g/notes.txt' .*nothing was written"):
        to_v3(root, target)
    assert target.mapping == before
    target.set("g/notes.txt", b"somebody's")
    assert hashes(to_v3(root, target)) == hashes(root)


def test_a_spelling_can_be_asked_for_by_itself():
    spelled = spell(zarr.create_array({}, shape=(4,), dtype="i4", zarr_format=2).metadata, 3)
    assert (spelled.problems, spelled.rewrite) == ([], [])
    assert spelled.metadata.document["chunk_key_encoding"] == {"name": "v2", "configuration": {"separator": "."}}


# --- consolidated metadata of more than the root, and nodes below


@pytest.mark.parametrize(("make", "convert"), [(old_tree, to_v3), (new_tree, to_v2)])
@pytest.mark.parametrize("elsewhere", [False, True])
def test_every_group_that_was_consolidated_is(make, convert, elsewhere):
    store = MemoryStore()
    root = make(store)
    zarr.consolidate_metadata(store, path="g")
    target = MemoryStore() if elsewhere else None
    convert(store, target)
    if not elsewhere:
        remove_metadata(store, root.zarr_format)
    assert zarr.consolidated_differences(target or store, "g") == []
    with pytest.raises(NodeNotFoundError, match="expected consolidated metadata"):
        zarr.open_consolidated(target or store)


def test_consolidated_metadata_of_the_old_format_go_before_the_documents_that_they_copy():
    store = TraceStore(MemoryStore())
    old_tree(store)
    zarr.consolidate_metadata(store, path="g")
    zarr.consolidate_metadata(store)
    to_v3(store)
    store.clear()
    remove_metadata(store, 2)
    gone = [request.key for request in store.requests if request.verb == "DELETE"]
    assert gone[:2] == [".zmetadata", ".zgroup"]
    assert next(key for key in gone if key.startswith("g/")) == "g/.zmetadata"


def test_a_node_is_not_left_in_a_format_that_no_group_above_it_has():
    store = MemoryStore()
    old_tree(store)
    to_v3(store, path="g")
    before = dict(store.mapping)
    with pytest.raises(ConversionError, match=r"'g'.* expected a group of Zarr 3 above it.* convert the group above"):
        remove_metadata(store, 2, path="g")
    assert dict(store.mapping) == before
    remove_metadata(store, 3, path="g")
    assert documents(store, 3) == {}


# --- OME-Zarr


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def ome_image(place):
    """An image of OME-Zarr 0.4 with labels, as ome-zarr-py lays it out."""
    axes = [{"name": "c", "type": "channel"}, {"name": "y", "type": "space"}, {"name": "x", "type": "space"}]
    scale = [{"type": "scale", "scale": [1, 0.5, 0.5]}]
    image = {"version": "0.4", "name": "cells", "axes": axes,
             "datasets": [{"path": str(n), "coordinateTransformations": scale} for n in range(2)]}  # fmt: skip
    root = zarr.create_group(place, zarr_format=2, attributes={
        "multiscales": [image], "omero": {"id": 1, "version": "0.4", "channels": []}, "mine": 7})  # fmt: skip
    label = {"multiscales": [image], "image-label": {"version": "0.4"}}
    root.create_group("labels", attributes={"labels": ["nuclei"]})
    root.create_group("labels/nuclei", attributes=label)
    for path, shape in {
        "0": (1, 8, 8),
        "1": (1, 4, 4),
        "labels/nuclei/0": (1, 8, 8),
        "labels/nuclei/1": (1, 4, 4),
    }.items():
        root.create_array(path, data=np.ones(shape, "u2"), chunks=(1, 4, 4), dimension_separator="/")
    return root


@pytest.mark.parametrize("moves", [False, True])
def test_ome_zarr_0_4_becomes_0_5(tmp_path, moves):
    root = ome_image(tmp_path / "a")
    before = files(tmp_path / "a")
    new = to_v3(root, tmp_path / "b" if moves else None)
    assert dict(new.attrs)["mine"] == 7
    assert set(new.attrs) == {"mine", "ome"}
    ome = new.attrs["ome"]
    assert (ome["version"], set(ome)) == ("0.5", {"version", "multiscales", "omero"})
    assert ome["multiscales"] == [{k: v for k, v in root.attrs["multiscales"][0].items() if k != "version"}]
    assert ome["omero"] == {"id": 1, "channels": []}
    assert dict(new["labels"].attrs) == {"ome": {"version": "0.5", "labels": ["nuclei"]}}
    assert set(new["labels/nuclei"].attrs["ome"]) == {"version", "multiscales", "image-label"}
    for path in ("0", "1", "labels/nuclei/0"):
        assert new[path].dimension_names == ("c", "y", "x")
        assert np.array_equal(new[path][...], np.ones(new[path].shape, "u2"))
    if not moves:  # both say the same, so that either can be removed
        remove_metadata(tmp_path / "a", 3)
        assert files(tmp_path / "a") == before
        to_v3(tmp_path / "a")
        remove_metadata(tmp_path / "a", 2)
        assert zarr.open_group(tmp_path / "a", mode="r").attrs["ome"]["version"] == "0.5"
    else:
        back = to_v2(new, tmp_path / "c")
        assert back.attrs["multiscales"] == root.attrs["multiscales"]
        assert back["labels"].attrs["labels"] == ["nuclei"]


def test_ome_zarr_0_5_is_what_its_models_take(tmp_path):
    models = pytest.importorskip("ome_zarr_models", reason="a reader of OME-Zarr's metadata is not installed")
    to_v3(ome_image(tmp_path / "a"), tmp_path / "b")
    other = pytest.importorskip("zarr")
    models.open_ome_zarr(other.open_group(tmp_path / "b", mode="r"), version="0.5")


def test_ome_zarr_of_another_version_stays_and_says_so():
    root = zarr.create_group({}, zarr_format=2, attributes={"multiscales": [{"version": "0.3", "axes": ["y", "x"]}]})
    (plan,) = to_v3(root, dry_run=True).nodes
    assert "OME-Zarr metadata of version 0.3 stay as they are" in plan.notes[0]
    assert dict(to_v3(root).attrs) == {"multiscales": [{"version": "0.3", "axes": ["y", "x"]}]}


@pytest.mark.parametrize(
    "attributes",
    [{"labels": ["a"]}, {"series": [1]}, {"omero": 3}, {"multiscales": 5}, {"multiscales": [5]}, {"plate": None},
     {"multiscales": [{"axes": [3], "datasets": 4}]}, {"ome": 4}, {"ome": {"multiscales": [None]}}],
)  # fmt: skip
def test_attributes_that_only_look_like_ome_zarr_lose_nothing(attributes):
    root = zarr.create_group({}, zarr_format=2, attributes=attributes)
    root.create_array("0", shape=(2,), chunks=2)
    new = to_v3(root)
    values = list(new.attrs.values())
    assert list(attributes.values())[0] in values or list(attributes.values())[0] in values[0].values()  # noqa: RUF015


def test_a_web_servers_group_is_converted_by_its_consolidated_metadata(tmp_path):
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
    from threading import Thread

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def list_directory(self, path):
            return self.send_error(404)

    pytest.importorskip("urllib3")
    root = zarr.create_group(tmp_path / "a", zarr_format=2)
    root.create_array("g/x", data=np.arange(6), chunks=2)
    root.create_array("y", data=np.arange(4), chunks=2)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/a"
        with pytest.raises(zarr.errors.StoreError, match="a web server, which does not"):
            zarr.convert.to_v3(url, tmp_path / "b")
        zarr.consolidate_metadata(tmp_path / "a")
        new = zarr.convert.to_v3(url, tmp_path / "b")
    finally:
        server.shutdown()
        server.server_close()
    assert new["g/x"][...].tolist() == list(range(6))
    assert new["y"][...].tolist() == list(range(4))
    assert [path for path, _ in new.members(max_depth=None)] == ["g", "g/x", "y"]
