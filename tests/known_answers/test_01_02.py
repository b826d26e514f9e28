"""01_02 again, from outside: run the notebook, read the stores that it left, and work out every answer anew.

The costs are found by enumeration, chunk by chunk and offset by offset, where the notebook divides; the values
come from zarr-python, TensorStore and NumPy. Nothing here imports this project.
"""

import itertools
import math

import numpy as np
import pytest

from .readers import tensorstore_in_full, zarr_python_in_full

SOURCE = "notebooks/01_core_zarr/01_02_chunking_is_the_index.ipynb"
pytestmark = pytest.mark.gallery

N = 1024
QUESTIONS = {
    "one value": (range(341, 342), range(204, 205)),
    "one row": (range(341, 342), range(N)),
    "one column": (range(N), range(204, 205)),
    "100 x 100": (range(341, 441), range(204, 304)),
    "everything": (range(N), range(N)),
}
LAYOUTS = [(16, N), (N, 16), (256, 256), (64, 64), (8, 8), (N, N)]


def plane():
    row, column = np.mgrid[:N, :N]
    return (row + column / 4096).astype("float32")


def chunks_of(rows, columns, shape):
    return {r // shape[0] for r in rows}, {c // shape[1] for c in columns}


@pytest.mark.parametrize("read", [zarr_python_in_full, tensorstore_in_full])
@pytest.mark.parametrize(("name", "chunks"), [("wide.zarr", (16, N)), ("square.zarr", (256, 256))])
def test_other_readers_see_the_plane_in_both_layouts(left, read, name, chunks):
    values, found, zarr_format = read(left[0] / name)
    np.testing.assert_array_equal(values, plane())
    assert (found, zarr_format) == (chunks, left[2])


def test_every_cost_is_what_enumeration_gives(left):
    costs = left[1]["costs"]
    assert len(costs) == left[1]["predictions"] == left[1]["predictions_right"] == len(QUESTIONS) * len(LAYOUTS)
    for (name, (rows, columns)), (high, wide) in itertools.product(QUESTIONS.items(), LAYOUTS):
        down, across = chunks_of(rows, columns, (high, wide))
        decoded = len(down) * len(across) * high * wide * 4
        assert costs[f"{name} in {high} x {wide}"] == {
            "requests": len(down) * len(across),
            "decoded": decoded,
            "amplification": decoded / (len(rows) * len(columns) * 4),
        }


def test_no_layout_is_best_at_everything(left):
    """Of all six, none has the least amplification in every row of the table that is not trivial."""
    costs = left[1]["costs"]
    for name in ("one row", "one column"):
        by_layout = {layout: costs[f"{name} in {layout[0]} x {layout[1]}"] for layout in LAYOUTS}
        assert min(by_layout, key=lambda layout: by_layout[layout]["amplification"]) == (8, 8)
        assert by_layout[8, 8]["requests"] == max(found["requests"] for found in by_layout.values()) == 128


def test_the_row_lies_where_the_division_says(left):
    out, facts, zarr_format = left
    row, parts, piece, size = facts["row_in_squares"]
    assert (row, parts, piece, size) == (5, N // 256, 256 * 4, 256 * 256 * 4)
    start = facts["row_start_in_square"]
    for part in range(parts):
        key = f"c/0/{part}" if zarr_format == 3 else f"0.{part}"
        data = (out / "square.zarr" / key).read_bytes()
        assert len(data) == size
        found = np.frombuffer(data[start : start + piece], "<f4")
        np.testing.assert_array_equal(found, plane()[row, 256 * part : 256 * (part + 1)])
    assert facts["partial"] == {"requests": parts, "bytes": N * 4}


def test_the_loop_unpacks_every_chunk_256_times(left):
    loop = left[1]["loop"]
    per_row = len(chunks_of(range(1), range(N), (256, 256))[1])
    assert loop == {
        "rows": 256,
        "requests": 256 * per_row,
        "requests_at_once": per_row,
        "mebibytes": 256 * per_row * 256 * 256 * 4 / 2**20,
        "mebibytes_at_once": per_row * 256 * 256 * 4 / 2**20,
    }
    assert left[1]["stream_requests"] == (N // 256) ** 2


def test_the_model_is_its_formula(left):
    model = left[1]["model"]
    sides = [2**power for power in range(3, 13)]

    def seconds(window, chunk):
        chunks = (1 + (window - 1) / chunk) ** 2  # the mean over all offsets, in closed form
        waiting = chunks / min(chunks, model["under_way"]) * model["latency_ms"] / 1000
        return waiting + chunks * chunk * chunk * 4 / (model["megabytes_per_second"] * 1e6)

    for at, window in enumerate(model["windows"]):
        times = [seconds(window, side) for side in sides]
        assert model["best_side"][at] == sides[int(np.argmin(times))]
        expected = [min(times), times[0], times[-1]]
        found = [model[name][at] for name in ("best_seconds", "seconds_8", "seconds_4096")]
        assert found == pytest.approx(expected, rel=1e-12)
    balance = model["latency_ms"] / 1000 / model["under_way"] * model["megabytes_per_second"] * 1e6
    assert (model["balance_bytes"], model["balance_side"]) == (balance, math.isqrt(int(balance / 4)))
    # The rule of thumb: within twice the best for every window, and far more than the small window's best chunk holds
    rule, near = left[1]["rule"], min(sides, key=lambda side: abs(math.log(side / math.sqrt(balance / 4))))
    assert (rule["bytes"], rule["near"]) == (balance, near)
    assert rule["below"] == pytest.approx(balance / (4 * model["best_side"][0] ** 2))
    assert rule["below"] > 20
    for window in model["windows"]:
        slower = seconds(window, near) / min(seconds(window, side) for side in sides)
        assert left[1]["slower_than_the_best"][str(window)] == pytest.approx(slower)
        assert slower < 2


def test_the_window_that_is_moved_touches_what_enumeration_gives(left):
    assert [begin for begin, _ in left[1]["window_at"]] == [63, 64]
    for begin, found in left[1]["window_at"]:
        assert found == len({index // 64 for index in range(begin, begin + 100)}) ** 2


def test_the_facts_of_this_run_are_the_ones_beside_the_notebook(left, committed):
    drawn = ({**facts, "figures": sorted(facts["figures"])} for facts in (left[1], committed))
    assert next(drawn) == next(drawn)  # another matplotlib may draw the same figure with other bytes
