"""01_06 again, from outside: run the notebook, read the stores that it left, and work out every answer anew.

What the threads wrote is read by zarr-python. The lost updates are counted without playing them: a row survives if
its writer is last, or if every writer after it read when the row was there. Schedules are worked out by small steps.
Nothing here imports this project's library.
"""

import itertools
from math import factorial

import numpy as np
import pytest

SOURCE = "notebooks/01_core_zarr/01_06_parallel_chunk_patterns.ipynb"
pytestmark = pytest.mark.gallery


def plane(side):
    row, column = np.ogrid[:side, :side]
    return (row + column / 4096).astype("float32")


def test_another_reader_sees_what_the_threads_wrote(left):
    zarr = pytest.importorskip("zarr")
    out, facts, zarr_format = left
    array = zarr.open_array(str(out / "plane.zarr"), mode="r")
    np.testing.assert_array_equal(array[...], plane(facts["side"]))
    assert (array.metadata.zarr_format, array.nchunks) == (zarr_format, facts["chunks"])


def test_the_merged_moments_are_those_of_numpy(left):
    facts, values = left[1], plane(1024).astype("float64")
    assert facts["mean"] == pytest.approx(values.mean(), abs=1e-6)
    assert facts["variance"] == pytest.approx(values.var(), abs=1e-6)
    assert (facts["results_in_order"], facts["fingerprints"], len(facts["worker_counts"])) == (1, 1, 4)


def test_a_bound_takes_as_many_as_there_are_workers_and_a_pool_takes_all(left):
    facts = left[1]
    assert facts["taken"] == {"bounded": facts["workers"], "pool.map": facts["chunks"]}


def test_careless_writers_leave_one_row_and_careful_ones_all(left):
    zarr = pytest.importorskip("zarr")
    out, facts, _ = left
    naive, safe = (zarr.open_array(str(out / f"{name}.zarr"), mode="r")[...] for name in ("naive", "safe"))
    letters = np.frombuffer(b"ABCD", "u1")
    kept = naive[:, 0] != ord(".")
    assert kept.sum() == facts["left_by_naive"] == 1
    np.testing.assert_array_equal(naive[kept], np.repeat(letters[kept, None], 8, axis=1))
    np.testing.assert_array_equal(safe, np.repeat(letters[:, None], 8, axis=1))
    assert facts["left_by_update"] == 4


def survivors(count):
    """rows that survive -> orders, from the places of the steps, without any chunk."""
    found = {}
    steps = [f"{verb}{k}" for k in range(count) for verb in "rw"]
    for order in itertools.permutations(steps):
        at = {step: place for place, step in enumerate(order)}
        if any(at[f"r{k}"] > at[f"w{k}"] for k in range(count)):
            continue
        last = max(range(count), key=lambda k: at[f"w{k}"])
        alive = {last}
        # What the last writer kept is what the latest write before its read had kept, and so on backwards.
        while True:
            before = [k for k in range(count) if at[f"w{k}"] < at[f"r{last}"]]
            if not before:
                break
            last = max(before, key=lambda k: at[f"w{k}"])
            alive.add(last)
        found[len(alive)] = found.get(len(alive), 0) + 1
    return found


def test_the_orders_are_counted_right(left):
    facts = left[1]
    assert facts["survived"] == {str(rows): many for rows, many in sorted(survivors(4).items())}
    assert facts["orders"] == factorial(8) // 2**4
    assert facts["survived"]["4"] == factorial(4)
    assert facts["lossy_orders"] == factorial(8) // 2**4 - factorial(4)
    assert facts["three_writers"] == [factorial(6) // 2**3, factorial(3)]


def range_of_the_others(takes):
    others = [ms for i, ms in enumerate(takes) if i != 5]
    return [min(others), max(others)]


def test_the_schedules_are_those_of_small_steps(left):
    gantt = left[1]["gantt"]
    takes, workers, last = gantt["milliseconds"], 4, {}
    for name in ("in order", "as they come"):
        began, now = {}, 0
        while len(began) < len(takes) or any(began[i] + takes[i] > now for i in began):
            done = {i for i in began if began[i] + takes[i] <= now}
            oldest = next((i for i in range(len(takes)) if i not in done), len(takes))
            limit = oldest + workers if name == "in order" else len(takes)
            for i in range(len(began), min(len(takes), limit)):
                if len(began) - len(done) < workers:
                    began[i] = now
            now += 1
        last[name] = now
    assert last == {name: gantt[name] for name in last}
    assert range_of_the_others(takes) == left[1]["usual_milliseconds"]
    assert (max(takes), len(takes), takes[5]) == (gantt["slow"], gantt["chunks"], gantt["slow"])


def test_the_requests_of_the_bands_follow_from_the_edges(left):
    facts = left[1]
    for high in (128, 192):
        touched = [
            (band, top)
            for band, top in itertools.product(range(0, 1024, 256), range(0, 1024, high))
            if top < band + 256 and band < top + high
        ]
        # Read and changed: chunks of which a writer has a part, and those over the edge, as others may have appended
        partial = [(band, top) for band, top in touched if top < band or top + high > min(band + 256, 1024)]
        assert facts["band_requests"][str(high)] == {"GET": 8 * len(partial), "PUT": 8 * len(touched)}
        shared = {top for _, top in touched if sum(t == top for _, t in touched) > 1}
        assert facts["shared_chunks"][str(high)] == [8 * len(shared), 8 * -(-1024 // high)]


def test_the_results_before_the_stuck_chunk_are_those_in_front_of_it(left):
    facts = left[1]
    row, column = facts["stuck"]
    assert facts["results_before_stuck"] == row * (facts["side"] // 128) + column


def test_the_facts_of_this_run_are_the_ones_beside_the_notebook(left, committed):
    facts = left[1]
    assert {k: v for k, v in facts.items() if k != "figures"} == {k: v for k, v in committed.items() if k != "figures"}
