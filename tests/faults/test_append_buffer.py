"""`AppendBuffer`: whole write units only, and no row lost or doubled by a kill at any moment."""

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.stores import MemoryStore, TraceStore

from .test_append import DyingStore, Killed, bucket


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
