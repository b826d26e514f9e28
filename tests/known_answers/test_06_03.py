"""06_03 again, from outside: fees replayed by fractions, requests counted from the times, the minimum by SciPy.

The stores that the notebook left are read with zarr-python and TensorStore. Requests follow from which chunks each
append touches, worked out with pandas and sets; the best chunk is found by a search instead of a square root. Nothing
here imports this project's library.
"""

import itertools
from fractions import Fraction
from math import ceil, floor

import numpy as np
import pytest

from .readers import tensorstore_in_full, zarr_python, zarr_python_in_full

SOURCE = "notebooks/06_crypto/06_03_mempool_features.ipynb"
pytestmark = pytest.mark.gallery
TARGET, CHUNK, SHARD = 15_000_000, 2_048, 32_768


def replayed(base, used, target=TARGET):
    """The next base fee, by fractions that are rounded down where EIP-1559 divides."""
    change = floor(Fraction(floor(Fraction(base * abs(used - target), target)), 8))
    return base if used == target else base + max(change, 1) if used > target else base - change


@pytest.fixture
def starts(left):
    """At which event each append begins, and one more; from the times of the events."""
    pandas = pytest.importorskip("pandas")
    events = zarr_python(left[0] / "hot.zarr")
    counts = pandas.Series(events[:, 0] // 12_000).value_counts().sort_index()
    return np.concatenate([[0], np.cumsum(counts.to_numpy())])


def test_the_base_fees_follow_from_the_gas_to_the_wei(left):
    out, facts, _ = left
    assert facts["london"] == replayed(1_000_000_000, 30_025_257, 15_014_561) == 1_124_967_822
    base, used = zarr_python(out / "blocks.zarr")[:, 1:3].T.tolist()
    wanted = [replayed(*each) for each in zip(base, used, strict=True)]
    assert wanted[:-1] == base[1:]
    assert (facts["blocks"], facts["of"]) == (len(base), len(base) - 1)
    assert facts["highest_gwei"] == round(max(base) / 1e9)
    too_large = [k for k, (fee, gas) in enumerate(zip(base, used, strict=True)) if fee * abs(gas - TARGET) >= 2**63]
    assert facts["wrong"] == len([k for k in too_large if k < len(base) - 1])
    first = too_large[0]
    wrapped = base[first] * (used[first] - TARGET) - 2**64
    assert facts["first_wrong"] == [
        first + 1,
        round((base[first] + max(wrapped // TARGET // 8, 1)) / 1e9, 1),
        round(base[first + 1] / 1e9, 1),
    ]
    assert facts["limit_gwei"] == round((2**63 - 1) / TARGET / 10**9)


@pytest.mark.parametrize("read", [zarr_python_in_full, tensorstore_in_full])
def test_hot_and_cold_hold_the_same_events(left, read):
    out, facts, zarr_format = left
    hot, chunks, kept = read(out / "hot.zarr", "")
    assert (chunks, kept) == ((CHUNK, 6), zarr_format)
    cold, _, kept = read(out / "cold.zarr", "")
    assert kept == 3
    np.testing.assert_array_equal(hot, cold)
    assert (np.diff(hot[:, 0]) >= 0).all()
    assert facts["events"] == len(hot)
    assert len([p for p in (out / "cold.zarr").rglob("*") if p.is_file()]) == 1 + ceil(len(hot) / SHARD)
    assert facts["compaction"] == [ceil(len(hot) / CHUNK), ceil(len(hot) / SHARD), ceil(len(hot) / SHARD)]


def test_the_requests_follow_from_which_chunks_each_append_touches(left, starts):
    _, facts, _ = left
    many = int(starts[-1])
    assert facts["flushes"] == len(starts) - 1
    assert facts["largest_flush"] == np.diff(starts).max()
    for chunk in (512, CHUNK, 8_192):
        puts = gets = 0
        for start, stop in itertools.pairwise(starts):
            touched = len({row // chunk for row in range(start, stop)})
            puts += touched + (2 if touched > (start % chunk > 0) else 1)  # the metadata, twice for a new chunk
            gets += 1 + (start % chunk > 0)  # the metadata, and a chunk that is begun already
        assert facts["streams"][str(chunk)] == [ceil(many / chunk), int(gets), puts]
    assert facts["requests_of_the_hot_hour"] == sum(facts["streams"][str(CHUNK)][1:])


def test_the_best_chunk_is_where_a_search_finds_it(left, starts):
    optimize = pytest.importorskip("scipy.optimize")
    _, facts, _ = left
    put, get, byte = np.array(facts["prices"]) / [1e6, 1e6, 1e9]
    size, flush, reads = facts["bytes_of_an_event"], starts[-1] / (len(starts) - 1), facts["reads"]

    def dollars(chunk, flush=flush, reads=reads):
        again = byte * size * chunk / flush
        return 1e6 * (2 * (put + get) / flush + (2 * put + reads * get) / chunk + again)

    def lowest(*given):
        return optimize.minimize_scalar(dollars, bounds=(100, 1e5), args=given, method="bounded", options={"xatol": 1})

    best = lowest(flush, reads)
    assert facts["best"] == pytest.approx(best.x, rel=0.01)
    assert facts["lowest"] == pytest.approx(best.fun, abs=0.001)
    assert facts["best_to_write"] == pytest.approx(lowest(flush, 0).x, rel=0.01)
    assert facts["fresh"][:2] == [
        pytest.approx(lowest(flush / 4, reads).x, rel=0.01),
        pytest.approx(facts["fresh"][2] * best.fun, rel=0.02),
    ]
    for chunk, (chunks, gets, puts) in facts["streams"].items():
        moved = 1e6 * facts["moved_mb"][chunk]
        cost = (puts * put + gets * get + moved * byte + reads * chunks * get) / starts[-1] * 1e6
        assert facts["counted"][chunk] == pytest.approx(cost, abs=0.0015)
        assert facts["formula"][chunk] == pytest.approx(dollars(int(chunk)), abs=0.0015)
    _, gets, puts = facts["streams"][str(CHUNK)]
    hot = puts * put + gets * get + 1e6 * facts["moved_mb"][str(CHUNK)] * byte
    back, shards, once = facts["compaction"]
    copied = back * get + shards * put + 2 * size * starts[-1] * byte
    twice = (hot + copied + reads * once * get) / starts[-1] * 1e6
    assert facts["twice"] == pytest.approx(twice, abs=0.001)
    assert facts["change_percent"] == pytest.approx(100 * (twice / best.fun - 1), abs=1.5)
    assert facts["saved_percent"] == -facts["change_percent"]
    assert facts["sizes"] == [512, CHUNK, 8_192]
    assert facts["flushes_percent_of_twice"] == pytest.approx(100 * 2e6 * (put + get) / flush / twice, abs=1.5)
