"""Large results come from memory that is used again: never while somebody holds it, never with old values in it."""

import os
import threading

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr import results

SHAPE = (64, 128, 128)  # eight bytes each: 8 MiB

pytestmark = pytest.mark.skipif(not results.REUSES, reason="this system cannot mark memory as free to take")


@pytest.fixture(autouse=True)
def no_spare():
    results._spare.clear()
    yield
    results._spare.clear()


@pytest.fixture
def array(tmp_path):
    return zarr.create_array(tmp_path / "a", data=np.arange(64 * 128 * 128.0).reshape(SHAPE), chunks=(32, 128, 128))


def address(result):
    return result.__array_interface__["data"][0]


def test_the_memory_of_a_result_that_is_gone_is_used_again(array):
    first = array[:]
    at = address(first)
    del first
    again = array[:]
    assert address(again) == at
    assert again.flags.writeable
    np.testing.assert_array_equal(again, np.arange(64 * 128 * 128.0).reshape(SHAPE))


@pytest.mark.parametrize(
    "hold",
    [
        lambda result: result,
        lambda result: result[3:4],
        lambda result: result.T[5],
        lambda result: memoryview(result),
        lambda result: result.view("i8").ravel()[::7],
        lambda result: [result[0, 0]],
    ],
    ids=["itself", "a part", "transposed", "memoryview", "another type", "in a list"],
)
def test_what_is_held_keeps_its_memory(array, hold):
    held = hold(array[:])
    before = np.array(held)
    for _ in range(3):
        other = array[:]
        other[...] = -1
        del other
    np.testing.assert_array_equal(np.array(held), before)


def test_absent_chunks_are_the_fill_value_and_not_what_was_there_before(array, tmp_path):
    at = address(array[:])
    empty = zarr.create_array(tmp_path / "b", shape=SHAPE, chunks=(32, 128, 128), dtype="f8", fill_value=7)
    found = empty[:]
    assert address(found) == at
    assert (found == 7).all()


def test_no_more_is_kept_than_the_next_result_may_use(array):
    whole = array[:]
    del whole
    assert [len(each) for each in results._spare] == [8 << 20]
    part = array[:60]  # nearly as much: the same memory
    assert results._spare == []
    del part
    assert [len(each) for each in results._spare] == [8 << 20]
    small = array[:40]  # would hold more than it needs
    assert results._spare == []
    del small
    assert [len(each) for each in results._spare] == [5 << 20]
    larger = results.empty((3, 1 << 20), np.dtype("f8"))
    assert results._spare == []  # what is too small was given back first
    kept = [results.empty((1 << 20,), np.dtype("f8")) for _ in range(4)]
    del kept, larger
    assert len(results._spare) <= 2
    assert sum(map(len, results._spare)) <= results.MOST_SPARE


def test_small_ones_and_objects_are_numpys_own():
    assert results.empty((10,), np.dtype("f8")).flags.owndata
    assert results.empty((1 << 20,), np.dtype(object)).flags.owndata
    assert results.empty((1 << 20,), np.dtypes.StringDType()).flags.owndata


def test_threads_never_share_the_memory_of_results(array):
    wrong = []

    def work(number):
        for _ in range(10):
            found = array[:]
            found += number
            if found[0, 0, 0] != number or found[-1, -1, -1] != 64 * 128 * 128 - 1 + number:
                wrong.append(number)
            del found

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_has_memory_of_its_own(array):
    held, spare = array[:], array[:]
    del spare  # both sides have it to use
    child = os.fork()
    if child == 0:
        other = array[:]
        other[...] = held[...] = -1
        os._exit(0 if (array[:][0, 0, 1] == 1) else 1)
    mine = array[:]
    assert os.waitpid(child, 0)[1] == 0
    assert held[0, 0, 1] == mine[0, 0, 1] == 1
