"""03_01 again, from outside: the queue by a heap of events, Little's law by areas, the stores by other readers.

The queue is worked out event by event, with `queue` and `heapq` of Python in place of the lesson's recursion. Nothing
here imports this project's library.
"""

import heapq
from collections import deque

import numpy as np
import pytest

from data_gen import fields

from .readers import tensorstore, zarr_python

SOURCE = "notebooks/03_pipelines/03_01_ingestion_backpressure.ipynb"
pytestmark = pytest.mark.gallery

N, EVERY, SERVICE, BOUND = 500, 10, 16, 4


def simulate(gaps, services, bound=None):
    """(accepted, done) of each chunk, by events: a producer that stops at a full queue, and one writer."""
    accepted, done, waiting, blocked = [], [], deque(), None
    events, busy, served = [(gaps[0], 1)], False, 0
    while events:
        now, kind = heapq.heappop(events)
        if kind == 0:  # the writer is done; before arrivals of the same moment
            busy = False
            done.append(now)
        else:
            blocked = now
        if not busy and waiting:
            waiting.popleft()
            heapq.heappush(events, (now + services[served], 0))
            busy, served = True, served + 1
        if blocked is not None and (bound is None or len(waiting) < bound):
            accepted.append(now)
            waiting.append(now)
            blocked = None
            if len(accepted) < len(gaps):
                heapq.heappush(events, (now + gaps[len(accepted)], 1))
            if not busy:
                waiting.popleft()
                heapq.heappush(events, (now + services[served], 0))
                busy, served = True, served + 1
    return np.array(accepted), np.array(done)


def most(accepted, done):
    return max(int((accepted <= moment).sum() - (done <= moment).sum()) for moment in accepted)


@pytest.mark.parametrize(("name", "bound"), [("no limit", None), ("bounded", BOUND)])
def test_the_bound_changes_the_memory_and_not_the_end(committed, name, bound):
    accepted, done = simulate([EVERY] * N, [SERVICE] * N, bound)
    assert committed["done_ms"][name] == done[-1] == EVERY + N * SERVICE
    assert committed["most_in_memory"][name] == most(accepted, done)
    area = (done - accepted).sum() / (done[-1] - accepted[0])  # time inside, added up, over the time that passed
    assert committed["little"][name] == pytest.approx([area, area], abs=1e-6)


def test_uneven_times_need_some_places(committed):
    draws = np.random.PCG64(0).random_raw(2 * N) / 2**64
    gaps, services = (-EVERY * np.log1p(-part) for part in np.split(draws, 2))
    for name, end in committed["uneven_done_ms"].items():
        _, done = simulate(gaps.tolist(), services.tolist(), None if name == "None" else int(name))
        assert end == pytest.approx(done[-1], abs=0.51)
    assert committed["uneven_done_ms"]["16"] == committed["uneven_done_ms"]["None"]


def test_the_newest_first_has_the_same_mean_and_a_longer_longest(committed):
    accepted = [EVERY * (k + 1) for k in range(N)]
    now, heap, inside, k = 0, [], [], 0
    while len(inside) < N:
        while k < N and accepted[k] <= now:
            heapq.heappush(heap, -accepted[k])
            k += 1
        if not heap:
            now = accepted[k]
            continue
        now += SERVICE
        inside.append(now + heapq.heappop(heap))
    oldest = simulate([EVERY] * N, [SERVICE] * N)
    first_come = oldest[1] - oldest[0]
    assert committed["mean_inside_ms"] == pytest.approx([first_come.mean(), np.mean(inside)])
    assert np.mean(inside) == pytest.approx(first_come.mean())
    assert committed["longest_inside_ms"] == [first_come.max(), max(inside)]


@pytest.mark.parametrize("read", [zarr_python, tensorstore])
def test_other_readers_see_the_plane_and_what_sigterm_left(left, read):
    out, facts, _ = left
    np.testing.assert_array_equal(read(out / "plane.zarr"), fields.make("small").arrays["gradient"])
    for how, folder in (("not caught", "not_caught.zarr"), ("caught", "caught.zarr")):
        assert read(out / folder).tolist() == list(range(facts["kept_on_sigterm"][how]))
    assert facts["taken_with_the_gate_shut"] == {"0": 64, "4": 4 + 2 + 1}
    assert facts["dropped"] == 64 - 4
