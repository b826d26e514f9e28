"""Writers that append, resize and ingest, killed at any moment: nothing is torn, lost or promised and not there.

The processes are real ones and end by SIGKILL (on Windows by TerminateProcess). After each kill the store is opened:
every block is whole, all that a writer was told is written is there, what is not there is marked, and the doctor finds
no more than leftovers and marks; it clears them up, and the next writers go on with what is there.

    python -m pytest tests/faults/test_kill_growth.py -m slow -n 0 -s      # more than 300 kills
"""

import json
import random
import time

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr import doctor

from .append_worker import block
from .test_append import blocks_in, start_appending
from .test_ingest import blocks, create, start
from .test_writers import open_place, release


def kill(workers, lines, seconds):
    """Kill all, some time after the first has said so many lines; returns what each had said."""
    first = [workers[0].stdout.readline() for _ in range(lines)]
    time.sleep(seconds)
    for worker in workers:
        worker.kill()
    said = []
    for worker in workers:
        with worker:  # closes its pipes
            said.append(worker.stdout.read().splitlines())
    return [[*map(str.rstrip, first), *said[0]], *said[1:]]


def clear_up(store):
    """What the doctor finds must be harmless; it is cleared up, and then there is nothing to find."""
    report = doctor.examine(store)
    assert set(report.counts) <= {"leftover", "unfinished-write"}, str(report)
    doctor.repair(store, report, leftover_age=0)
    found = doctor.examine(store)
    assert set(found.counts) <= {"unfinished-write"}, str(found)
    return report.counts


def without_marked(array, known):
    """The rows of an array around those that are marked, or `known` to be holes, as a list of stretches."""
    holes = [*known, *(range(mark.start, mark.stop) for mark in array.unfinished.values())]
    rows, at, stretches = array[...], 0, []
    for hole in sorted(holes, key=lambda hole: hole.start):
        stretches.append(rows[at : hole.start])
        at = max(at, hole.stop)
    return [*stretches, rows[at:]]


