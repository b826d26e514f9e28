"""Whatever makes or replaces a node leaves the old one, the new one, or a mark with which the same call goes on.

Each operation is cut short at each of its writes, in two ways: killed (nothing after that write happens, no clean-up
either), and by an error of the store that passes. In between nobody may meet elements of another array, or fill
values in the place of elements.
"""

import contextlib
import itertools
import json
import sys
import threading

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr import convert, doctor, replacing
from tutorial_zarr.errors import NodeExistsError, NodeNotFoundError, StoreError, ZarrError
from tutorial_zarr.stores import LocalStore, MemoryStore, SQLiteStore, TraceStore, WrapperStore, writers

OLD, NEW = np.arange(1, 9, dtype="i4"), np.arange(101, 109, dtype="i4")


class Killed(BaseException):
    """Nothing runs after this."""


class CutShort(WrapperStore):
    """Its write number `at` does not happen; killed, none does after it."""

    def __init__(self, store, at, killed):
        super().__init__(store)
        self.at, self.killed, self.writes = at, killed, 0

    def _write(self):
        self.writes += 1
        if self.killed and self.writes > self.at:
            raise Killed
        if self.writes == self.at + 1:
            raise StoreError("503: slow down")

    def set(self, key, value):
        self._write()
        self.store.set(key, value)

    def delete(self, key):
        self._write()
        self.store.delete(key)


def a_folder(tmp_path):
    return LocalStore(tmp_path / "store")


def a_database(tmp_path):
    tmp_path.mkdir()
    return SQLiteStore(tmp_path / "store.sqlite")


def in_memory(tmp_path):
    return MemoryStore()


def old_array(store, zarr_format):
    zarr.create_array(store, name="g/x", data=OLD, chunks=(2,), zarr_format=zarr_format, attributes={"is": "old"})
    zarr.consolidate_metadata(store)


def old_group(store, zarr_format):
    zarr.create_array(store, name="g/x/deep", data=OLD, chunks=(2,), zarr_format=zarr_format)
    zarr.consolidate_metadata(store)


def nothing(store, zarr_format):
    zarr.create_group(store, zarr_format=zarr_format)
    zarr.consolidate_metadata(store)


def from_numpy(store, zarr_format):
    options = {"chunks": (4,), "overwrite": True, "attributes": {"is": "new"}, "zarr_format": zarr_format}
    zarr.create_array(store, name="g/x", data=NEW, **options)


def from_an_array(store, zarr_format):
    """The source is read while the old one is replaced."""
    source = zarr.create_array({}, data=NEW, chunks=(3,))
    zarr.create_array(store, name="g/x", data=source, chunks=(4,), overwrite=True, zarr_format=zarr_format,
                      attributes={"is": "new"})  # fmt: skip


def with_a_cast(store, zarr_format):
    zarr.create_array(store, name="g/x", data=NEW.astype("f8"), dtype="i4", chunks=(4,), overwrite=True,
                      zarr_format=zarr_format, attributes={"is": "new"})  # fmt: skip


def without_elements(store, zarr_format):
    zarr.create_array(store, name="g/x", shape=(8,), dtype="i4", chunks=(4,), fill_value=5, overwrite=True,
                      zarr_format=zarr_format, attributes={"is": "new"})  # fmt: skip


def a_group(store, zarr_format):
    zarr.create_group(store, path="g/x", overwrite=True, zarr_format=zarr_format, attributes={"is": "new"})


def seen(store, path="g/x"):
    """What a reader finds there, of a group all that it holds."""
    try:
        node = zarr.open(store, path=path, mode="r", use_consolidated=False)
    except NodeNotFoundError as error:
        return "unfinished" if "unfinished" in str(error) else "nothing"
    found = node[...].tolist() if isinstance(node, zarr.Array) else dict(zarr.load(store, path=path).items())
    return str((dict(node.attrs), found))


MAKE = [from_numpy, from_an_array, with_a_cast, without_elements, a_group]
WAYS = [(in_memory, before, make, f) for before in (nothing, old_array, old_group) for make in MAKE for f in (2, 3)]
WAYS += [(place, old_array, make, 3) for place in (a_folder, a_database) for make in MAKE]


