"""The chunk lab foretells what is counted, and its first choice is compared with all the layouts there are.

Random cases come by number, so that a failure can be had again: a few by default, all with ``-m slow``.
"""

import itertools
import math
import random

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.labs import chunks as lab
from tutorial_zarr.stores import MemoryStore, TraceStore

CRC = {"name": "crc32c"}  # a chunk that comes as a whole, with a size that is known


def random_case(number):
    """A layout, a selection, and how the store sees it: (shape, layout, compressors, selection, request_cost)."""
    chance = random.Random(number)
    ndim = chance.randint(1, 4)
    shape = tuple(chance.randint(1, (40, 24, 12, 7)[ndim - 1]) for _ in range(ndim))
    chunks = tuple(chance.randint(1, n) for n in shape)
    shards = tuple(c * chance.randint(1, 4) for c in chunks) if chance.random() < 0.6 else None
    selection = []
    for n in shape:
        kind = chance.choice(["all", "index", "window", "step", "list"])
        start = chance.randrange(n)
        selection.append(
            {
                "all": slice(None),
                "index": start,
                "window": slice(start, chance.randint(start, n)),
                "step": slice(start, None, chance.randint(2, 4)),
                "list": [chance.randrange(n) for _ in range(chance.randint(1, 4))],
            }[kind]
        )
    cost = chance.choice([0, 1, 16, 100, 1 << 19])
    return shape, lab.Layout(chunks, shards), chance.choice([None, CRC]), tuple(selection), cost


def check_case(number):
    """The plan on paper, the plan of a real array, and what reading that array takes."""
    shape, layout, compressors, selection, cost = random_case(number)
    paper = lab.on_paper(layout, shape, "u2", compressors=compressors, request_cost=cost)
    foretold = paper.oindex.plan(selection, look=True)
    inner = MemoryStore()
    inner.request_cost = cost
    store = TraceStore(inner)
    options = {"chunks": layout.chunks, "shards": layout.shards, "compressors": compressors}
    array = zarr.create_array(store, shape=shape, dtype="u2", **options)
    array[...] = np.arange(1, 1 + math.prod(shape), dtype="u2").reshape(shape)  # no zero: every chunk is stored
    written = {key for key in inner.list_prefix() if key != "zarr.json"}
    assert {key: inner.get_size(key) for key in written} == {key: paper.store.get_size(key) for key in written}
    planned = array.oindex.plan(selection, look=True)
    numbers = planned.requests, planned.stored_bytes
    store.clear()
    array.oindex[selection]
    counted = store.count("GET"), store.nbytes("GET")
    assert (foretold.requests, foretold.stored_bytes) == numbers == counted, random_case(number)
    assert foretold.exact


def check_compressed_case(number):
    """A real codec, whose sizes differ from chunk to chunk: the plan of the array itself is exact."""
    shape, layout, _, selection, cost = random_case(number)
    inner = MemoryStore()
    inner.request_cost = cost
    store = TraceStore(inner)
    array = zarr.create_array(
        store, shape=shape, dtype="u2", chunks=layout.chunks, shards=layout.shards, compressors="gzip"
    )
    values = np.random.default_rng(number).integers(0, 3, size=shape, dtype="u2")  # some chunks are zeros: absent
    array[...] = values
    planned = array.oindex.plan(selection, look=True)
    numbers = planned.requests, planned.stored_bytes
    on_paper = lab.on_paper(layout, shape, "u2", compressors="gzip", request_cost=cost).oindex.plan(
        selection, look=True
    )
    store.clear()
    array.oindex[selection]
    assert numbers == (store.count("GET"), store.nbytes("GET")), random_case(number)
    if layout.shards is None:
        assert on_paper.requests == numbers[0]


@pytest.mark.parametrize("block", range(4))
def test_requests_and_bytes_foretold_on_paper_are_those_counted(block):
    for number in range(25 * block, 25 * block + 25):
        check_case(number)
        check_compressed_case(number)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(20))
def test_requests_and_bytes_foretold_on_paper_are_those_counted_two_thousand_times(block):
    for number in range(1000 + 100 * block, 1100 + 100 * block):
        check_case(number)
        check_compressed_case(number)


def mean_of_plans(layout, pattern, shape, ratio, cost):
    """What `expected` says, from a plan for every place."""
    array = lab.on_paper(layout, shape, "u2", compressors="gzip", ratio=ratio, request_cost=cost)
    if pattern.starts is not None:
        places = [pattern.starts]
    else:
        places = list(itertools.product(*[range(n - w + 1) for n, w in zip(shape, pattern.lengths, strict=True)]))
    totals = np.zeros(4)
    for place in places:
        box = tuple(slice(s, s + w) for s, w in zip(place, pattern.lengths, strict=True))
        plan = array.plan(box, look=True)
        chunks = plan.chunks if plan.inner_chunks is None else plan.inner_chunks
        totals += plan.requests, plan.stored_bytes, chunks, plan.decoded_bytes
    return totals / len(places)


def check_closed_form(number):
    chance = random.Random(number)
    shape, layout, _, _, _ = random_case(number)
    lengths = tuple(chance.randint(1, n) for n in shape)
    pattern = lab.Pattern("x", 1.0, lengths)
    if chance.random() < 0.2:
        pattern = pattern.at(shape, chance.random())
    ratio, cost = chance.choice([1.0, 1.7]), chance.choice([0, 3, 30, 1 << 19])
    found = lab.expected(layout, pattern, shape, 2, ratio, cost)
    case = shape, layout, pattern, ratio, cost
    np.testing.assert_allclose(
        found[:4], mean_of_plans(layout, pattern, shape, ratio, cost), rtol=1e-12, err_msg=f"{case}"
    )


