"""`AppendBuffer`: whole write units only, and no row lost or doubled by a kill at any moment."""

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.errors import StoreError, UnsupportedError
from tutorial_zarr.stores import MemoryStore, TraceStore
from tutorial_zarr.tools.ingestion import buffer as buffers

from .test_append import DyingStore, Killed, bucket
from .test_growth_faults import FAULTS


def rows(start, stop):
    return np.arange(4 * start, 4 * stop, dtype="i4").reshape(-1, 4)


def create(store, length=0, **layout):
    array = zarr.create_array(store, shape=(length, 4), dtype="i4", fill_value=-1, **{"chunks": (8, 4), **layout})
    array[...] = rows(0, length)
    return array


def abandon(buffer):
    """What the death of its process does to a buffer."""
    buffer._file.close()


@pytest.mark.parametrize("layout", [{}, {"chunks": (2, 4), "shards": (8, 4)}], ids=["chunks", "shards"])
def test_each_write_unit_is_written_once_whatever_the_lengths_of_the_blocks(layout):
    store, at = TraceStore(MemoryStore()), 0
    array = create(store, **layout)
    store.clear()
    with zarr.AppendBuffer(array) as buffer:
        for length in [1, 2, 3, 1, 1, 20, 5, 0, 7, 1]:
            buffer.append(rows(at, at + length))
            at += length
            assert array.shape[0] + len(buffer) == at
            assert array.shape[0] % 8 == 0
    np.testing.assert_array_equal(array[...], rows(0, at))
    written = [request.key for request in store.requests if request.verb == "PUT" and request.key != "zarr.json"]
    assert written == [f"c/{i}/0" for i in range(6)]


def test_an_array_that_ends_in_the_midst_of_a_unit_is_filled_up_to_its_end_first():
    array = create(MemoryStore(), length=5)
    with zarr.AppendBuffer(array) as buffer:
        buffer.append(rows(5, 7))
        assert array.shape == (5, 4)
        buffer.append(rows(7, 10))
        assert array.shape == (8, 4)
    np.testing.assert_array_equal(array[...], rows(0, 10))


def test_rows_may_be_columns():
    array = zarr.create_array({}, shape=(3, 0), chunks=(3, 4), dtype="i4")
    with zarr.AppendBuffer(array, axis=-1) as buffer:
        for i in range(10):
            buffer.append(np.full((3, 1), i))
    assert array[...].tolist() == [list(range(10))] * 3


def test_what_was_taken_before_an_error_is_written(tmp_path):
    array = create(MemoryStore())

    def interrupted():
        with zarr.AppendBuffer(array, journal=tmp_path / "j") as buffer:
            buffer.append(rows(0, 3))
            buffer.append("no rows")

    with pytest.raises(ValueError, match="no rows"):
        interrupted()
    np.testing.assert_array_equal(array[...], rows(0, 3))
    assert list(tmp_path.iterdir()) == []


def test_where_the_last_rows_cannot_be_written_the_journal_is_closed_and_the_next_buffer_takes_them(tmp_path):
    store = MemoryStore()
    create(store)
    failing = FAULTS["fails"](10_000, store)
    buffer = zarr.AppendBuffer(zarr.open_array(failing, mode="r+"), journal=tmp_path / "j")
    buffer.append(rows(0, 3))
    failing.at = 0
    with pytest.raises(StoreError), buffer:
        pass
    assert buffer._file.closed
    assert len(buffer) == 3
    array = zarr.open_array(store, mode="r+")
    zarr.AppendBuffer(array, journal=tmp_path / "j").close()
    np.testing.assert_array_equal(array[...], rows(0, 3))
    assert list(tmp_path.iterdir()) == []


def test_a_block_that_does_not_fit_is_refused_and_not_kept(tmp_path):
    array = create(MemoryStore())
    with zarr.AppendBuffer(array, journal=tmp_path / "j") as buffer:
        with pytest.raises(
            ValueError, match=r"expected data of the array's shape .* on every axis but 0, found \(2, 3\)"
        ):
            buffer.append(np.zeros((2, 3)))
        assert len(buffer) == 0
    assert array.shape == (0, 4)


def test_when_somebody_else_appends_the_buffer_says_so_and_keeps_its_rows():
    store = MemoryStore()
    buffer = zarr.AppendBuffer(create(store))
    buffer.append(rows(0, 3))
    zarr.open_array(store, mode="r+").append(rows(7, 8))
    with pytest.raises(OSError, match="expected to append at 0 along axis 0, found the length 1: somebody else"):
        buffer.flush()
    assert len(buffer) == 3


