"""Whatever goes wrong at whatever request while an array grows or is cut: the old, the new, or a mark; and the same
call then ends it. Stores that fail, answers that are lost, Ctrl-C, codecs that refuse, other writers in between.
"""

import pickle
import threading

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr import codecs, doctor, indexing
from tutorial_zarr.chunk_grids import Axis
from tutorial_zarr.errors import CodecError, StoreError
from tutorial_zarr.nodes import ZarrWarning
from tutorial_zarr.resizing import reservations
from tutorial_zarr.resizing.reservations import Reservation, Room
from tutorial_zarr.stores import LocalStore, MemoryStore, SQLiteStore, wrappers, writers

from .test_append import bucket

STORES = ["memory", "folder", "sqlite", "bucket"]
OLD, BLOCK = np.arange(1, 11, dtype="i4"), np.arange(101, 108, dtype="i4")


def make(kind, folder):
    makers = {
        "memory": MemoryStore,
        "folder": lambda: LocalStore(folder / "a"),
        "sqlite": lambda: SQLiteStore(folder / "a.sqlite"),
        "bucket": bucket,
    }
    return makers[kind]()


class Refuses(codecs.BytesBytesCodec):
    """A codec that does not take every chunk."""

    def encode(self, data):
        if b"\xff" in bytes(memoryview(data)):
            raise CodecError("expected no byte of ff, found one")
        return bytes(memoryview(data))

    def decode(self, data, size=None):
        return bytes(data)


class Failing(wrappers.AroundStore):
    """A store whose n-th request fails; with `late`, after it was carried out: then it is the answer that is lost."""

    def __init__(self, store, at, error, late=False):
        super().__init__(store)
        self.at, self.error, self.late = at, error, late

    def around(self, request, call, value=None):
        self.at -= 1
        if self.at == -1 and not self.late:
            raise self.error
        result = call()
        if self.at == -1:
            raise self.error
        return result


FAULTS = {
    "fails": lambda at, store: Failing(store, at, StoreError("no")),
    "answer lost": lambda at, store: Failing(store, at, StoreError("no"), late=True),
    "interrupt": lambda at, store: Failing(store, at, KeyboardInterrupt()),
}
JOBS = {
    "append": (lambda array: array.append(BLOCK), [*OLD, *BLOCK]),
    "cut": (lambda array: array.resize(6), OLD[:6].tolist()),
    "lengthen": (lambda array: array.resize(19), [*OLD, *[-1] * 9]),
    "reserve": (lambda array: reserve(array), [*OLD, *BLOCK]),
}


def reserve(array):
    with array.reserve(7) as room:
        room.arrays[0][room.starts[0] :] = BLOCK


@pytest.mark.parametrize("layout", [{"chunks": (4,)}, {"chunks": (2,), "shards": (4,)}], ids=["chunks", "shards"])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize("kind", STORES)
def test_a_fault_at_any_request_leaves_the_old_the_new_or_a_mark_and_the_same_call_ends_it(
    kind, job, fault, layout, tmp_path
):
    work, new = JOBS[job]
    old, new, at = OLD.tolist(), list(map(int, new)), 0
    while True:
        (tmp_path / str(at)).mkdir()
        store = make(kind, tmp_path / str(at))
        array = zarr.create_array(store, shape=(10,), dtype="i4", fill_value=-1, **layout)
        array[...] = OLD
        failing = FAULTS[fault](at, store)
        try:
            work(type(array)(failing, "", array.metadata))
        except (StoreError, KeyboardInterrupt):
            pass
        if failing.at >= 0:
            break
        array.refresh()
        found = array[...].tolist()
        marked = {i for mark in array.unfinished.values() for i in range(mark.start, mark.stop)}
        if not array.unfinished:
            assert found in (old, new), at
        assert all(i in marked or value in (*old[i : i + 1], *new[i : i + 1]) for i, value in enumerate(found)), (
            "a hole that nothing marks"
        )
        assert set(doctor.examine(store).counts) <= {"unfinished-write"}, at
        if found != new or array.unfinished:
            work(zarr.open_array(store, mode="r+"))
            array.refresh()
            assert (array[...].tolist(), array.unfinished) == (new, {}), at
        array.resize(40)
        assert (array[len(new) :] == -1).all(), "what was left came to light"
        at += 1
    assert at >= 4


