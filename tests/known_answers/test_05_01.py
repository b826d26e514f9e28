"""05_01 again, from outside: run the notebook, read the stores that it left, and work out every answer anew.

Open, high, low and close are pandas' and VWAPs those of whole numbers of Python, on the cents that zarr-python and
TensorStore read; sizes are those of the files; requests come from enumeration. Nothing here imports this project's
library.
"""

import itertools
from fractions import Fraction

import numpy as np
import pytest

from data_gen import ticks

from .readers import tensorstore_in_full, zarr_python, zarr_python_in_full

SOURCE = "notebooks/05_finance/05_01_tick_data_cube.ipynb"
pytestmark = pytest.mark.gallery

SECONDS, STOCKS, CHUNK = 23_400, 8, 1800


def cents():
    day = ticks.make("small").arrays
    columns = [day[name] if name == "size" else np.rint(100 * day[name]) for name in ("price", "size", "bid", "ask")]
    return np.stack(columns, axis=-1).astype("int32")


def vwap(rows, stock):
    """In dollars, exactly, from rows of (price in cents, size, ...)."""
    price, size = rows[:, stock, 0].tolist(), rows[:, stock, 1].tolist()
    return Fraction(sum(p * s for p, s in zip(price, size, strict=True)), 100 * sum(size))


def means_of_means(cube, length):
    """For each stock: the mean of the VWAPs of pieces of so many seconds."""
    pieces = [cube[start : start + length] for start in range(0, len(cube), length)]
    return [sum(vwap(piece, stock) for piece in pieces) / len(pieces) for stock in range(STOCKS)]


def off(wrong, exact):
    return [float((one / other - 1) * 10_000) for one, other in zip(wrong, exact, strict=True)]


@pytest.mark.parametrize("read", [zarr_python_in_full, tensorstore_in_full])
@pytest.mark.parametrize(
    ("name", "chunks"),
    [("moments", (CHUNK, STOCKS, 4)), ("stocks", (SECONDS, 1, 4)), ("live", (CHUNK, STOCKS, 4))],
)
def test_other_readers_see_the_day_in_both_layouts_and_in_the_one_that_grew(left, read, name, chunks):
    values, found, zarr_format = read(left[0] / f"{name}.zarr")
    np.testing.assert_array_equal(values, cents())
    assert (found, zarr_format) == (chunks, left[2])


def test_open_high_low_and_close_are_those_of_pandas(left):
    pd = pytest.importorskip("pandas")
    values = zarr_python(left[0] / "moments.zarr")
    times = pd.date_range("2024-01-02 09:30", periods=SECONDS, freq="s")
    bars = left[1]["bars"]
    for stock in range(STOCKS):
        found = pd.Series(values[:, stock, 0], index=times).groupby(times.date).ohlc().iloc[0] / 100
        assert {name: bars[name][stock] for name in bars} == found.to_dict()


def test_the_vwaps_are_exact_and_the_means_of_means_are_off_as_it_says(left):
    facts, cube = left[1], zarr_python(left[0] / "moments.zarr")
    exact, wrong = [vwap(cube, stock) for stock in range(STOCKS)], means_of_means(cube, CHUNK)
    assert facts["vwap"] == pytest.approx([float(value) for value in exact], rel=1e-12)
    assert facts["mean_of_means"] == pytest.approx([float(value) for value in wrong], rel=1e-12)
    assert facts["off_bp"] == pytest.approx(off(wrong, exact), abs=1e-7)
    assert facts["off_bp_least_and_most"] == pytest.approx([min(map(abs, facts["off_bp"])), facts["off_bp"][7]])
    assert facts["live"]["last"] == facts["vwap"][facts["stock"]]
    for length in (60, 1800, 7200, 23_400):
        expected = off(means_of_means(cube, length), exact)
        assert facts["off_by_length"][str(length)] == pytest.approx(expected[7], abs=1e-7)
    assert facts["halves_bp"] == pytest.approx(off(means_of_means(cube, 11_700), exact), abs=1e-7)


def test_in_chunks_of_a_second_the_volume_drops_out(left):
    facts, price = left[1], cents()[:, 7, 0]
    plain = float(price.astype("float64").mean() / 100)
    assert facts["off_by_length"]["1"] == pytest.approx((plain / facts["vwap"][7] - 1) * 1e4, abs=1e-7)