@pytest.mark.parametrize("killed", [True, False], ids=["killed", "error"])
@pytest.mark.parametrize(("place", "before", "make", "zarr_format"), WAYS)
def test_cut_short_at_any_write(place, before, make, zarr_format, killed, tmp_path):
    whole = place(tmp_path / "whole")
    before(whole, zarr_format)
    make(whole, zarr_format)
    wanted, keys = seen(whole), {key: bytes(whole.get(key)) for key in whole.list_prefix()}
    for at in range(60):
        store = place(tmp_path / str(at))
        before(store, zarr_format)
        was = seen(store)
        cut = CutShort(store, at, killed)
        try:
            make(cut, zarr_format)
            break
        except (Killed, StoreError):
            pass
        found = seen(store)
        assert found in (was, wanted, "nothing", "unfinished"), (at, found)
        if found not in (was, wanted):
            assert replacing.read_mark(store, "g/x") is not None, at
        make(store, zarr_format)
        assert seen(store) == wanted, at
        assert {key: bytes(store.get(key)) for key in store.list_prefix()} == keys, at
        assert not zarr.is_stale(store)
    assert at > 1


# --- several at once


def test_of_two_that_make_an_array_one_does_and_the_other_is_told(tmp_path):
    for place in (in_memory, a_folder, a_database):
        store, outcomes = place(tmp_path / place.__name__), []

        def act(dtype, data, store=store, outcomes=outcomes):
            try:
                zarr.create_array(store, name="g/x", dtype=dtype, **data)
                outcomes.append(dtype)
            except NodeExistsError:
                outcomes.append(None)

        for data in ({"shape": (4,)}, {"data": np.arange(4)}):
            outcomes.clear()
            threads = [threading.Thread(target=act, args=(dtype, data)) for dtype in ("i4", "f8", "u2", "i8")]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            [made] = filter(None, outcomes)
            assert zarr.open_array(store, path="g/x", mode="r").dtype == made
            assert not [key for key in store.list_prefix() if ".unfinished" in key]
            del zarr.open_group(store, path="g", mode="r+")["x"]


def test_a_place_at_which_somebody_works_is_refused_and_free_again_after():
    store = MemoryStore()
    old_array(store, 3)
    documents = {"g/x/zarr.json": store.get("g/x/zarr.json")}
    with replacing.Replacement(store, "g/x", documents, "create array", overwrite=True, staged=True):
        with pytest.raises(NodeExistsError, match=r"at work there.*'create array', begun 0 s ago by process"):
            from_numpy(store, 3)
        with pytest.raises(StoreError, match="try again when that is done"):
            replacing.finish(store, "g/x")
        assert zarr.open_array(store, path="g/x", mode="r")[:].tolist() == OLD.tolist()
    from_numpy(store, 3)


def test_who_was_taken_for_gone_does_not_publish(monkeypatch):
    """After an hour elsewhere counts a mark as left behind; then the one who took over has the place."""
    store = MemoryStore()
    old_array(store, 3)
    one = replacing.Replacement(store, "g/x", {}, "create array", overwrite=True, staged=True)
    one.__enter__()
    monkeypatch.setattr(writers, "_host", lambda: "elsewhere")
    monkeypatch.setattr(writers.time, "time", lambda: one.mark.since + 4000)
    from_numpy(store, 3)
    with pytest.raises(StoreError, match="took over"):
        one.__exit__(None, None, None)
    assert zarr.open_array(store, path="g/x", mode="r")[:].tolist() == NEW.tolist()


def test_opening_for_writing_completes_what_was_all_there():
    store = MemoryStore()
    old_array(store, 3)
    for at in range(40):
        cut = CutShort(store, at, killed=True)
        try:
            from_an_array(cut, 3)
        except Killed:
            pass
        mark = replacing.read_mark(store, "g/x")
        if mark is not None and mark.complete and not store.exists("g/x/zarr.json"):
            with pytest.raises(NodeNotFoundError, match=r"unfinished 'create array'.*mode='r\+' to finish it"):
                zarr.open_array(store, path="g/x", mode="r")
            assert zarr.open_array(store, path="g/x", mode="r+")[:].tolist() == NEW.tolist()
            assert not [key for key in store.list_prefix() if ".unfinished" in key]
            return
    pytest.fail("no kill fell between the old and the new")