@pytest.mark.parametrize("make", [MemoryStore, bucket], ids=["memory", "bucket"])
@pytest.mark.parametrize("length", [0, 5])
def test_after_a_death_at_any_write_a_new_buffer_goes_on_with_no_row_lost_or_doubled(make, length, tmp_path):
    died = 0
    while True:
        store, journal = make(), tmp_path / f"a journal, é {died}"
        create(store, length)
        taken = length
        try:
            buffer = zarr.AppendBuffer(zarr.open_array(DyingStore(store, died), mode="r+"), journal=journal)
            for _ in range(5):
                try:
                    buffer.append(rows(taken, taken + 5))
                finally:
                    taken += 5  # it is in the journal, so it was taken, although the caller was not told
            buffer.close()
            break
        except Killed:
            died += 1
            abandon(buffer)
        array = zarr.open_array(store, mode="r+")
        with zarr.AppendBuffer(array, journal=journal) as buffer:
            assert array.shape[0] + len(buffer) == taken
            buffer.append(rows(taken, taken + 3))
        np.testing.assert_array_equal(array[...], rows(0, taken + 3))
        assert array.unfinished == {}
        assert not journal.exists()
    assert died >= 9


def test_a_journal_that_was_cut_short_gives_the_rows_that_are_whole(tmp_path):
    journal, store = tmp_path / "j", MemoryStore()
    buffer = zarr.AppendBuffer(create(store), journal=journal)
    ends = []
    for i in range(3):
        buffer.append(rows(2 * i, 2 * i + 2))
        ends.append(journal.stat().st_size)
    abandon(buffer)
    data = journal.read_bytes()
    for size in range(data.index(b"\n") + 1, len(data) + 1):
        journal.write_bytes(data[:size])
        found = zarr.AppendBuffer(zarr.open_array(store, mode="r+"), journal=journal)
        assert len(found) == 2 * sum(end <= size for end in ends)
        abandon(found)
    zarr.AppendBuffer(zarr.open_array(store, mode="r+"), journal=journal).close()
    np.testing.assert_array_equal(zarr.open_array(store)[...], rows(0, 6))


def test_a_journal_that_is_damaged_or_another_arrays_is_refused(tmp_path):
    journal, store = tmp_path / "j", MemoryStore()
    buffer = zarr.AppendBuffer(create(store), journal=journal)
    buffer.append(rows(0, 1))
    buffer.append(rows(1, 2))
    abandon(buffer)
    data = journal.read_bytes()
    journal.write_bytes(data[:-40] + bytes([data[-40] ^ 1]) + data[-39:])
    with pytest.raises(OSError, match=r"journal .*: expected a sound record at byte \d+, found one that is damaged"):
        zarr.AppendBuffer(zarr.open_array(store, mode="r+"), journal=journal)
    for wrong in [b"x", b"\n", b"PK\3\4\n", b"[1]\n", b'{"append_buffer": 1}\n', data.replace(b'"<i4"', b'"|O"')]:
        journal.write_bytes(wrong)
        with pytest.raises(OSError, match=r"expected the journal of \{.*delete it"):
            zarr.AppendBuffer(zarr.open_array(store, mode="r+"), journal=journal)
    journal.write_bytes(data)
    zarr.open_array(store, mode="r+").append(rows(5, 6))
    with pytest.raises(OSError, match="expected an array of length 0 along axis 0, found 1: others have appended"):
        zarr.AppendBuffer(zarr.open_array(store, mode="r+"), journal=journal)


def test_a_journal_of_elements_without_a_fixed_size_is_refused(tmp_path):
    array = zarr.create_array({}, shape=(0,), chunks=(4,), dtype=str)
    with pytest.raises(ValueError, match="expected elements of a fixed size, which a journal can hold"):
        zarr.AppendBuffer(array, journal=tmp_path / "j")
    with zarr.AppendBuffer(array) as buffer:
        buffer.append(["a", "bc"])
    assert array[:].tolist() == ["a", "bc"]


class FullDisk:
    """What writes the journal's bytes, on a disk that has room for so many more."""

    def __init__(self, monkeypatch, room):
        self.room, self.write = room, buffers._write_all
        monkeypatch.setattr(buffers, "_write_all", self)

    def __call__(self, file, data):
        part = data[: max(0, self.room)]
        self.room -= len(data)
        self.write(file, part)
        if len(part) < len(data):
            raise OSError(28, "No space left on device")


