"""02_01 again, from outside: run the notebook, read the store that it left, and work out every answer anew.

Requests are found by enumeration, place by place and chunk by chunk; the times are the formula of the model; the
values come from zarr-python, TensorStore and the vendored file. Nothing here imports this project.
"""

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
SOURCE = "notebooks/02_labs/02_01_chunk_sizing_lab.ipynb"
pytestmark = pytest.mark.gallery

SHAPE = (240, 37, 49)
READS = {
    "map": (range(120, 121), range(37), range(49)),
    "point": (range(240), range(14, 15), range(30, 31)),
    "region": (range(120, 150), range(12, 20), range(28, 36)),
}
LAYOUTS = [(1, 37, 49), (240, 8, 8), (60, 16, 16)]
POINTS, MAPS = (240, 1, 1), (1, 37, 49)


def cube():
    decades = np.load(ROOT / "data_gen" / "vendor" / "air_temperature_a1b.npz")["air_temperature"]
    years = np.arange(240) / 240 * 23
    first = np.floor(years).astype(int)
    share = (years - first).astype("float32").reshape(-1, 1, 1)
    return decades[first] * (1 - share) + decades[first + 1] * share


def mean_chunks(shape, window, chunks):
    """Chunks touched, averaged over all places: the axes by themselves, each start by itself."""
    means = []
    for n, w, c in zip(shape, window, chunks, strict=True):
        means.append(np.mean([len(range(s // c, (s + w - 1) // c + 1)) for s in range(n - w + 1)]))
    return math.prod(means)


def milliseconds(shape, window, chunks, model):
    """The model: rounds of waiting, bytes through the pipe, decoding at 1 GB a second and 10 microseconds a chunk."""
    touched = mean_chunks(shape, window, chunks)
    nbytes = touched * math.prod(chunks) * 4
    waiting = max(1, touched / model["in_flight"]) * model["latency_ms"]
    return waiting + 1000 * (nbytes / (model["megabytes_per_second"] * 1e6) + nbytes / 1e9 + touched * 1e-5)


def mixed(shape, chunks, model):
    points, maps = (shape[0], 1, 1), (1, *shape[1:])
    return 0.7 * milliseconds(shape, points, chunks, model) + 0.3 * milliseconds(shape, maps, chunks, model)


def test_other_readers_see_the_values_in_the_first_choice(left):
    out, facts, zarr_format = left
    zarr = pytest.importorskip("zarr")
    array = zarr.open_array(str(out / "chosen.zarr"), mode="r")
    np.testing.assert_array_equal(array[...], cube())
    assert (list(array.chunks), array.metadata.zarr_format) == (facts["first_choice"], zarr_format)
    ts = pytest.importorskip("tensorstore")
    driver = "zarr3" if zarr_format == 3 else "zarr"
    spec = {"driver": driver, "kvstore": {"driver": "file", "path": f"{out / 'chosen.zarr'}/"}}
    np.testing.assert_array_equal(ts.open(spec).result().read().result(), cube())


def test_every_read_of_the_table_is_what_enumeration_gives(left):
    facts = left[1]["predicted"]
    assert len(facts) == len(READS) * len(LAYOUTS)
    for (name, read), chunks in itertools.product(READS.items(), LAYOUTS):
        coords = [{index // c for index in axis} for axis, c in zip(read, chunks, strict=True)]
        requests = math.prod(map(len, coords))
        assert facts[f"{name} in {' x '.join(map(str, chunks))}"] == [requests, requests * math.prod(chunks) * 4]
    assert [facts[f"{name} in 1 x 37 x 49"][0] for name in READS] == [1, 240, 30]
    assert [facts[f"{name} in 240 x 8 x 8"][0] for name in READS] == [35, 1, 4]
    assert [facts[f"{name} in 60 x 16 x 16"][0] for name in READS] == [12, 4, 4]
    assert left[1]["traced"] == left[1]["traced_right"] > 0


def test_the_first_choice_costs_what_its_formula_says_and_one_map_to_a_chunk_much_more(left):
    facts, model = left[1], left[1]["model"]
    chunks = tuple(facts["first_choice"])
    requests = 0.7 * mean_chunks(SHAPE, POINTS, chunks) + 0.3 * mean_chunks(SHAPE, MAPS, chunks)
    assert facts["first_choice_requests"] == pytest.approx(requests, rel=1e-12)
    assert facts["first_choice_nbytes"] == pytest.approx(requests * math.prod(chunks) * 4, rel=1e-12)
    assert facts["first_choice_milliseconds"] == pytest.approx(mixed(SHAPE, chunks, model), rel=1e-6)
    assert facts["one_map_requests"] == pytest.approx(0.7 * 240 + 0.3)
    assert facts["one_map_milliseconds"] == pytest.approx(mixed(SHAPE, (1, 37, 49), model), rel=1e-6)
    assert facts["one_map_milliseconds"] > 15 * facts["first_choice_milliseconds"]


def test_no_chunk_shape_is_more_than_one_per_cent_better_than_the_first_choice(left):
    """All 240 x 37 x 49 chunk shapes of at least 4 KiB: a point and a map touch whole axes, so this is quick."""
    facts, model = left[1], left[1]["model"]
    years, rows, columns = np.ogrid[1:241, 1:38, 1:50]
    nbytes = years * rows * columns * 4
    total = 0.0
    for weight, touched in ((0.7, -(-240 // years)), (0.3, -(-37 // rows) * -(-49 // columns))):
        waiting = np.maximum(1, touched / model["in_flight"]) * model["latency_ms"] / 1000
        moved = touched * nbytes
        total = total + weight * (
            waiting + moved / (model["megabytes_per_second"] * 1e6) + moved / 1e9 + touched * 1e-5
        )
    best = 1000 * total[nbytes >= 4096].min()
    assert best <= facts["first_choice_milliseconds"] * (1 + 1e-9)
    assert facts["first_choice_milliseconds"] <= 1.01 * best


def test_the_curve_is_shaped_like_a_u(left):
    sizes, times = zip(*left[1]["curve"], strict=True)
    assert list(sizes) == sorted(sizes)
    least = times.index(min(times))
    assert 0 < least < len(times) - 1
    assert times[0] > 1.5 * times[least]
    assert times[-1] > 1.3 * times[least]


def test_the_shard_is_laid_out_as_the_specification_says(left):
    """Chunks in C order, those outside of the array left out; an index of 16 bytes each, and a checksum of 4."""
    found = left[1]["shard"]
    size, present = 60 * 16 * 16 * 4, (4, 3, 4)  # 240, 37 and 49 in chunks of 60, 16 and 16
    assert found["index"] == 16 * 4 * 4 * 4 + 4
    assert found["bytes"] == math.prod(present) * size + found["index"]
    assert (found["offset"], found["length"]) == (int(np.ravel_multi_index((2, 0, 1), present)) * size, size)
    assert found["absent"] == 4 * 4 * 4 - math.prod(present)


def test_ten_reads_take_the_requests_that_enumeration_gives(left):
    chunks = left[1]["first_choice"]
    per_point, per_map = -(-240 // chunks[0]), -(-37 // chunks[1]) * -(-49 // chunks[2])
    assert left[1]["ten_reads"] == {"one map": 7 * 240 + 3, "first choice": 7 * per_point + 3 * per_map}


def test_in_a_larger_array_the_reads_pull_in_opposite_directions(left):
    facts, model = left[1]["large"], left[1]["model"]
    assert facts["milliseconds"] == pytest.approx(mixed((240, 370, 490), tuple(facts["best"]), model), rel=1e-6)
    assert facts["two_copies_milliseconds"] < facts["in_shards_milliseconds"] < facts["milliseconds"]


def test_the_report_holds_what_the_notebook_says(left):
    out, facts, _ = left
    report = json.loads((out / "advice.json").read_text(encoding="utf-8"))
    assert report["choices"][0]["chunks"] == facts["first_choice"]
    assert report["today"]["requests"] == facts["one_map_requests"]


def test_the_facts_of_this_run_are_the_ones_beside_the_notebook(left, committed):
    assert left[1] == committed