def by_from_dask(store, values):
    from tutorial_zarr.integrations import dask_arrays

    dask_arrays.from_dask(values, store, name="g/x", overwrite=True)


WAYS = {
    "from_dask": by_from_dask,
    "create_array": lambda store, values: zarr.create_array(store, name="g/x", data=values, overwrite=True),
    "item": lambda store, values: zarr.open_group(store, path="g").__setitem__("x", values),
}


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_values_made_from_the_old_array_are_not_made_once_more_from_the_new_one(way, fails):
    dask = pytest.importorskip("dask", reason="what reads from its target lazily is dask's")
    from tutorial_zarr.integrations import dask_arrays

    def call(store):
        source = zarr.open_array(store, path="g/x", mode="r")
        WAYS[way](store, dask_arrays.to_dask(source, chunks="units") + 1000)

    told = at = 0
    with dask.config.set(scheduler="synchronous"):
        while True:
            store = MemoryStore()
            old_array(store, 3)
            try:
                call(CutShort(store, at, killed=not fails))
                break
            except (Killed, StoreError):
                writers._active.clear()
            if "g/x/zarr.json" not in store.mapping:
                zarr.open_array(store, path="g/x", mode="r+")  # puts it in its place where neither is there
            if zarr.open_array(store, path="g/x", mode="r")[0] == OLD[0] or list(store.list_prefix("g/x/.unfinished")):
                try:
                    call(store)
                except StoreError as error:
                    assert "it is finished now; open it again" in str(error)  # noqa: PT017
                    told += 1
            assert zarr.open_array(store, path="g/x")[:].tolist() == (OLD + 1000).tolist()
            assert not list(store.list_prefix("g/x/.unfinished"))
            at += 1
    assert at > 5
    assert told


# --- what lies at a place


@pytest.mark.parametrize("name", ["c/0", "c/1/2", "c", "c.0"])
def test_chunks_that_a_deleted_array_left_do_not_come_to_light(name):
    store = MemoryStore({f"x/{name}": bytes(8)})
    zarr.create_array(store, name="x", shape=(2,), dtype="i4")
    assert f"x/{name}" not in store.mapping


@pytest.mark.parametrize("name", ["0", "0.0", "3/4", "deep/zarr.json", "deep/.zarray"])
def test_what_may_be_somebodys_is_refused_where_a_new_array_would_show_or_hide_it(name):
    store = MemoryStore({f"x/{name}": b"{}"})
    with pytest.raises(NodeExistsError, match=name):
        zarr.create_array(store, name="x", shape=(2,), dtype="i4", zarr_format=2)
    assert list(store.mapping) == [f"x/{name}"]


def test_other_files_at_the_place_stay_even_where_an_array_fails_to_be_made():
    store = MemoryStore({"x/readme.txt": b"mine"})
    with pytest.raises(ValueError, match="invalid literal"):
        zarr.create_array(store, name="x", data=np.array(["a"]), dtype="i4")
    assert list(store.mapping) == ["x/readme.txt"]
    zarr.create_array(store, name="x", data=np.arange(3))
    assert store.mapping["x/readme.txt"] == b"mine"


def test_attributes_of_a_deleted_array_are_not_taken_over():
    store = MemoryStore({"x/.zattrs": b'{"is": "old"}'})
    assert not zarr.create_array(store, name="x", shape=(2,), dtype="i4", zarr_format=2).attrs
    assert not zarr.open_array(store, path="x").attrs


def test_an_array_can_be_stored_over_itself_with_another_layout():
    root = zarr.create_group({})
    root.create_array("x", data=OLD, chunks=(3,), compressors=None, attributes={"a": 1}, dimension_names=["t"])
    root["x"] = root["x"]
    assert (root["x"].chunks, root["x"].compressors, root["x"].attrs["a"]) == ((3,), (), 1)
    root.create_array("x", data=root["x"], chunks=(5,), overwrite=True)
    assert (root["x"].chunks, root["x"][:].tolist()) == ((5,), OLD.tolist())
    root.create_group("g")
    with pytest.raises(NodeExistsError, match="saving over it would delete all its members"):
        root["g"] = OLD