@pytest.mark.parametrize("killed", [False, True])
def test_a_disk_that_is_full_at_any_byte_takes_nothing_and_loses_nothing(killed, tmp_path, monkeypatch):
    room, taken = -1, 0
    while taken < 12:
        room += 1
        store, journal = MemoryStore(), tmp_path / f"j{room}"
        buffer = zarr.AppendBuffer(create(store), journal=journal)
        taken = 0
        with monkeypatch.context() as patch:
            FullDisk(patch, room)
            for _ in range(6):  # the fourth fills a unit, and a journal of what is left is made
                try:
                    buffer.append(rows(taken, taken + 2))
                    taken += 2
                except OSError:
                    pass
        buffer.append(rows(taken, taken + 1))  # there is room again
        if killed:
            abandon(buffer)
            buffer = zarr.AppendBuffer(zarr.open_array(store, mode="r+"), journal=journal)
        buffer.close()
        np.testing.assert_array_equal(zarr.open_array(store)[...], rows(0, taken + 1), str(room))
        assert not list(tmp_path.iterdir())
    assert room > 400


@pytest.mark.parametrize("fault", ["fails", "answer lost"])
@pytest.mark.parametrize("make", [MemoryStore, bucket], ids=["memory", "bucket"])
def test_an_append_that_raises_took_nothing_or_says_so(make, fault, tmp_path):
    at = 0
    while True:
        store, journal = make(), tmp_path / f"j{at}"
        create(store, 5)
        failing = FAULTS[fault](10_000, store)
        buffer = zarr.AppendBuffer(zarr.open_array(failing, mode="r+"), journal=journal)
        failing.at, taken = at, 5
        for _ in range(4):
            try:
                buffer.append(rows(taken, taken + 2))
                taken += 2
            except StoreError as error:
                taken += 2 * bool(getattr(error, "__notes__", None))
            assert len(buffer) + buffer.base == taken
        met, failing.at = failing.at < 0, 10_000
        if at % 2:
            abandon(buffer)
            buffer = zarr.AppendBuffer(zarr.open_array(store, mode="r+"), journal=journal)
        buffer.close()
        array = zarr.open_array(store)
        np.testing.assert_array_equal(array[...], rows(0, taken), str(at))
        assert array.unfinished == {}
        if not met:
            break
        at += 1
    assert at >= 4


def test_a_journal_of_an_array_that_was_made_anew_is_refused(tmp_path):
    store, journal = MemoryStore(), tmp_path / "j"
    create(store)
    buffer = zarr.AppendBuffer(zarr.open_array(DyingStore(store, 2), mode="r+"), journal=journal)
    with pytest.raises(Killed):
        buffer.append(rows(0, 9))  # dies once they are written, before the shape is
    abandon(buffer)
    for length, message in ((8, "found others: the array was made anew"), (3, "expected an array of length 0 or 8")):
        zarr.create_array(store, shape=(length, 4), dtype="i4", chunks=(8, 4), overwrite=True)
        with pytest.raises(OSError, match=message):
            zarr.AppendBuffer(zarr.open_array(store, mode="r+"), journal=journal)
    other = create(MemoryStore())
    with pytest.raises(OSError, match=r"expected the journal of \{"):
        zarr.AppendBuffer(other, journal=journal)


def test_rows_that_a_codec_changes_are_known_again(tmp_path):
    for at in range(4):
        store, journal = MemoryStore(), tmp_path / f"j{at}"
        values = np.linspace(0, 1, 9)
        zarr.create_array(
            store,
            shape=(0,),
            chunks=(4,),
            dtype="f8",
            filters=[
                {"name": "numcodecs.fixedscaleoffset", "configuration": {"scale": 10, "offset": 0, "dtype": "f8"}}
            ],
        )
        array = zarr.open_array(DyingStore(store, at), mode="r+")
        buffer = zarr.AppendBuffer(array, journal=journal)
        with pytest.raises(Killed):
            buffer.append(values)
        abandon(buffer)
        zarr.AppendBuffer(zarr.open_array(store, mode="r+"), journal=journal).close()
        np.testing.assert_allclose(zarr.open_array(store)[...], values, atol=0.051)


def test_a_journal_for_what_lasts_only_when_it_is_closed_is_refused(tmp_path):
    with zarr.stores.ZipStore(tmp_path / "a.zip", "w") as store:
        array = create(store)
        message = "expected a store that keeps what is written, .*ZipStore.* try without a journal"
        with pytest.raises(UnsupportedError, match=message):
            zarr.AppendBuffer(zarr.open_array(TraceStore(store), mode="r+"), journal=tmp_path / "j")
        with pytest.raises(UnsupportedError, match=message):
            zarr.ingest([(0, rows(0, 8))], array, executor="threads", journal=tmp_path / "j")
        with zarr.AppendBuffer(array) as buffer:
            buffer.append(rows(0, 3))
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "a.zip", mode="r")[...], rows(0, 3))
    assert [file.name for file in tmp_path.iterdir()] == ["a.zip"]