def kill_appends(place, kills, writers, seed):
    """Kill so many processes, some at once; returns how many blocks were acknowledged, and how many marks were met."""
    numbers, store = random.Random(seed), open_place(place)
    array = zarr.create_array(store, shape=(0, 4), dtype="i4", chunks=(16, 4), fill_value=-1)
    told, known, marks = {}, [], 0
    for turn in range(-(-kills // writers)):
        names = [1000 * turn + writer for writer in range(writers)]
        workers = [start_appending(place, "append", name, 10_000) for name in names]
        release(workers)
        for name, ends in zip(names, kill(workers, numbers.randint(0, 12), numbers.uniform(0, 0.02)), strict=True):
            told |= {int(end): (name, number) for number, end in enumerate(ends)}
        array.refresh()
        marks += len(array.unfinished)
        for stretch in without_marked(array, known):
            blocks_in(stretch)
        rows = array[...]
        for end, (name, number) in told.items():  # whoever was told that a block is written finds it where it was
            expected = block(name, number)
            np.testing.assert_array_equal(rows[end - len(expected) : end], expected)
        clear_up(store)
        array.refresh()
        for name, mark in list(array.unfinished.items()):  # in the midst, so nobody but the writer could fill it
            known.append(range(mark.start, mark.stop))
            array.finish(name)
        assert not doctor.examine(store).faults
    return len(told), marks


def kill_changes(place, kills, seed):
    """Kill a process that appends and resizes; returns how many changes were acknowledged, and how many marks met."""
    numbers, store = random.Random(seed), open_place(place)
    array = zarr.create_array(store, shape=(0, 2), dtype="i4", chunks=(8, 2), fill_value=-1)
    told, marks, values = 0, 0, []
    for turn in range(kills):
        worker = start_appending(place, "shape", seed, turn)
        release([worker])
        (lines,) = kill([worker], numbers.randint(0, 24), numbers.uniform(0, 0.02))
        told += lines.count("ok")
        before = [json.loads(lines[i - 1]) for i, line in enumerate(lines) if line == "ok"][-1:] or [values]
        wanted = json.loads(lines[-1]) if lines and lines[-1] != "ok" else before[0]
        array.refresh()
        marks += len(array.unfinished)
        found, (old,) = array[...], before
        assert len(found) in (len(old), len(wanted), min(len(old), len(wanted)))
        assert (found[:, 0] == found[:, 1]).all()
        holes = [range(mark.start, mark.stop) for mark in array.unfinished.values()]
        for i, value in enumerate(found[:, 0].tolist()):
            allowed = {*old[i : i + 1], *wanted[i : i + 1]}
            assert value in allowed or any(i in hole for hole in holes), f"element {i} after kill {turn}"
        clear_up(store)
        assert not doctor.examine(store).faults
        array.refresh()
        values = array[:, 0].tolist()
        array.resize(120, 2)  # nothing that was cut off, or never promised, comes to light
        assert (array[len(values) :] == -1).all()
        array.resize(len(values), 2)
    return told, marks


def kill_ingests(folder, kills, seed):
    """Kill an ingestion, and let it go on, until it was killed so many times; returns how many runs came to the end."""
    numbers, count, finished, number = random.Random(seed), 60, 0, 0
    (folder / "0").mkdir()
    create(folder / "0" / "array", count)
    for turn in range(kills):
        place = folder / str(number)
        process = start(
            place, count, {"all": "slow"} if turn % 4 else {}, executor="threads" if turn % 2 else "processes"
        )
        (said,) = kill([process], numbers.randint(1, count), numbers.uniform(0, 0.2))
        found = blocks(place)
        assert all(value in (0, i + 1) for i, value in enumerate(found)), "old or new"
        noted = (place / "journal").read_text().split("\n")[1:-1]
        assert all(found[int(line.partition(":")[0]) // 4] for line in noted), "what the journal says is there"
        report = doctor.examine(place / "array")
        assert set(report.counts) <= {"leftover"}, str(report)
        if "{" in "".join(said):
            assert found == list(range(1, count + 1))
            finished, number = finished + 1, number + 1
            (folder / str(number)).mkdir()
            create(folder / str(number) / "array", count)
    return finished


def test_writers_that_are_killed_while_they_append_lose_nothing_that_they_were_told_is_written(place):
    told, _ = kill_appends(place, 4, 2, seed=1)
    assert told > 0


def test_a_writer_that_is_killed_while_it_resizes_shows_the_old_elements_or_the_new(place):
    told, _ = kill_changes(place, 2, seed=1)
    assert told > 0


def end_ingest(folder):
    """Let the ingestion that was killed last go on to its end."""
    last = max(folder.iterdir(), key=lambda path: int(path.name))
    out, _ = start(last, 60, executor="threads").communicate(timeout=120)
    assert 'failed": {}' in out
    assert blocks(last) == list(range(1, 61))


def test_an_ingestion_that_is_killed_goes_on_and_ends_with_every_block(tmp_path):
    kill_ingests(tmp_path, 4, seed=1)
    end_ingest(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("writers", [1, 4])
def test_many_killed_appends(place, writers):
    told, marks = kill_appends(place, 32, writers, seed=2)
    print(f"\nappend, {writers} at once: 32 killed, {told} blocks acknowledged and there, {marks} marks met")
    assert told >= 32


@pytest.mark.slow
def test_many_killed_resizes(place):
    told, marks = kill_changes(place, 25, seed=2)
    print(f"\nappend and resize: 25 killed, {told} changes acknowledged, {marks} marks met")
    assert told >= 25


@pytest.mark.slow
def test_many_killed_ingestions(tmp_path):
    finished = kill_ingests(tmp_path, 50, seed=2)
    end_ingest(tmp_path)
    print(f"\ningest: 50 killed, {finished} came to their end in between, and the last one after")