@pytest.mark.parametrize("source", [2, 3])
@pytest.mark.parametrize("target", [2, 3])
def test_an_array_that_is_stored_in_a_group_keeps_its_nature(source, target):
    array = zarr.create_array({}, data=OLD, chunks=(3,), compressors="gzip", attributes={"a": 1}, zarr_format=source,
                              dimension_names=["t"])  # fmt: skip
    root = zarr.create_group({}, zarr_format=target)
    root["x"] = array
    found = root["x"]
    assert (found.chunks, found.dimension_names, found.attrs["a"]) == ((3,), ("t",), 1)
    assert [codec.name.removeprefix("numcodecs.") for codec in found.compressors] == ["gzip"]
    assert found[:].tolist() == OLD.tolist()


def test_a_large_array_is_stored_piece_by_piece(monkeypatch):
    monkeypatch.setattr(sys.modules["tutorial_zarr.create"], "_PIECE", 64)
    source = zarr.create_array({}, data=np.arange(200, dtype="i4").reshape(50, 4), chunks=(7, 2))
    made = zarr.create_array({}, data=source, chunks=(3, 4))
    assert np.array_equal(made[:], source[:])


class Refills(MemoryStore):
    """Another process adds a chunk whenever one is deleted."""

    times = 0

    def delete(self, key):
        super().delete(key)
        if self.times and key.startswith("x/c/"):
            self.times -= 1
            self.mapping["x/c/9"] = b"late"


def test_a_deletion_goes_on_while_others_write_and_says_when_it_gives_up():
    store = Refills()
    zarr.create_array(store, name="x", data=OLD, chunks=(2,))
    store.times = 2
    zarr.create_array(store, name="x", shape=(20,), dtype="i4", chunks=(2,), overwrite=True)
    assert not zarr.open_array(store, path="x")[:].any()
    zarr.create_array(store, name="x", data=OLD, chunks=(2,), overwrite=True)
    store.times = 10**6
    with pytest.raises(StoreError, match="x/c/9"):
        zarr.create_array(store, name="x", shape=(20,), dtype="i4", chunks=(2,), overwrite=True)


# --- what it costs


class Bucket(MemoryStore):
    """Updates on condition, as in a bucket."""

    conditional, update_deletes = True, False

    def get_tagged(self, key):
        value = self.get(key)
        return value, value if value is not None else zarr.stores.ABSENT

    def set_if(self, key, value, tag, writer=""):
        if self.get_tagged(key)[1] is not tag:
            return False
        self.set(key, value)
        return True


def requests_of(act, store):
    trace = TraceStore(store)
    act(trace)
    return " ".join(sorted(request.verb for request in trace.requests))


def test_requests_in_a_bucket():
    store = Bucket()
    zarr.create_group(store)
    create = {"shape": (2,), "dtype": "i4"}
    assert requests_of(lambda s: zarr.create_array(s, name="x", **create), store) == "GET GET GET LIST PUT"
    assert requests_of(lambda s: zarr.open_array(s, path="x", mode="r"), store) == "GET HEAD HEAD"
    data = requests_of(lambda s: zarr.create_array(s, name="y", data=np.arange(2)), store)
    assert data == "DELETE GET GET GET GET LIST LIST PUT PUT PUT"  # a mark, looked at again, beside chunk and document


# --- nodes that are added to a tree


def a_copy_that_adds(source, store):
    return zarr.copy(source, store, name="to", if_exists="skip")


def a_conversion(source, store):
    return convert.to_v2(source, zarr.open_group(store, mode="r+", path="to"))


def half_added(add):
    """A source, and a store to which a part of it was added; and the store as it is when all is there."""
    zarr_format = 3 if add is a_copy_that_adds else 2
    source = zarr.create_group({}, attributes={"title": "source"})
    source.create_array("sub/x", data=NEW, chunks=(2,))
    source.create_array("y", data=OLD, chunks=(2,))
    before = MemoryStore()
    zarr.create_group(before, path="to", zarr_format=zarr_format)
    zarr.consolidate_metadata(before)
    whole = MemoryStore(dict(before.mapping))
    add(source, whole)
    store = MemoryStore(dict(before.mapping))
    with pytest.raises(StoreError, match="slow down"):
        add(source, CutShort(store, 9, killed=False))
    assert store.mapping != before.mapping
    return source, store, whole


