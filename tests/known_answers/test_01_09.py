"""01_09 again, from outside: run the notebook, and work out every bucket from the machine's prices.

Chunks are cut and compressed here with NumPy and zlib, so requests, stored bytes and decoded bytes are known without
the library; the prices make seconds of them. Nothing here imports this project's library.
"""

import zlib

import numpy as np
import pytest

from data_gen import fields

SOURCE = "notebooks/01_core_zarr/01_09_profiling.ipynb"
pytestmark = pytest.mark.gallery

SIDE, SIDES = 1024, (32, 128, 1024)
QUESTIONS = {
    "everything": (slice(0, SIDE), slice(0, SIDE)),
    "100 x 100": (slice(600, 700), slice(700, 800)),
    "one row": (slice(5, 6), slice(0, SIDE)),
}
REQUEST, BYTE, DECODED, VALUE = 0.020, 1 / 100e6, 0.040 / 2**20, 500e-9
CASES = [(question, side) for question in QUESTIONS for side in SIDES]


@pytest.fixture(scope="module")
def expected():
    """Seconds of the buckets for each case, with the requests, from arithmetic."""
    plane, found = fields.gradient(SIDE), {}
    for question, side in CASES:
        rows, columns = QUESTIONS[question]
        stored = [
            len(zlib.compress(np.ascontiguousarray(plane[i : i + side, j : j + side]).tobytes(), 1, 31))
            for i in range(rows.start // side * side, rows.stop, side)
            for j in range(columns.start // side * side, columns.stop, side)
        ]
        found[f"{question} in {side}"] = {
            "store": REQUEST * len(stored) + BYTE * sum(stored),
            "codec": DECODED * len(stored) * side * side * 4,
            "you": VALUE * plane[rows, columns].size,
        }
    return found


@pytest.mark.parametrize("case", [f"{question} in {side}" for question, side in CASES])
def test_the_measured_buckets_are_what_the_prices_make_of_requests_bytes_and_values(left, expected, case):
    facts = left[1]
    assert facts["seconds"][case] == pytest.approx(expected[case], abs=1e-6)
    whole = sum(expected[case].values())
    assert facts["totals"][case] == pytest.approx(whole, abs=1e-6)
    assert facts["first"][case] == max(expected[case], key=expected[case].get)
    assert facts["shares"][case] == pytest.approx({b: 100 * s / whole for b, s in expected[case].items()}, abs=1e-3)


def test_every_bucket_comes_first_somewhere(left):
    assert set(left[1]["first"].values()) == {"store", "codec", "you"}


def test_a_ceiling_is_the_whole_over_the_rest(left, expected):
    facts, parts = left[1], expected["everything in 32"]
    whole = sum(parts.values())
    assert facts["total"] == pytest.approx(whole)
    for names, factor in facts["ceiling"].items():
        assert factor == pytest.approx(whole / (whole - sum(parts[name] for name in names.split(" and "))))
    assert facts["left"] == pytest.approx({name: whole - spent for name, spent in parts.items()})
    assert facts["cured"] == pytest.approx(whole / sum(expected["everything in 1024"].values()))
    assert facts["requests"] == {str(side): (SIDE // side) ** 2 for side in SIDES}


def test_least_squares_finds_the_prices_that_were_planted(left):
    assert left[1]["found"] == {"request_ms": pytest.approx(20.0), "megabytes_per_second": pytest.approx(100.0)}


def test_a_cache_of_everything_fetches_each_chunk_once(left):
    windows = [{(i, j) for i in range(top // 32, (top + 127) // 32 + 1) for j in range(4)} for top in range(0, 897, 32)]
    asked, distinct = sum(map(len, windows)), len(set().union(*windows))
    assert left[1]["cache"] == {
        "asked": asked,
        "windows": len(windows),
        "hits": asked - distinct,
        "misses": distinct,
    }


def test_four_at_once_take_a_quarter_of_what_they_add_up_to(left):
    found = left[1]["at_once"]
    assert (found["in_flight"], found["requests"]) == (4, 64)
    assert found["added"] == pytest.approx(64 * REQUEST)
    assert found["elapsed"] == pytest.approx(64 * REQUEST / 4)


def test_the_slow_few_meet_more_reads_the_more_requests_they_make(left):
    slow = np.random.PCG64(0).random_raw(10_000 * 256).reshape(10_000, 256) % 100 == 0
    found = left[1]["tail"]
    assert found["slow_in"] == 100
    assert found["percentiles"] == [REQUEST * 1000, 1000.0]
    assert 0.005 < slow.mean() < 0.02  # so the middle one is fast, and the 99.5th of a hundred slow
    for requests, percent in zip(found["requests"], found["percent"], strict=True):
        assert percent == pytest.approx(100 * (1 - (99 / 100) ** requests))
        assert percent == pytest.approx(100 * slow[:, :requests].any(axis=1).mean(), abs=2)


def test_next_door_your_own_function_comes_first(left, expected):
    near, far = left[1]["near"], expected["everything in 128"]
    assert near["store"] == pytest.approx(far["store"] - 64 * 0.018, abs=1e-6)
    assert near["you"] > max(near["store"], near["codec"])


def test_the_array_that_was_left_is_the_plane_and_says_how_many_bytes_come_out_of_a_chunk(left):
    zarr = pytest.importorskip("zarr")
    out, facts, zarr_format = left
    opened = zarr.open_array(str(out / "plane.zarr"), mode="r", zarr_format=zarr_format)
    np.testing.assert_array_equal(opened[...], fields.gradient(SIDE))
    chunk = (out / "plane.zarr" / {2: "0.0", 3: "c/0/0"}[zarr_format]).read_bytes()
    assert int.from_bytes(chunk[-4:], "little") == len(zlib.decompress(chunk, 31)) == facts["decoded_bytes"]


def test_the_facts_of_this_run_are_the_ones_beside_the_notebook(left, committed):
    # These have compressed sizes in them, which are worked out above.
    of_the_run = {"seconds", "totals", "shares", "left", "ceiling", "total", "cured", "near", "figures"}
    facts = left[1]
    assert {k: v for k, v in facts.items() if k not in of_the_run} == {
        k: v for k, v in committed.items() if k not in of_the_run
    }