def test_the_closed_form_is_the_mean_of_the_plans_for_every_place():
    for number in range(40):
        check_closed_form(number)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_the_closed_form_is_the_mean_of_the_plans_for_every_place_a_thousand_times(block):
    for number in range(10_000 + 100 * block, 10_100 + 100 * block):
        check_closed_form(number)


# --- the first choice against all layouts

NEAR = lab.store("s3", latency=1e-3, bandwidth=1e6, concurrency=2, request_cost=4, chunk_overhead=1e-6)
FAR = lab.store("s3", latency=5e-2, bandwidth=1e4, concurrency=8, request_cost=8, chunk_overhead=1e-5)
WORLDS = {
    "row and column": ((12, 10), ["rows 60%: 1, all", "columns 40%: all, 1"], NEAR),
    "windows": ((14, 11), ["windows 80%: 4, 3", "all 20%: all, all"], NEAR),
    "a far store": ((12, 10), ["rows 60%: 1, all", "points 40%: 1, 1"], FAR),
    "series and maps": ((12, 6, 5), ["series 70%: all, 1, 1", "maps 30%: 1, all, all"], NEAR),
    "series and maps, far": ((10, 6, 6), ["series 30%: all, 1, 1", "maps 70%: 1, all, all"], FAR),
    "boxes": ((8, 7, 6), ["boxes 50%: 3, 3, 3", "planes 50%: all, 1, all"], NEAR),
}
# Elements so large that the index of a shard is small beside them: here shards pay.
ONE = lab.store("s3", latency=1e-2, bandwidth=2e5, concurrency=1, request_cost=100, chunk_overhead=1e-6)
TWO = lab.store("s3", latency=1e-2, bandwidth=2e5, concurrency=2, request_cost=512, chunk_overhead=1e-6)
SHARDED = {
    "rows, columns, shards": ((12, 10), ["rows 60%: 1, all", "columns 40%: all, 1"], ONE),
    "rows, all, shards": ((12, 10), ["rows 60%: 1, all", "all 40%: all, all"], TWO),
    "series, maps, shards": ((10, 6, 5), ["series 70%: all, 1, 1", "maps 30%: 1, all, all"], ONE),
    "points, maps, shards": ((10, 6, 5), ["points 50%: 1, 1, 1", "maps 50%: 1, all, all"], TWO),
}
LARGE = {
    "a line": ((720,), ["windows 90%: 30", "all 10%: all"], FAR),
    "a plane": ((48, 60), ["rows 50%: 1, all", "columns 50%: all, 1"], NEAR),
    "a cube": ((18, 10, 17), ["series 70%: all, 1, 1", "maps 30%: 1, all, all"], NEAR),
}


def all_layouts(shape):
    for chunks in itertools.product(*[range(1, n + 1) for n in shape]):
        for several in itertools.product(*[range(1, -(-n // c) + 1) for n, c in zip(shape, chunks, strict=True)]):
            shards = tuple(m * c for m, c in zip(several, chunks, strict=True))
            yield lab.Layout(chunks, shards if math.prod(several) > 1 else None)


def against_brute_force(worlds, objectives=("seconds", "dollars", "nbytes"), dtype="u2"):
    """A table of worlds, and by how many per cent the first choice is worse than the best of all layouts."""
    rows, worst = [], 0.0
    for name, (shape, mix, store) in worlds.items():
        layouts = list(all_layouts(shape))
        for objective in objectives:
            advice = lab.advise(shape, dtype, mix, store=store, objective=objective, smallest=1, tolerance=0)
            values = {layout: advice.question.choice(layout).value(objective) for layout in layouts}
            best = min(values, key=values.get)
            found = advice.best.value(objective)
            percent = 100 * (found / values[best] - 1)
            worst = max(worst, percent)
            rows.append(
                f"{name:20} {objective:9} {len(layouts):8,} layouts, {len(advice.choices):6,} tried: "
                f"{advice.best.layout!s:36} {found:.6g}  best {best!s:36} {values[best]:.6g}  {percent:+.3f} %"
            )
    return "\n".join(rows), worst


def test_the_first_choice_is_the_best_of_all_layouts_of_small_worlds():
    some = {name: WORLDS[name] for name in ("row and column", "a far store")}
    table, worst = against_brute_force(some, ("seconds", "nbytes"))
    assert worst < 1, table


def test_where_shards_pay_the_first_choice_has_them_and_is_the_best():
    table, worst = against_brute_force({"rows": SHARDED["rows, columns, shards"]}, ("seconds",), "S256")
    assert worst < 1, table
    assert table.count("in shards of") == 2, table


@pytest.mark.slow
def test_the_first_choice_is_within_a_per_cent_of_the_best_where_shards_pay():
    table, worst = against_brute_force(SHARDED, ("seconds",), "S256")
    print(table)
    assert worst < 1, table


@pytest.mark.slow
def test_the_first_choice_is_the_best_of_all_layouts_of_every_small_world():
    table, worst = against_brute_force(WORLDS)
    print(table)
    assert worst < 1, table


@pytest.mark.slow
def test_the_first_choice_is_near_the_best_of_all_layouts_of_larger_worlds():
    table, worst = against_brute_force(LARGE, ("seconds",))
    print(table)
    assert worst < 5, table