@pytest.mark.parametrize("add", [a_copy_that_adds, a_conversion])
def test_what_is_added_is_marked_until_all_of_it_is_there(add):
    source, store, whole = half_added(add)
    mark = store.mapping["to/.unfinished/mark.json"]
    assert replacing.finish(store, "to") is None, "the same call alone can go on"
    zarr.open_group(store, mode="r+", path="to")
    with pytest.raises(NodeExistsError, match="found a group"):
        zarr.create_array(store, name="to", data=OLD)
    actions = doctor.repair(store, doctor.examine(store))
    assert any("the same call goes on with it" in str(action) for action in actions)
    assert store.mapping["to/.unfinished/mark.json"] == mark
    with pytest.raises(StoreError, match="expected a tree that is whole"):
        zarr.copy(zarr.open_group(store, mode="r", path="to"), {})
    with pytest.raises(StoreError, match="expected a tree that is whole"):
        convert.convert(store, 2 if add is a_copy_that_adds else 3, {}, path="to")
    add(source, store)
    assert store.mapping == whole.mapping
    add(source, store)
    assert store.mapping == whole.mapping


@pytest.mark.parametrize("add", [a_copy_that_adds, a_conversion])
def test_what_was_to_be_added_is_not_mixed_with_something_else(add):
    _, store, _ = half_added(add)
    left, other = dict(store.mapping), zarr.create_group({})
    other.create_array("z", data=OLD)
    with pytest.raises(NodeExistsError, match=r"repeat that call to finish it, or delete the key 'to/.unfinished/mark"):
        add(other, store)
    part = replacing.Replacement(
        store, "to", {}, "save a part", kind="group", found=replacing.Survey("group", None), staged=True, only=("y",)
    )
    with pytest.raises(NodeExistsError, match=r"expected a whole one .* to add to it by 'save a part'"), part:
        pass
    assert store.mapping == left
    store.delete("to/.unfinished/mark.json")
    add(other, store)
    assert zarr.open_array(store, path="to/z", mode="r")[...].tolist() == OLD.tolist()
    assert replacing.read_mark(store, "to") is None


@pytest.mark.parametrize("path", ["g", ""])
def test_a_tree_of_which_a_part_is_half_replaced_or_half_added_is_not_taken_for_whole(path):
    store = MemoryStore()
    old_array(store, 3)
    before, places = dict(store.mapping), 0
    for at in itertools.count():
        store = MemoryStore(dict(before))
        try:
            from_an_array(CutShort(store, at, killed=True), 3)
            break
        except Killed:
            writers._active.clear()
        mark = replacing.read_mark(store, "g/x")
        if mark is None or not mark.complete or store.exists("g/x/zarr.json"):
            continue
        places += 1
        left, target = dict(store.mapping), MemoryStore()
        with pytest.raises(StoreError, match=r"expected a tree that is whole, found an unfinished .* at 'g/x'"):
            zarr.copy(zarr.open_group(store, path=path, mode="r"), target, name="to")
        assert not target.mapping
        if path:
            with pytest.raises(StoreError, match="expected a tree that is whole"):
                zarr.move(store, path, "to")
        assert store.mapping == left
        zarr.open_array(store, path="g/x", mode="r+")
        copied = zarr.copy(zarr.open_group(store, path=path, mode="r"), target, name="to")
        assert copied["x" if path else "g/x"][...].tolist() == NEW.tolist()
    assert places > 2


def test_a_mark_of_somebody_elses_making_is_refused():
    whole = {"action": "a", "what": "b", "by": {"host": "elsewhere"}, "since": 1, "state": "moving", "staged": True}
    for change in (
        {"documents": {"zarr.json": "\u0701"}},
        {"documents": {"../b/zarr.json": "{}"}},
        {"documents": {"c/0": "x"}},
        {"documents": {"zarr.json": 1}},
        {"keep": [1]},
        {"only": "c"},
        {"state": "done"},
    ):
        store = MemoryStore({"a/.unfinished/mark.json": json.dumps({**whole, **change}).encode(), "b/c/0": b"1"})
        before = dict(store.mapping)
        with pytest.raises(ZarrError, match=r"expected the mark of unfinished work|expected names joined"):
            replacing.finish(store, "a")
        assert dict(store.mapping) == before