def test_the_money_and_the_spread_are_those_of_the_trades(left):
    facts, cube = left[1], cents().astype("int64")[:, 7]
    turnover = (cube[:, 0] * cube[:, 1]).sum() / 100
    assert facts["turnover_dollars"] == turnover
    assert facts["off_thousand_dollars"] == pytest.approx(facts["off_bp"][7] / 1e4 * turnover / 1e3)
    assert facts["one_percent_of_the_error"] == pytest.approx(abs(facts["off_thousand_dollars"]) / 100)
    assert facts["spread_bp"] == pytest.approx(np.median((cube[:, 3] - cube[:, 2]) / cube[:, 0]) * 1e4)
    assert facts["shares_in_a_chunk"] == [
        choose(cube[start : start + CHUNK, 1].sum() for start in range(0, SECONDS, CHUNK)) for choose in (max, min)
    ]
    assert facts["price_in_the_file"] == [cents()[0, 0, 0], cents()[0, 0, 0] / 100]


def test_naive_ticks_would_have_hidden_it(left):
    """Their prices and sizes again, from the raw bits: as volume is flat, the mean of means is right by chance."""
    raw = np.random.PCG64(0).random_raw(4 * SECONDS * STOCKS).reshape(4, SECONDS, STOCKS)
    cents_each = np.stack([10_000 + raw[0] % 101, raw[3] % 1000 + 1], axis=-1).astype("int64")
    exact = [vwap(cents_each, stock) for stock in range(STOCKS)]
    worst = max(map(abs, off(means_of_means(cents_each, CHUNK), exact)))
    assert left[1]["naive_off_bp"] == pytest.approx(worst, abs=6e-5)
    assert worst < left[1]["off_bp_least_and_most"][0] / 100


def test_the_market_keeps_its_facts_and_the_naive_one_fails_them(left):
    facts = left[1]
    bands = {name: band for name, (_, *band) in ticks.realism(ticks.make("small")).items()}
    inside = {
        who: [low <= facts["realism"][who][name] <= high for name, (low, high) in bands.items()]
        for who in ("market", "naive")
    }
    assert all(inside["market"])
    assert inside["naive"].count(False) == facts["failed_by_naive"]
    volume = cents()[..., 1].sum(1).reshape(13, CHUNK).sum(1)
    assert facts["half_hour_volume"]["market"] == pytest.approx(volume / volume.mean(), abs=1e-6)


def test_the_memory_of_the_size_of_moves_is_numpys(left):
    quotes = cents()[::60, :, 2:].sum(-1) / 200
    moves = np.abs(np.diff(np.log(quotes), axis=0))
    for lag in (1, 2, 10):
        # the sum over the pairs, divided by all minutes but the lag, with mean and variance of the whole day
        apart = moves - moves.mean(0)
        found = np.median((apart[lag:] * apart[:-lag]).sum(0) / (len(moves) - lag) / moves.var(0))
        assert left[1]["memory_of_size"]["market"][lag - 1] == pytest.approx(found, abs=6e-5)


def chunk_files(folder):
    documents = {".zarray", ".zattrs", "zarr.json"}
    return [path for path in folder.rglob("*") if path.is_file() and path.name not in documents]


def test_the_sizes_are_those_of_the_files_and_of_numcodecs_alone(left):
    numcodecs = pytest.importorskip("numcodecs")
    out, facts, _ = left
    cube = cents()
    dollars = cube / np.array([100, 1, 100, 100])
    for name, values in (("float64", dollars), ("int32", cube)):
        for how, shuffle in (("zstd", 0), ("bitshuffle, zstd", 2)):
            codec = numcodecs.Blosc("zstd", 3, shuffle)
            halves = [values[start : start + CHUNK] for start in range(0, SECONDS, CHUNK)]
            single = [np.ascontiguousarray(values[:, stock]) for stock in range(STOCKS)]
            for layout, pieces in (("moments", halves), ("stocks", single)):
                nbytes = sum(len(codec.encode(piece)) for piece in pieces)
                assert facts["stored"][f"{name}, {how}, {layout}"] == nbytes
                assert facts["ratio"][f"{name}, {how}, {layout}"] == dollars.nbytes / nbytes
    of_type = {
        name: min(facts["stored"][f"{name}, {how}, moments"] for how in ("zstd", "bitshuffle, zstd"))
        for name in ("float64", "int32")
    }
    assert facts["best_against_best"] == of_type["float64"] / of_type["int32"]
    for layout in ("moments", "stocks"):
        on_disk = sum(path.stat().st_size for path in chunk_files(out / f"{layout}.zarr"))
        assert facts["stored"][f"int32, bitshuffle, zstd, {layout}"] == on_disk