class LosesAnAnswer(wrappers.AroundStore):
    """A bucket that carries out the n-th write on condition, and loses the answer; and another one writes before the
    store tries again: so it finds another tag, and another writer's name.
    """

    def __init__(self, store, at, other):
        super().__init__(store)
        self.at, self.other = at, other

    def set_if(self, key, value, tag, writer=""):
        done = self.store.set_if(key, value, tag, writer)
        self.at -= done and key == "zarr.json"
        if done and key == "zarr.json" and self.at == -1:
            self.other()
            return False
        return done


@pytest.mark.parametrize("job", JOBS)
def test_a_change_whose_answer_is_lost_beside_an_append_is_made_once(job, monkeypatch):
    monkeypatch.setattr(reservations, "PATIENCE", 0)
    work, at = JOBS[job][0], 0
    while True:
        store, appended = bucket(), []
        array = zarr.create_array(store, shape=(10,), dtype="i4", chunks=(4,), fill_value=-1)
        array[...] = OLD

        def other(array=array, appended=appended):
            try:
                array.append([7, 7])
                appended.append(True)
            except StoreError:
                appended.append(False)  # while there is a mark beyond the shape nobody appends

        losing = LosesAnAnswer(store, at, other)
        work(zarr.open_array(losing, mode="r+"))
        if losing.at >= 0:
            break
        array.refresh()
        both = [7, 7] if appended == [True] else []
        new = list(map(int, JOBS[job][1]))
        assert (array[...].tolist() in ([*new, *both], [*OLD, *both, *new[10:]]), array.unfinished) == (True, {}), at
        at += 1
    assert at >= 2


@pytest.mark.parametrize("kind", STORES)
def test_a_block_that_a_codec_refuses_changes_nothing_and_leaves_no_mark(kind, tmp_path, monkeypatch):
    monkeypatch.setitem(codecs.registry._factories, "refuses", Refuses)  # for this test alone
    store = make(kind, tmp_path)
    array = zarr.create_array(store, shape=(3,), dtype="i4", chunks=(2,), fill_value=0, compressors=["refuses"])
    array[...] = [1, 2, 3]
    for block in ([5, 255], [255, 5], [4, 4, 4, 4, 4, 255, 4]):
        with pytest.raises(ValueError, match="expected no byte of ff"):
            array.append(np.array(block, "i4"))
        with pytest.raises(ValueError, match="expected no byte of ff"), array.reserve(len(block)) as room:
            room.arrays[0][room.starts[0] :] = block
        fresh = zarr.open_array(store)
        assert (fresh[...].tolist(), fresh.unfinished) == ([1, 2, 3], {})
        assert doctor.examine(store).ok
        assert len([key for key in store.list_prefix("") if key.startswith("c/")]) == 2
    assert array.append([4]) == (4,)
    assert array[...].tolist() == [1, 2, 3, 4]


# --- what hangs over the edge, and old handles