# --- the moment between the announcement and the first deletion


def store_with_old(far=False):
    store = MemoryStore()
    zarr.create_group(store)
    zarr.create_array(store, name="x", data=OLD, chunks=(2,))
    if far:
        store.concurrency = 8  # as of a bucket, where opening does not look for a mark
    return store


def announced(change, far=False):
    """A store in which `change` was killed when it had said that the old node goes, before anything is deleted."""
    for at in range(1, 60):
        store = store_with_old(far)
        with contextlib.suppress(Killed):
            change(CutShort(store, at, killed=True))
        mark = replacing.read_mark(store, "x")
        if mark is not None and mark.state == replacing.CLEARING and "x/zarr.json" in store.mapping:
            assert zarr.open_array(store, mode="r", path="x")[...].tolist() == OLD.tolist()
            return store
    raise AssertionError("it never said so")


def saved(store):
    zarr.create_array(store, name="x", data=zarr.array(NEW, chunks=(4,)), overwrite=True)


def moved(store):
    zarr.open_group(store, mode="r+").move("x", "y")


@pytest.mark.parametrize("door", ["open_array", "open", "member"])
def test_who_opens_a_node_for_writing_that_is_to_go_finishes_that_first(door):
    store = announced(saved)
    doors = {
        "open_array": lambda: zarr.open_array(store, mode="r+", path="x"),
        "open": lambda: zarr.open(store, path="x"),
        "member": lambda: zarr.open_group(store)["x"],
    }
    array = doors[door]()
    assert array[...].tolist() == NEW.tolist()
    array[0] = 7
    zarr.save_array(store, OLD, path="z")
    assert zarr.open_array(store, mode="r", path="x")[0] == 7
    assert replacing.read_mark(store, "x") is None


@pytest.mark.parametrize("change", [saved, moved])
def test_what_was_appended_to_a_node_that_was_to_go_is_not_deleted(change):
    store = announced(change, far=True)
    zarr.open_array(store, mode="r+", path="x").append([9, 9])
    with pytest.raises(StoreError, match=r"somebody has changed it since; delete the key 'x/\.unfinished/mark\.json'"):
        replacing.finish(store, "x")
    assert zarr.open_array(store, mode="r", path="x")[...].tolist() == [*OLD, 9, 9]


def test_a_deletion_that_is_asked_for_again_deletes_what_was_appended_meanwhile():
    store = announced(lambda store: zarr.delete(store, "x", dry_run=False), far=True)
    zarr.open_array(store, mode="r+", path="x").append([9, 9])
    zarr.delete(store, "x", dry_run=False)
    assert not list(store.list_prefix("x"))


def test_a_journal_is_not_believed_after_another_call_has_cleared_what_it_tells_of():
    """A rechunk is killed, then a call that replaces what it left, then the same rechunk comes again."""
    values = np.arange(1, 401).reshape(20, 20)
    source, store = zarr.array(values, chunks=(1, 20)), MemoryStore()
    again = {"path": "x", "chunks": (2, 20), "memory": 2500, "overwrite": True}
    with pytest.raises(Killed):
        convert.rechunk(source, CutShort(store, 15, killed=True), **again)
    state, moment, ends = dict(store.mapping), 0, False
    assert json.loads(bytes(state["x/.unfinished/journal.json"]))["done"][0] != []
    while not ends:
        store.mapping.clear()
        store.mapping.update(state)
        try:
            zarr.create_array(
                CutShort(store, moment, killed=True),
                name="x",
                shape=(20, 20),
                chunks=(5, 5),
                dtype="i8",
                overwrite=True,
            )
            ends = True
        except Killed:
            moment += 1
        convert.rechunk(source, store, **again)
        assert np.array_equal(zarr.open_array(store, path="x")[...], values), moment
    assert moment > 2