def test_the_requests_are_what_enumeration_gives(left):
    asked = {"all stocks, half an hour": (range(1800, 3600), range(8)), "one stock, all day": (range(23_400), [7])}
    shapes = {"moments": (CHUNK, STOCKS), "stocks": (SECONDS, 1)}
    for (question, (rows, columns)), (layout, (long, wide)) in itertools.product(asked.items(), shapes.items()):
        chunks = {row // long for row in rows}, {column // wide for column in columns}
        count = len(chunks[0]) * len(chunks[1])
        assert left[1]["costs"][f"{question}, {layout}"] == {
            "requests": count,
            "amplification": count * long * wide / (len(rows) * len(columns)),
        }


def test_a_chunk_is_written_as_often_as_something_is_appended_to_it(left):
    assert left[1]["chunk_writes"] == {str(step): len(range(0, CHUNK, step)) for step in (60, 300, CHUNK)}
    assert left[1]["live"]["looks"] == len(range(0, SECONDS, 300))
    assert left[1]["live"]["requests"] == {"append": 4, "follow": 2}  # the metadata and a chunk, got and put; and got


def test_a_merge_by_the_beginning_alone_is_wrong_unless_the_last_chunk_is_merged_last(left):
    """The bar that is merged keeps the earliest beginning; so whatever comes later than that chunk takes the close."""
    facts, price = left[1], cents()[:, 7, 0] / 100
    closes = price[CHUNK - 1 :: CHUNK]
    wrong = 0
    for k in range(13):
        first, close = k, closes[k]
        for chunk in [*range(k + 1, 13), *range(k)]:
            if chunk > first:
                close = closes[chunk]
            first = min(first, chunk)
        wrong += close != closes[12]
    assert facts["wrong_turns"] == wrong
    assert facts["late_chunk"] == [closes[5], closes[12]]


def test_a_first_chunk_that_is_counted_twice_moves_the_vwap(left):
    facts, cube = left[1], cents()
    twice = np.concatenate([cube[:CHUNK], cube])
    assert facts["twice"]["shares"] == [twice[:, 7, 1].sum(), cube[:, 7, 1].sum()]
    moved = off([vwap(twice, 7)], [vwap(cube, 7)])[0]
    assert facts["twice"]["off_bp"] == pytest.approx(abs(moved), abs=1e-7)
    assert facts["noon"] == {"low": 0.0, "close": 0.0}
    assert (facts["runs"][0], facts["sums"]["of cents"]) == (facts["runs"][1], 1)


def test_the_facts_of_this_run_are_near_the_ones_beside_the_notebook(left, committed):
    """Another version of zstd may leave a few bytes more or less; what follows from the values alone is equal."""
    facts = left[1]
    assert set(facts) == set(committed)
    assert facts["ratio"] == pytest.approx(committed["ratio"], rel=0.03)
    measured = {"stored", "ratio", "figures"}
    assert {k: v for k, v in facts.items() if k not in measured} == {
        k: v for k, v in committed.items() if k not in measured
    }


def test_the_floor_is_the_entropy_of_the_moves_and_a_coder_of_numbers_reaches_it(left):
    stats = pytest.importorskip("scipy.stats")
    price = zarr_python(left[0] / "moments.zarr")[:, left[1]["stock"], 0].copy()
    _, seen = np.unique(np.diff(price), return_counts=True)
    floor = stats.entropy(seen, base=2) * (len(price) - 1) / 8
    assert left[1]["floor"] == pytest.approx(floor)
    assert left[1]["times_floor"]["differences, zstd"] > 1.5
    codec = pytest.importorskip("numcodecs.pcodec")
    assert 1 < len(codec.PCodec().encode(price)) / floor < 1.02


def test_a_missing_price_comes_back_as_the_offset(left):
    price = zarr_python(left[0] / "moments.zarr")[:, left[1]["stock"], 0].copy()
    assert left[1]["missing_price_comes_back_as"] == round(price.mean() / 100)