LAYOUTS = {
    "chunks": {"chunks": (4, 3)},
    "v2": {"chunks": (4, 3), "zarr_format": 2},
    "shards": {"chunks": (2, 3), "shards": (6, 6)},
    "one inner chunk": {"chunks": (6, 6), "shards": (6, 6)},
    "uneven": {"chunks": [[4, 9], [3, 7]]},
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", STORES)
@pytest.mark.parametrize("axis", [0, 1])
def test_what_was_appended_is_safe_from_a_handle_that_knows_nothing_of_it(kind, layout, axis, tmp_path):
    store = make(kind, tmp_path)
    array = zarr.create_array(store, shape=(6, 4), dtype="i4", fill_value=-1, **LAYOUTS[layout])
    array[...] = 1
    old = zarr.open_array(store, mode="r+")
    block = np.full((2, 4) if axis == 0 else (6, 2), 2)
    array.append(block, axis=axis)
    for number, selection in enumerate([..., (slice(4, 6), slice(None)), (slice(None), 3), (5, 3)], 3):
        old[selection] = number
    model = np.concatenate([np.ones((6, 4), "i4"), block], axis)
    for number, selection in enumerate([..., (slice(4, 6), slice(None)), (slice(None), 3), (5, 3)], 3):
        model[:6, :4][selection] = number
    np.testing.assert_array_equal(zarr.open_array(store)[...], model)


def test_a_damaged_unit_at_the_edge_is_written_anew_where_all_of_it_is_given_and_told_of_where_not():
    for layout in ({"chunks": (4,)}, {"chunks": (2,), "shards": (4,)}):
        store = MemoryStore()
        array = zarr.create_array(store, shape=(6,), dtype="i4", compressors="zstd", **layout)
        array[...] = 1
        store.set("c/1", b"damaged")
        with pytest.raises(ValueError, match="c/1"):
            array[5] = 2
        array[4:6] = 2
        assert array[...].tolist() == [1, 1, 1, 1, 2, 2]


# --- consolidated metadata


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("kind", STORES)
def test_consolidated_metadata_are_true_after_every_change_of_a_shape(kind, zarr_format, tmp_path):
    store = make(kind, tmp_path)
    root = zarr.create_group(store, zarr_format=zarr_format)
    array = root.create_array("g/a", shape=(10,), dtype="i4", chunks=(4,), fill_value=-1)
    array[...] = OLD
    zarr.consolidate_metadata(store, zarr_format=zarr_format)
    for job in (*JOBS.values(), (lambda array: array.resize(0), [])):
        job[0](array)
        assert zarr.open_group(store, mode="r", use_consolidated=True)["g/a"].shape == array.shape
        assert doctor.examine(store).ok


@pytest.mark.parametrize("kind", ["memory", "bucket"])
def test_a_resize_that_cuts_and_grows_shows_the_groups_above_no_shape_that_nobody_asked_for(kind, tmp_path):
    at, between = 0, 0
    while True:
        store = make(kind, tmp_path)
        zarr.create_group(store).create_array("g/a", data=np.arange(24).reshape(6, 4), chunks=(2, 4))
        zarr.consolidate_metadata(store)
        failing = KilledAt(store, at)
        try:
            zarr.open_array(failing, path="g/a").resize(3, 6)
        except Killed:
            pass
        if failing.at >= 0:
            break
        listed, own = zarr.open_group(store, mode="r")["g/a"], zarr.open_array(store, path="g/a", mode="r")
        if listed.shape not in ((6, 4), (3, 6)):
            assert own.unfinished
            between += 1
        zarr.open_array(store, path="g/a").resize(3, 6)
        own = zarr.open_array(store, path="g/a", mode="r")
        assert own[:].tolist() == [[*range(i, i + 4), 0, 0] for i in (0, 4, 8)]
        assert not own.unfinished
        assert not zarr.is_stale(store)
        at += 1
    assert between


# --- room in several arrays that grow as one


def pair(store):
    root = zarr.create_group(store)
    time = root.create_array("time", shape=(3,), dtype="i4", chunks=(2,), fill_value=-1)
    data = root.create_array("data", shape=(3, 2), dtype="i4", chunks=(2, 2), fill_value=-1)
    time[...], data[...] = 1, 1
    return time, data


def grow_both(store, number):
    root = zarr.open_group(store, mode="r+", use_consolidated=False)
    with Reservation([Room(root["time"], 4), Room(root["data"], 4)]) as both:
        for array, start in zip(both.arrays, both.starts, strict=True):
            array[start:] = number


def lengths(store):
    root = zarr.open_group(store, mode="r", use_consolidated=False)
    return len(root["time"]), len(root["data"])


@pytest.mark.parametrize("fault", ["fails", "answer lost", "killed"])
@pytest.mark.parametrize("kind", STORES)
def test_arrays_that_grow_as_one_are_all_old_or_all_new_once_the_next_writer_has_come(kind, fault, tmp_path):
    at, met = 0, set()
    while True:
        (tmp_path / str(at)).mkdir()
        store = make(kind, tmp_path / str(at))
        pair(store)
        failing = KilledAt(store, at) if fault == "killed" else FAULTS[fault](at, store)
        try:
            grow_both(failing, 2)
        except (StoreError, Killed):
            pass
        if failing.at >= 0:
            break
        met.add(lengths(store))
        marks = [dict(zarr.open_array(store, path=name).unfinished) for name in ("time", "data")]
        if lengths(store) not in ((3, 3), (7, 7)):
            assert any(marks)
        assert set(doctor.examine(store).counts) <= {"unfinished-write"}
        if at % 2:
            doctor.repair(store, doctor.examine(store), leftover_age=0)
            assert lengths(store) in ((3, 3), (7, 7))
            assert doctor.examine(store).ok
        before = 4 if lengths(store) != (3, 3) else 0
        grow_both(store, 3)
        length = lengths(store)[0]
        assert lengths(store) in ((7, 7), (11, 11))
        root = zarr.open_group(store)
        expected = [1] * 3 + [2] * (length - 7) + [3] * 4
        assert root["time"][...].tolist() == expected
        assert root["data"][:, 1].tolist() == expected
        assert root["time"].unfinished == root["data"].unfinished == {}
        assert length - 7 >= before or fault == "answer lost" or before == 0 or length == 11
        at += 1
    assert {(3, 3)} < met


@pytest.mark.parametrize("next_one", ["both", "one", "doctor"])
@pytest.mark.parametrize("kind", ["memory", "bucket"])
def test_a_mark_stays_until_the_groups_above_know_of_all_arrays_that_grew_as_one(kind, next_one, tmp_path):
    at, stale = 0, 0
    while True:
        store = make(kind, tmp_path)
        pair(store)
        zarr.consolidate_metadata(store)
        failing = KilledAt(store, at)
        try:
            grow_both(failing, 2)
        except Killed:
            pass
        if failing.at >= 0:
            break
        root = zarr.open_group(store, mode="r")
        marks = [dict(zarr.open_array(store, path=name, mode="r").unfinished) for name in ("time", "data")]
        if zarr.is_stale(store):
            assert any(marks)
            stale += lengths(store) == (7, 7)  # by their own documents all is there
        if not any(marks):
            assert (len(root["time"]), len(root["data"])) in ((3, 3), (7, 7))
        if next_one == "both":
            grow_both(store, 3)
        elif next_one == "one":
            zarr.open_array(store, path="data").append(np.full((1, 2), 3))
        else:
            doctor.repair(store, doctor.examine(store), leftover_age=0)
        own = [zarr.open_array(store, path=name, mode="r") for name in ("time", "data")]
        assert not any(array.unfinished for array in own)
        root = zarr.open_group(store, mode="r")
        assert [root["time"].shape, root["data"].shape] == [array.shape for array in own]
        at += 1
    assert stale


class Killed(BaseException):
    pass


class KilledAt(Failing):
    """A store whose writer is killed at the n-th request: it makes no other."""

    def __init__(self, store, at):
        super().__init__(store, at, Killed())

    def around(self, request, call, value=None):
        self.at -= 1
        if self.at < 0:
            raise Killed
        return call()


@pytest.mark.parametrize("kind", STORES)
def test_room_that_is_held_keeps_all_others_from_changing_the_shape_and_readers_see_nothing(
    kind, tmp_path, monkeypatch
):
    monkeypatch.setattr(reservations, "PATIENCE", 0)
    store = make(kind, tmp_path)
    time, data = pair(store)
    with Reservation([Room(time, 2, at=3), Room(data, 2)]) as both:
        assert both.starts == [3, 3]
        both.arrays[1][3:] = 5
        assert lengths(store) == (3, 3)
        other = zarr.open_array(store, path="data", mode="r+")
        for change in (lambda: other.append([[7, 7]]), lambda: other.resize(1, 2), lambda: other.reserve(1)):
            with pytest.raises(OSError, match=r"found a change of what lies behind 3 along axis 0, begun \d+ s ago by"):
                change()
        other[2] = 4  # elements that are there may be set
        both.arrays[0][3:] = 6
    assert zarr.open_array(store, path="data")[:, 0].tolist() == [1, 1, 4, 5, 5]
    with pytest.raises(OSError, match="expected to append at 3 along axis 0, found the length 5"):
        Reservation([Room(time, 1, at=3)])
    with pytest.raises(ZeroDivisionError), Reservation([Room(time, 2), Room(data, 2)]) as both:
        both.arrays[0][5:] = 1 / 0
    assert doctor.examine(store).ok


def test_room_may_be_filled_and_let_in_by_another_handle_and_is_free_when_it_was_dropped(tmp_path):
    store = LocalStore(tmp_path / "a")
    time, data = pair(store)
    both = Reservation([Room(time, 2), Room(data, 2)])
    copy = pickle.loads(pickle.dumps(both))
    copy.arrays[0][3:], copy.arrays[1][3:] = 2, 2
    copy.commit()
    assert lengths(store) == (5, 5)
    del both, copy
    dropped = time.reserve(7)
    del dropped
    assert time.append([3]) == (6,)
    assert time[...].tolist() == [1, 1, 1, 2, 2, 3]


def test_room_that_was_taken_back_is_not_let_in():
    store = bucket()
    time, _ = pair(store)
    room = time.reserve(2)
    room.arrays[0][3:] = 2
    writers.end(room.by)  # as if its process had been taken for gone
    time.append([3])
    with pytest.raises(OSError, match="expected the room that was reserved, found it taken back"):
        room.commit()
    assert time[...].tolist() == [1, 1, 1, 3]


# --- one handle, and another thread that changes it


class Cuts:
    """An index, or a value, that takes its time to say what it is: meanwhile another thread cuts the array."""

    def __init__(self, array, value):
        self.array, self.value = array, value

    def cut(self):
        thread = threading.Thread(target=self.array.resize, args=(10,))
        thread.start()
        thread.join()
        return self.value

    def __index__(self):
        return self.cut()

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.cut(), dtype)


