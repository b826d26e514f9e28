"""`ingest`: workers that die, hang or fail; runs that are stopped or killed, and go on."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.errors import ConversionError

WORKER = Path(__file__).with_name("ingest_worker.py")


def create(store, count=20, **layout):
    return zarr.create_array(store, shape=(4 * count, 8), dtype="i4", **{"chunks": (4, 8), **layout})


def start(folder, count=20, what=None, **options):
    arguments = [str(folder), str(count), json.dumps(what or {}), json.dumps(options)]
    return subprocess.Popen([sys.executable, str(WORKER), *arguments], stdout=subprocess.PIPE, text=True)


def report_of(process):
    with process:
        out = process.stdout.read()  # `communicate` would not see what `readline` has read ahead
    assert process.returncode == 0, out
    return json.loads(out.splitlines()[-1])


def blocks(folder):
    """The first element of each block; every block must be of one value."""
    found = zarr.open_array(folder / "array")[...].reshape(-1, 32)
    assert (found == found[:, :1]).all(), "a torn block"
    return found[:, 0].tolist()


# --- in one process


def test_items_are_named_by_a_write_unit_or_by_slices_and_made_where_they_are_written():
    array = create({}, 6, chunks=(2, 4), shards=(4, 8))
    source = [(0, np.full((4, 8), 1)), ((1, 0), lambda: np.full((4, 8), 2)), (slice(8, 16), np.full((8, 8), 3))]
    seen = []
    report = zarr.ingest(source, array, executor="threads", progress=lambda done, total: seen.append((done, total)))
    assert (report.ok, report.written, str(report)) == (True, 3, "3 items written")
    assert array[::4, 0].tolist() == [1, 2, 3, 3, 0, 0]
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_wrong_items_are_reported_with_their_key_and_the_rest_goes_on():
    array = create({}, 4)
    wrong = [
        (9, 0, r"expected chunk coordinates below \(4, 1\), found \(9, 0\)"),
        ("x", 0, r"expected the coordinates of a write unit, or slices for 2 axes, found 'x'"),
        (slice(0, 2), 0, r"expected a region of whole write units of \(4, 8\), found slice\(0, 2, None\)"),
        (slice(4, 4), 0, r"expected a region of whole write units"),
        (slice(0, 8, 2), 0, r"expected the coordinates of a write unit"),
        (1, 7, r"expected data of the shape \(4, 8\), found \(\)"),
        (2, lambda: 1 / 0, "division by zero"),
    ]
    source = [(where, data) for where, data, _ in wrong] + [(3, np.full((4, 8), 3))]
    report = zarr.ingest(source, array, executor="threads")
    assert (report.written, report.ok, len(report.failed)) == (1, False, 7)
    keys = ["9", "x", "slice(0, 2, None)", "slice(4, 4, None)", "slice(0, 8, 2)", "4:8,0:8", "8:12,0:8"]
    assert set(report.failed) == set(keys)
    for key, (_, _, message) in zip(keys, wrong, strict=True):
        with pytest.raises(ValueError, match=message):
            raise ValueError(report.failed[key])
    assert array[::4, 0].tolist() == [0, 0, 0, 3]
    with pytest.raises(
        ConversionError, match=r"item 4:8,0:8: expected data of the shape \(4, 8\), found \(\)"
    ) as caught:
        zarr.ingest(
            [(0, np.full((4, 8), 5)), (1, 7), (2, np.full((4, 8), 5))], array, executor="threads", on_error="raise"
        )
    assert caught.value.report.written >= 1


def test_the_source_is_asked_for_no_more_than_the_queue_holds():
    array, asked, gate = create({}), [], threading.Event()

    def made():
        gate.wait(10)
        return np.ones((4, 8))

    def source():
        for number in range(20):
            asked.append(number)
            if number == 3:
                threading.Timer(0.2, lambda: (most.append(len(asked)), gate.set())).start()
            yield number, made

    most = []
    report = zarr.ingest(source(), array, executor="threads", workers=2, queue=4)
    assert (report.written, most) == (20, [4])


def test_any_executor_will_do_and_is_left_open():
    array = create({})
    with ThreadPoolExecutor(3) as pool:
        report = zarr.ingest(((i, np.full((4, 8), i)) for i in range(20)), array, executor=pool)
        assert pool.submit(int).result() == 0
    assert (report.written, array[::4, 0].tolist()) == (20, list(range(20)))


def test_the_executor_of_a_dask_cluster_will_do(tmp_path):
    distributed = pytest.importorskip("distributed", reason="distributed is not installed")
    array = create(tmp_path / "array")
    settings = {"n_workers": 1, "threads_per_worker": 2, "processes": False, "dashboard_address": None}
    with distributed.LocalCluster(**settings) as cluster, distributed.Client(cluster) as client:
        report = zarr.ingest([(i, np.full((4, 8), i)) for i in range(20)], array, executor=client.get_executor())
    assert (report.written, array[::4, 0].tolist()) == (20, list(range(20)))


def test_a_second_run_with_the_journal_does_only_what_is_left(tmp_path):
    array, journal, made = create(tmp_path / "array"), tmp_path / "journal", []

    def make(number):
        made.append(number)
        return np.full((4, 8), number)

    def source(count):
        return [(i, lambda i=i: make(i)) for i in range(count)]

    options = {"executor": "threads", "journal": journal}
    assert zarr.ingest(source(7), array, **options).written == 7
    with journal.open("a") as file:
        file.write("28:3")  # a line that a kill cut short
    report = zarr.ingest(source(20), array, **options)
    assert (report.written, report.skipped, sorted(made)) == (13, 7, list(range(20)))
    assert str(report) == "13 items written, 7 skipped"
    assert zarr.ingest(source(20), array, **options).skipped == 20
    with pytest.raises(ValueError, match=r"journal .*: expected \{.*, found .* it belongs to another array"):
        zarr.ingest(source(1), create({}, 3), **options)


def test_a_journal_is_refused_where_what_it_names_is_not_what_is_stored(tmp_path):
    def source(count):
        return [(i, np.full((4, 8), i)) for i in range(count)]

    def spoil(array):
        with (tmp_path / "journal").open("a") as file:
            file.write("4:8,0:8\n")

    def again(change):
        array, journal = create(tmp_path / "array", overwrite=True), tmp_path / "journal"
        journal.unlink(missing_ok=True)
        options = {"executor": "threads", "journal": journal}
        assert zarr.ingest(source(3), array, **options).written == 3
        changed = change(array)
        changed = array if changed is None else changed
        before = {key: changed.store.get(key) for key in changed.store.list_prefix("")}
        try:
            return zarr.ingest(source(5), changed, **options)
        finally:
            after = {key: changed.store.get(key) for key in before}
            assert after == before or changed is array

    report = again(lambda array: array.attrs.update(a=1))
    assert (report.skipped, report.written) == (3, 2)
    anew = "found [123] that are not what was written, the first at .*: the array was made anew, or written to since"
    for change, message in [
        (lambda array: create(tmp_path / "array", overwrite=True), anew),
        (lambda array: array.__setitem__(slice(4, 8), 9), anew),
        (lambda array: create(tmp_path / "other"), "it belongs to another array"),
        (lambda array: create({}), "it belongs to another array"),
        (spoil, "expected an item and its checksum"),
    ]:
        with pytest.raises(ConversionError, match=message):
            again(change)


def test_a_store_in_memory_is_refused_where_other_processes_write():
    array = create({}, 2)
    with pytest.raises(OSError, match=r"expected a store that other processes write to, found MemoryStore\(1 keys\)"):
        zarr.ingest([(0, np.ones((4, 8)))], array)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        report = zarr.ingest([(0, np.ones((4, 8)))], array, executor=pool, attempts=1)
    assert (report.written, list(report.failed)) == (0, ["0:4,0:8"])
    assert "what the others wrote would be lost; try a folder, or threads" in report.failed["0:4,0:8"]
    assert not array[...].any()
    assert zarr.ingest([(0, np.ones((4, 8)))], array, executor="threads").ok


def test_an_error_of_the_source_is_raised_when_the_items_in_hand_are_done():
    array = create({})

    def source():
        yield from ((i, np.ones((4, 8))) for i in range(3))
        raise KeyError("the source")

    with pytest.raises(KeyError, match="the source"):
        zarr.ingest(source(), array, executor="threads")
    assert array[::4, 0].tolist() == [1] * 3 + [0] * 17


def test_options_that_make_no_sense_are_refused():
    for options, message in [
        ({"executor": "fibres"}, "executor: expected 'processes', 'threads' or an Executor, found 'fibres'"),
        ({"on_error": "ignore"}, "on_error: expected 'report' or 'raise', found 'ignore'"),
        ({"executor": "threads", "timeout": 1}, "timeout: expected executor='processes' with it"),
    ]:
        with pytest.raises(ValueError, match=message):
            zarr.ingest([], create({}), **options)


# --- with worker processes


def test_a_worker_that_dies_hangs_or_fails_is_replaced_and_its_item_done_again(tmp_path):
    create(tmp_path / "array")
    what = {"2": "dies once", "5": "fails once", "9": "hangs once", "11": "wrong", "14": "dies"}
    report = report_of(start(tmp_path, what=what, timeout=3, attempts=2))
    assert report["written"] == 18
    assert report["retried"] == 4
    assert report["restarted"] >= 2
    assert report["failed"] == {
        "44:48,0:8": "these data are wrong",
        "56:60,0:8": "expected a worker that writes it, found that it died (exit code 3)",
    }
    assert blocks(tmp_path) == [0 if i in (11, 14) else i + 1 for i in range(20)]


def test_when_workers_die_too_often_the_run_stops_and_says_so(tmp_path):
    create(tmp_path / "array")
    report = report_of(start(tmp_path, what={"all": "dies"}, restarts=2, workers=1))
    assert (report["written"], report["stopped"]) == (0, "restarts")
    assert report["restarted"] <= 4


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM that can be caught")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_run_after_the_items_in_hand_and_the_next_run_goes_on(number, tmp_path):
    create(tmp_path / "array", 40)
    process = start(tmp_path, 40, {"all": "slow"})
    for _ in range(12):
        assert process.stdout.readline().startswith("item")
    process.send_signal(number)
    report = report_of(process)
    assert report["stopped"] == signal.Signals(number).name
    assert 8 <= report["written"] < 40
    assert sum(map(bool, blocks(tmp_path))) == report["written"], "what is reported is there, and nothing else"
    again = report_of(start(tmp_path, 40))
    assert (again["skipped"], again["written"]) == (report["written"], 40 - report["written"])
    assert blocks(tmp_path) == list(range(1, 41))