READS = {
    "slice": lambda a: a[Cuts(a, 0) :],
    "points": lambda a: a[Cuts(a, [1, 99, 50])],
    "orthogonal": lambda a: a.oindex[Cuts(a, [1, 99])],
    "coordinates": lambda a: a.vindex[Cuts(a, [1, 99])],
    "mask": lambda a: a[Cuts(a, np.ones(100, bool))],
    "plan": lambda a: a.plan(slice(Cuts(a, 0), None)).requests,
    "write plan": lambda a: a.plan_write(slice(Cuts(a, 0), None)).requests,
}


@pytest.mark.parametrize("sharded", [False, True])
@pytest.mark.parametrize("what", [*READS, "assign", "assign a mask", "lazy", "assign lazy"])
def test_an_operation_stays_with_the_array_as_it_was_when_it_began(what, sharded):
    array = zarr.create_array(
        {}, shape=(100,), dtype="i4", fill_value=-1, chunks=(4,), shards=(8,) if sharded else None
    )
    array[...] = 1
    view = array.lazy[5:]
    if what in READS:
        assert np.all(np.asarray(READS[what](array)) != 0)
    elif what == "assign":
        array[:] = Cuts(array, np.full(100, 2))
    elif what == "assign a mask":
        array[np.ones(100, bool)] = Cuts(array, np.full(100, 2))
    else:
        array.resize(10)
        with pytest.raises(
            IndexError, match="expected an axis 0 of more than 99 elements, found 10: the array was cut"
        ):
            view.result() if what == "lazy" else view.__setitem__(slice(None), 3)
    assert array.shape == (10,)
    assert array[...].tolist() == [2 if what.startswith("assign") and what != "assign lazy" else 1] * 10
    array.resize(20)
    assert array[10:].tolist() == [-1] * 10, "what was written beyond the end came to light"


def test_a_selection_of_another_state_of_the_array_comes_to_an_end():
    (span,) = indexing.basic(slice(0, 100), (100,)).factors
    with pytest.raises(IndexError, match="expected a selection within an axis of 10 elements"):
        span.split((Axis(10, 4),))


class WithoutListings(wrappers.WrapperStore):
    """A bucket whose keys allow to read and write, and not to list."""

    def list_dir(self, prefix=""):
        raise StoreError("cannot list: 403 Forbidden", transient=False)

    list_prefix = list_dir


def test_an_array_is_made_and_grows_where_nothing_may_be_listed():
    store = WithoutListings(bucket())
    with pytest.warns(ZarrWarning, match="expected a store that lists what it holds, found one that does not"):
        array = zarr.create_array(store, name="a", shape=(2,), chunks=(2,), dtype="i4")
    array.append([1, 2])
    with pytest.warns(ZarrWarning), pytest.raises(ValueError, match="found an array; try another name"):
        zarr.create_array(store, name="a", shape=(2,), chunks=(2,), dtype="i4")
    assert zarr.open_array(store, path="a")[...].tolist() == [0, 0, 1, 2]
