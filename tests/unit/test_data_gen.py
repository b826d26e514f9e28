"""The lessons' data: the same in every call, and as real as their docstrings say."""

import importlib
import pkgutil
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import data_gen
from data_gen import (
    agents,
    air_temperature,
    brain,
    breaks,
    buoy,
    chain,
    climate,
    coalescent,
    cohort,
    coins,
    deep_field,
    digits,
    evals,
    experiments,
    fields,
    impact,
    land,
    loadgrid,
    matrix,
    mempool,
    order_book,
    passages,
    risk,
    robot,
    satellite,
    sensors,
    stocks,
    ticks,
    training,
    trial,
    vectors,
    vendor,
    venues,
    wafers,
)

DATA_SETS = [
    importlib.import_module(f"data_gen.{module.name}")
    for module in pkgutil.iter_modules(data_gen.__path__)
    if not module.ispkg
]
BY_NAME = pytest.mark.parametrize("data_set", DATA_SETS, ids=lambda module: module.__name__)


@BY_NAME
def test_every_data_set_is_as_real_as_it_says(data_set):
    for seed in range(3):
        for name, (value, low, high) in data_set.realism(data_set.make(seed=seed)).items():
            assert low <= value <= high, f"seed {seed}: {name} is {value}"


@BY_NAME
def test_two_calls_give_the_same_bytes(data_set):
    one, two = data_set.make(), data_set.make()
    assert {name: one.sha256(name) for name in one.arrays} == {name: two.sha256(name) for name in two.arrays}


@BY_NAME
def test_every_data_set_says_where_it_comes_from_and_in_which_units(data_set):
    result = data_set.make()
    assert {"source", "licence"} <= set(result.provenance)
    assert set(result.arrays) == set(result.dims) == set(result.units)
    for name, values in result.arrays.items():
        assert len(result.dims[name]) == values.ndim
        assert result.sha256(name)[:16] in result.passport()


@BY_NAME
def test_an_unknown_size_is_refused_with_the_known_ones(data_set):
    with pytest.raises(ValueError, match=r"size must be one of .*got 'enormous'; try size='small'"):
        data_set.make(size="enormous")


def test_the_values_are_the_pinned_ones():
    assert matrix.make().sha256("matrix")[:16] == "02e21fa3c89fa7d7"
    assert land.make().sha256("land")[:16] == "0ce2183e7a6dff2d"


def test_the_checksum_of_an_array_does_not_depend_on_its_byte_order_or_layout():
    values = matrix.make(size="tiny").arrays["matrix"]
    other = data_gen.GenResult({"m": np.asfortranarray(values.astype(">i4"))}, {"m": ("r", "c")}, {"m": "1"})
    assert other.sha256("m") == matrix.make(size="tiny").sha256("matrix")


def test_runs_that_end_by_the_toss_of_a_coin_are_not_taken_for_agents():
    real = agents.make()
    lengths = np.diff(real.arrays["offsets"])
    chance = (np.random.PCG64(0).random_raw(len(lengths)) >> np.uint64(11)) * 2.0**-53
    lengths = np.ceil(np.log1p(-chance) / np.log1p(-1 / lengths.mean())).astype(int)  # of the same mean
    steps = np.repeat(real.arrays["steps"].mean(0, keepdims=True), lengths.sum(), axis=0)
    twin = data_gen.GenResult({"steps": steps, "offsets": np.append(0, np.cumsum(lengths))}, real.dims, real.units)
    missed = failing(agents, twin)
    assert {"steps of a run, 50th percentile", "steps of a run, 99th percentile"} <= set(missed)
    assert "steps of a run, mean" not in missed
    assert any("tokens" in name for name in missed)


def test_every_value_of_the_matrix_names_its_place():
    values = matrix.make().arrays["matrix"]
    row, column = np.divmod(values, 1000)
    np.testing.assert_array_equal(row[:, 0], np.arange(1000))
    np.testing.assert_array_equal(column[0], np.arange(1000))
    assert np.unique(values).size == values.size


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))
def test_the_closed_form_of_a_block_is_its_sum(top, bottom, left, right):
    values = matrix.make(size="tiny").arrays["matrix"]
    block = values[top:bottom, left:right]
    assert matrix.block_sum(range(top, bottom), range(left, right)) == int(block.sum(dtype=np.int64))


def test_a_transposed_matrix_is_not_taken_for_the_matrix():
    result = matrix.make()
    result.arrays["matrix"] = result.arrays["matrix"].T
    value, low, high = matrix.realism(result)["step along a row"]
    assert not low <= value <= high


def test_fees_that_wander_and_tips_without_a_tail_are_not_taken_for_a_chain():
    bits = (np.random.PCG64(0).random_raw(8_000).reshape(4, 2_000) >> np.uint64(11)) * 2.0**-53
    base = (2e10 * np.exp(np.cumsum((bits[0] - 0.5) / 2))).astype(np.int64)
    blocks = np.stack([np.arange(2_000), base, (bits[1] * 30e6).astype(np.int64), np.full(2_000, 30_000_000)], 1)
    events = np.zeros((2_000, 6), np.int64)
    events[:, 0], events[:, 2] = np.arange(2_000) * 70, -np.log1p(-bits[2]) * 1e9
    missed = failing(mempool, data_gen.GenResult({"blocks": blocks, "events": events}, {}, {}))
    assert missed == {
        "largest step of the base fee",
        "share of full blocks",
        "tail index of tips",
        "share of base fees exact to the wei",
    }


def test_a_map_turned_upside_down_or_made_of_noise_is_not_taken_for_the_earth():
    real = land.make().arrays["land"]
    # Raw bits, as the streams of NumPy's distributions may change.
    noise = (np.random.PCG64(1).random_raw(real.size) % 101).astype("uint8").reshape(real.shape)
    for name, fake in (("land share north of the equator", real[::-1]), ("land share of the sphere", noise)):
        result = land.make()
        result.arrays["land"] = fake
        value, low, high = land.realism(result)[name]
        assert not low <= value <= high, name


def failing(data_set, result):
    """The names of the realism checks that a result fails."""
    return {name for name, (value, low, high) in data_set.realism(result).items() if not low <= value <= high}


def test_sites_drawn_one_by_one_are_not_taken_for_a_population_with_ancestors():
    result = coalescent.make("small", seed=5)
    calls = result.arrays["complete"]
    even = np.random.PCG64(5).random_raw(calls.size).reshape(calls.shape) * 2.0**-64
    drawn = (even < np.linspace(0.02, 0.98, len(calls))[:, None, None]).astype(np.int8)
    evenly = np.arange(len(calls)) % 300 * coalescent.APART + 1 + np.arange(len(calls)) // 300
    naive = {**result.arrays, "complete": drawn, "position": np.sort(evenly)}
    failed = failing(coalescent, data_gen.GenResult(naive, result.dims, result.units, result.truth))
    assert "theta by the differences of pairs" in failed
    assert "variance of the sites of a stretch, against the model" in failed
    assert "share of alleles that one chromosome has" in failed
    assert "people with two different alleles, against chance" not in failed


def test_people_whose_parents_are_one_are_not_taken_for_chance():
    result = coalescent.make("small", seed=2)
    one = result.arrays["complete"].copy()
    one[:, ::2, 1] = one[:, ::2, 0]
    failed = failing(coalescent, data_gen.GenResult({**result.arrays, "complete": one}, result.dims, {}, result.truth))
    assert "people with two different alleles, against chance" in failed


def test_every_site_of_the_coalescent_has_two_alleles_and_a_place_of_its_own():
    made = coalescent.make("tiny", seed=1).arrays
    copies = made["complete"].sum((1, 2))
    assert copies.min() >= 1
    assert copies.max() < 20
    assert (np.diff(made["position"]) > 0).all()
    assert (made["allele"][:, 0] != made["allele"][:, 1]).all()
    known = made["genotype"] >= 0
    assert (known[..., 0] == known[..., 1]).all()
    np.testing.assert_array_equal(made["genotype"][known], made["complete"][known])


def test_values_that_are_missing_by_lot_are_not_taken_for_a_cohort():
    result = cohort.make()
    vitals = result.arrays["vitals"]
    chance = np.random.PCG64(0).random_raw(2 * vitals.size).reshape(2, *vitals.shape) * 2.0**-64
    share = np.array([0.05, 0.05, 0.14, 0.87, 0.9, 0.84])[:, None]
    mean = np.array([86.0, 96.0, 37.1, result.truth["mean of all hours"][3], 1.1, 128.0])[:, None]
    by_lot = np.where(chance[0] < share, np.nan, mean * (0.97 + 0.06 * chance[1])).astype("f4")
    failed = failing(cohort, data_gen.GenResult({"vitals": by_lot}, result.dims, result.units, result.truth))
    assert "measured lactate against that of all hours" in failed
    assert "a missing hour after a missing one" in failed
    assert "correlation of lab tests and heart rate, by patient" in failed
    assert "share of lab values that are missing" not in failed


def test_what_the_sick_are_asked_more_often_is_a_biased_mean_of_everyone():
    result = cohort.make(seed=1)
    real = np.array(result.truth["mean of all hours"])
    measured = np.nanmean(result.arrays["vitals"].astype("f8"), axis=(0, 2))
    assert (abs(measured[:3] / real[:3] - 1) < 0.01).all()  # of the monitor
    assert measured[3] > 1.1 * real[3]
    assert np.unique(result.arrays["record"]).size == len(result.arrays["record"])


def test_pixels_that_are_shuffled_or_of_noise_are_not_taken_for_coins():
    grey = coins.make().arrays["grey"]
    bits = np.random.PCG64(0).random_raw(grey.size)
    shuffled = grey.ravel()[np.argsort(bits)].reshape(grey.shape)
    noise = (bits % 256).astype("uint8").reshape(grey.shape)
    for fake in (shuffled, noise, grey[::-1]):
        result = coins.make()
        result.arrays["grey"] = fake
        assert "ground above less ground below" in failing(coins, result)


def test_pixels_that_are_shuffled_or_of_noise_are_not_taken_for_a_sky_of_galaxies():
    sky = deep_field.make().arrays["sky"]
    bits = np.random.PCG64(0).random_raw(sky.size)
    shuffled = sky.ravel()[np.argsort(bits)].reshape(sky.shape)
    noise = (bits % 64 * 4).astype("uint8").reshape(sky.shape)
    for fake, failed in ((shuffled, 1), (noise, 3)):
        result = deep_field.make()
        result.arrays["sky"] = fake
        assert "bright pixels whose right neighbour is bright" in failing(deep_field, result)
        assert len(failing(deep_field, result)) >= failed


def test_pixels_that_are_drawn_one_by_one_are_not_taken_for_digits():
    result = digits.make("tiny")
    bits = np.random.PCG64(0).random_raw(len(result.arrays["pixels"]) * 64)
    drawn = (bits.reshape(-1, 64) % 17 / 16).astype("float32")
    naive = data_gen.GenResult({**result.arrays, "pixels": drawn}, result.dims, result.units)
    facts = digits.realism(naive)
    failed = [name for name, (value, low, high) in facts.items() if not low <= value <= high]
    assert failed == ["share of white pixels", "test rows whose nearest neighbour has their label"]
    assert facts["test rows whose nearest neighbour has their label"][0] < 0.2


def test_copies_of_digits_are_near_the_originals_and_paper_stays_white():
    one, ten = digits.make("tiny").arrays, digits.make("small").arrays
    assert np.array_equal(ten["pixels"][::10], one["pixels"])
    noise = np.rint(16 * (ten["pixels"] - one["pixels"].repeat(10, 0)))
    assert set(np.unique(noise)) == {-1, 0, 1}
    assert not noise[one["pixels"].repeat(10, 0) == 0].any()
    assert (np.diff(ten["label"].astype(int)) >= 0).all()
    assert np.array_equal(digits.make("tiny", seed=1).arrays["pixels"], one["pixels"]), "of one copy there is no noise"


def test_a_random_walk_is_not_taken_for_three_stocks():
    result = stocks.make()
    shape = (len(result.arrays["date"]) - 1, 3)
    steps = np.random.default_rng(0).standard_normal(shape) * 0.02  # the same volatility, day after day
    walk = 100 * np.exp(np.cumsum(np.vstack([np.zeros((1, 3)), steps]), axis=0))
    naive = data_gen.GenResult({**result.arrays, "close": walk, "adjusted": walk}, result.dims, result.units)
    failed = [name for name, (value, low, high) in stocks.realism(naive).items() if not low <= value <= high]
    assert failed == [
        "open and close between low and high",
        "excess kurtosis of a day's return",
        "correlation of their sizes, 20 days apart",
        "splits for each stock",
    ]


def test_books_of_numbers_drawn_evenly_with_breaks_spread_evenly_are_not_taken_for_ledgers():
    result = breaks.make("tiny")
    n = len(result.arrays["ours"])
    quantity, cents, fee, who = np.random.PCG64(0).random_raw((4, n)) % 10_000 + 1
    result.arrays["ours"] = np.stack([quantity, cents / 100, quantity * cents / 100, fee / 100], 1)
    result.arrays["counterparty"] = who % breaks.COUNTERPARTIES
    assert failing(breaks, result) == {
        "first digits of the values, farthest from Benford",
        "share of quantities in whole hundreds",
        "share of prices on five or ten cents",
        "share of trades with the ten most frequent counterparties",
        "fees that are not booked",
        "share of breaks with ten careless counterparties",
    }


def test_answers_drawn_with_the_right_accuracy_are_not_taken_for_a_classifiers():
    result = evals.make("tiny")
    label = result.arrays["label"]
    bits = np.random.PCG64(0).random_raw((3, 3, len(label)))
    right = bits[0] % 1000 < 965
    result.arrays["said"] = np.where(right, label, (label + 1 + bits[1] % 9) % 10).astype("uint8")
    result.arrays["sure"] = (965 + bits[2] % 35).astype("uint16")  # as sure of a mistake as of a right answer
    assert failing(evals, result) == {
        "share of mistakes on the most frequent pair",
        "how much too sure naive Bayes is",
        "calibration error that is left after cooling",
        "confidence of mistakes, less that of right answers",
    }


def test_counts_without_weekdays_or_a_fair_draw_are_not_taken_for_experiments():
    result = experiments.make("tiny")
    level = {name: np.broadcast_to(cube.sum(2, keepdims=True), cube.shape) for name, cube in result.arrays.items()}
    assert failing(experiments, data_gen.GenResult(level, result.dims, result.units)) >= {
        "weekend against weekdays",
        "share of B in the ramp's second half",
    }
    lost = {name: cube.copy() for name, cube in result.arrays.items()}
    lost["aa"][..., 1, :] -= lost["aa"][..., 1, :] // 20  # one in twenty of B was not counted
    assert "sample ratio of the A/A test, in standard errors" in failing(
        experiments, data_gen.GenResult(lost, result.dims, result.units)
    )


def test_the_counts_of_an_experiment_are_those_of_its_visitors():
    cube, people = experiments.make("tiny", seed=2).arrays["ab"], experiments.visitors("ab", 8, seed=2)
    here = (people["segment"] == 1) & (people["day"] == 9) & (people["variant"] == 1)
    for metric, name in enumerate(experiments.METRICS):
        values = people[name][here].tolist()
        assert cube[metric, 1, 9, 1].tolist() == [len(values), sum(values), sum(v * v for v in values)]
    assert cube[0, ..., 0].sum() == len(people["day"])


def test_a_trial_whose_lots_were_exchanged_is_not_taken_for_the_real_one():
    result = trial.make()
    exchanged = {**result.arrays, "incentive": 1 - result.arrays["incentive"]}
    assert len(failing(trial, data_gen.GenResult(exchanged, result.dims, result.units))) == 5


def test_trades_drawn_independently_of_each_other_are_not_taken_for_a_market():
    result = ticks.make()
    shape = result.arrays["price"].shape
    draw = [np.random.PCG64(seed).random_raw(np.prod(shape)).reshape(shape) % 101 / 100 for seed in range(3)]
    for name, values in zip(("price", "bid", "ask"), draw, strict=True):
        result.arrays[name] = 100 + values  # each on its own, evenly within a dollar
    failed = failing(ticks, result)
    assert "bid below ask, price on one of them" in failed
    assert "excess kurtosis of a minute's return" in failed
    assert len(failed) >= 4


def test_a_market_without_clusters_of_volatility_is_not_taken_for_one():
    result = ticks.make()
    steps = np.random.PCG64(5).random_raw(result.arrays["price"].size).reshape(-1, 8) % 3 - 1.0
    middle = np.rint(10_000 + np.cumsum(steps, axis=0)) / 100
    result.arrays.update({"price": middle, "bid": middle, "ask": middle + 0.01})
    assert {"correlation of their sizes, 5 minutes apart", "excess kurtosis of a minute's return"} <= failing(
        ticks, result
    )


def test_every_price_is_a_whole_number_of_cents():
    for values in (ticks.make().arrays[name] for name in ("price", "bid", "ask")):
        cents = np.rint(values * 100)
        np.testing.assert_array_equal(cents / 100, values)


def test_blocks_at_even_times_with_a_target_that_never_moves_are_not_taken_for_a_chain():
    result = chain.make()
    n = len(result.arrays["time"])
    waits = 300 + (np.random.PCG64(4).random_raw(n) % 601).astype(np.int64)  # five to fifteen minutes, evenly
    result.arrays.update({"time": chain.START + np.cumsum(waits), "bits": np.full(n, chain.BITS, "u4")})
    assert {
        "spread of the intervals over their mean",
        "share of intervals above an hour",
        "targets by the rule",
    } <= failing(chain, result)


def test_targets_are_those_of_bitcoin_cores_own_tests():
    for bits, first, last, wanted in (
        (0x1D00FFFF, 1261130161, 1262152739, 0x1D00D86A),
        (0x1D00FFFF, 1231006505, 1233061996, 0x1D00FFFF),
        (0x1C05A3F4, 1279008237, 1279297671, 0x1C0168FD),
        (0x1C387F6F, 1263163443, 1269211443, 0x1D00E1FD),
    ):
        assert chain.next_bits(bits, first, last) == wanted
    assert sum(chain.subsidy(k * chain.HALVING) for k in range(70)) * chain.HALVING == 2_099_999_997_690_000


def test_a_branch_keeps_what_lies_below_it_and_nothing_above():
    whole = chain.make("tiny").arrays
    below = {name: values[:2_013] for name, values in whole.items()}
    assert {name: values[:2_013].tolist() for name, values in chain.grow(below, 9, 5).items()} == {
        name: values.tolist() for name, values in below.items()
    }
    branch = chain.grow(below, 9, 5)
    assert not np.intersect1d(branch["hash"][2_013:], whole["hash"]).size
    assert branch["bits"][2_016] == chain.next_bits(chain.BITS, int(whole["time"][0]), int(branch["time"][2_015]))
    assert chain.grow(below, 0, 5)["hash"].tolist() == below["hash"].tolist()


def test_a_climate_that_runs_backwards_or_upside_down_is_not_taken_for_the_projection():
    for turned in (np.s_[::-1], np.s_[:, ::-1]):
        result = air_temperature.make()
        result.arrays["air_temperature"] = result.arrays["air_temperature"][turned]
        assert failing(air_temperature, result)


def test_scenarios_that_are_exchanged_or_years_out_of_order_are_not_taken_for_the_projections():
    order = np.argsort(np.random.PCG64(2).random_raw(240))
    for turned in (np.s_[::-1], np.s_[:, ::-1], np.s_[:, order], np.s_[:, :, ::-1], np.s_[[0, 0]]):
        result = climate.make()
        result.arrays["air_temperature"] = result.arrays["air_temperature"][turned]
        assert failing(climate, result)


def test_the_tenth_years_of_the_projection_are_those_of_the_other_data_set():
    tenth = climate.make().arrays["air_temperature"][0, ::10]
    np.testing.assert_allclose(tenth, air_temperature.make().arrays["air_temperature"], rtol=0, atol=0.00502)


def test_a_sea_of_noise_or_one_with_its_seasons_exchanged_is_not_taken_for_the_buoy():
    result = buoy.make()
    sea = result.arrays["temperature"]
    noise = (np.random.PCG64(3).random_raw(sea.size) % 1800 / 100).astype(np.float32) + 4
    for fake, failed in ((noise, "correlation of neighbours"), (np.roll(sea, sea.size // 2), "the warmest month")):
        result.arrays["temperature"] = fake
        assert failed in failing(buoy, result)


def test_a_brain_turned_over_or_swollen_and_a_ball_of_noise_are_not_taken_for_the_brain():
    real = brain.make().arrays["t1"]
    noise = (np.random.PCG64(4).random_raw(real.size) % 256).astype("uint8").reshape(real.shape)
    ball = sum(((np.arange(n) - n // 2) ** 2).reshape([-1 if i == axis else 1 for i in range(3)])
               for axis, n in enumerate(real.shape)) < 77**2  # of two litres  # fmt: skip
    fakes = {"head over": real[::-1], "back to front": real[:, ::-1], "to one side": np.roll(real, 9, axis=2)}
    for name, fake in {**fakes, "noise": noise, "a ball": np.where(ball, noise, 0).astype("uint8")}.items():
        result = brain.make()
        result.arrays["t1"] = fake
        assert failing(brain, result), name


def test_noise_is_not_taken_for_a_gradient_and_a_gradient_not_for_noise():
    for name, other in (("gradient", "noise"), ("noise", "gradient")):
        result = fields.make()
        result.arrays[name] = result.arrays[other]
        assert f"correlation of neighbours in the {name}" in failing(fields, result)


def test_months_of_a_normal_distribution_are_not_taken_for_those_of_the_market():
    result = risk.make()
    real = result.arrays["factors"]
    one, other = np.random.PCG64(5).random_raw((2, *real.shape)) / 2.0**64
    normal = np.sqrt(-2 * np.log1p(-one)) * np.cos(2 * np.pi * other)
    result.arrays["factors"] = real.mean(0) + normal @ np.linalg.cholesky(np.cov(real.T)).T
    assert failing(risk, result) == {
        "worst month of the market, percent",
        "excess kurtosis of the market",
        "correlation of the size of a month with the next",
    }


def uniform_directions(rows):
    """Vectors on the whole sphere, each direction as likely as any other; from raw bits, by Box and Muller."""
    bits = np.random.PCG64(4).random_raw(2 * rows * 384).reshape(2, rows, 384) / 2.0**64
    drawn = np.sqrt(-2 * np.log1p(-bits[0])) * np.cos(2 * np.pi * bits[1])
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)


def test_vectors_in_any_direction_are_not_taken_for_those_of_a_text():
    for data_set in (vectors, passages):
        result = data_set.make()
        result.arrays["vectors"] = uniform_directions(len(result.arrays["vectors"]))
        assert {"mean cosine of two vectors", "median cosine of nearest neighbours"} <= failing(data_set, result)


def test_impacts_without_noise_or_in_proportion_to_the_size_are_not_taken_for_real():
    result = impact.make("tiny")
    size = result.arrays["size"]
    wobble = 0.9 + (np.random.PCG64(2).random_raw(len(size)) % 21) / 100
    result.arrays["impact"] = np.rint(8 * impact.SHARES[size] * wobble / impact.UNIT).astype("int32")
    assert {
        "exponent of the mean impact",
        "impact of a small order against its noise",
        "share of orders that seem to move it the wrong way",
    } <= failing(impact, result)


def test_books_drawn_one_by_one_are_not_taken_for_a_book_that_remembers():
    result = order_book.make("tiny")
    n, bits = len(result.arrays["time"]), np.random.PCG64(3)
    book = np.zeros_like(result.arrays["book"])
    half = (bits.random_raw(n) % 4).astype(int)[:, None]
    book[:, 0, :, 0], book[:, 1, :, 0] = 10_000 - half - np.arange(10), 10_001 + half + np.arange(10)
    book[..., 1] = (bits.random_raw(n * 20) % 20 + 1).reshape(n, 2, 10)
    result.arrays.update({"book": book, "time": np.arange(n) * (result.arrays["time"][-1] // n)})  # evenly in time
    assert {
        "size at the sixth level against the best",
        "variance of events in a second, over their mean",
        "correlation of the spread, 0.1 s apart",
        "share of trades at the best price",
    } <= failing(order_book, result)


def test_the_spread_grows_in_proportion_to_the_market_orders_as_the_model_says():
    """Smith et al. 2003: with cancellations in proportion to market orders, twice the orders is twice the spread."""
    spread = [
        np.mean(
            [
                order_book.zero_intelligence(24_000, seed, market=rate, cancel=0.008 * rate, reach=80, shown=False)[1]
                for seed in range(3)
            ]
        )
        for rate in (5.0, 10.0, 20.0)
    ]
    assert (spread[2] - spread[1]) / (spread[1] - spread[0]) == pytest.approx(2, abs=0.25)


def test_a_book_changes_by_one_lot_at_a_time():
    """Each row follows from the one before by one order, and a trade takes what was the best."""
    made = order_book.make("tiny").arrays
    for one, other in zip(made["book"][:-1], made["book"][1:], strict=True):
        for side in (0, 1):
            before, after = (dict(zip(*rows[side].T.tolist(), strict=True)) for rows in (one, other))
            shared = before.keys() & after.keys()
            assert sum(abs(before[price] - after[price]) for price in shared) <= 1
    taken = np.searchsorted(made["time"], made["trade_time"])
    keep = taken > 0
    side = (made["trade_side"][keep] > 0).astype(int)
    assert (made["book"][taken[keep] - 1, side, 0, 0] == made["trade_price"][keep]).all()
    assert (made["time"][taken[keep]] == made["trade_time"][keep]).all()


def test_loads_drawn_one_by_one_or_without_a_weekend_are_not_taken_for_a_grid():
    result = loadgrid.make("tiny")
    shape = result.arrays["wh"].shape
    evenly = 20_000 + np.random.PCG64(5).random_raw(shape[0] * shape[1]).reshape(shape) % 20_000
    failed = failing(loadgrid, data_gen.GenResult({"wh": evenly.astype(np.int32)}, result.dims, result.units))
    assert {"twelve weeks: correlation with the day before", "weekend over weekday"} <= failed
    assert len(failed) >= 5
    one_day = np.tile(result.arrays["wh"][:, :96], shape[1] // 96)
    failed = failing(loadgrid, data_gen.GenResult({"wh": one_day}, result.dims, result.units))
    assert failed == {f"twelve weeks: {name}" for name in ("correlation with the day before", "mean over peak")} | {
        "weekend over weekday"
    }


def test_passages_with_their_vectors_exchanged_answer_nothing():
    result = passages.make()
    result.arrays["vectors"] = np.roll(result.arrays["vectors"], 300, axis=0)
    assert failing(passages, result) == {"neighbours of the same topic", "questions that find their topic first"}


def test_clouds_drawn_pixel_by_pixel_over_noise_are_not_taken_for_scenes_of_fields():
    result = satellite.make("tiny")
    shape, bits = result.arrays["cloud"].shape, np.random.PCG64(4)
    result.arrays["cloud"] = (bits.random_raw(result.arrays["cloud"].size).reshape(shape) % 100 < 55).astype("u1")
    result.arrays["pixels"] = (bits.random_raw(3 * result.arrays["cloud"].size) % 5000 + 1).reshape(*shape, 3)
    assert {
        "scenes under a fifth or over four fifths cloudy",
        "dimension of the edges of clouds",
        "highest NDVI of summer crops",
        "lowest NDVI of forest in summer",
        "highest NDVI of water",
    } <= failing(satellite, result)


def test_the_first_generated_vectors_do_not_depend_on_how_many_follow():
    few, many = (np.concatenate(list(vectors.blocks(rows, seed=2))) for rows in (100, 5_000))
    np.testing.assert_array_equal(few, many[:100])


def test_every_passage_is_a_text_that_its_tokens_and_labels_belong_to():
    book = passages.make()
    texts = [passages.text_of(book, i) for i in range(703)]
    assert len(set(texts)) == 703
    assert min(map(len, texts)) >= 80
    assert book.arrays["labels"].any(axis=1).all()
    assert set(book.arrays["occurrences"].tolist()) == set(range(703))
    assert book.arrays["token_offsets"][-1] == len(book.arrays["tokens"])
    assert book.arrays["labels"].any(axis=0)[book.arrays["answers"]].all()  # no question without a passage


def test_every_value_of_the_gradient_names_its_place_exactly():
    row, column = np.divmod(fields.gradient(fields.LARGEST)[::101, ::97].astype(np.float64), 1)
    np.testing.assert_array_equal(row[:, 0], np.arange(0, fields.LARGEST, 101))
    np.testing.assert_array_equal(column[0] * 4096, np.arange(0, fields.LARGEST, 97))


def test_an_arm_that_moves_at_a_constant_speed_and_never_trembles_is_not_taken_for_one():
    result = robot.make("tiny")
    true = result.arrays["true"].copy()
    for start, stop in result.arrays["moves"]:
        true[start:stop] = np.linspace(true[start], true[stop - 1], stop - start)
    counts = np.rint(true * robot.TURN / 360).astype("i8").astype("i2")
    naive = {**result.arrays, "true": true, "counts": counts}
    failed = failing(robot, data_gen.GenResult(naive, result.dims, result.units))
    assert {"top speed of a move over its mean", "tremble at rest, degrees"} <= set(failed)
    assert "samples within the joints' limits" not in failed


def test_the_small_map_keeps_the_land_of_the_large_one():
    shares = [land.land_share(land.make(size=size).arrays["land"]) for size in ("tiny", "small")]
    assert abs(shares[0] - shares[1]) < 0.005


def test_a_vendored_file_that_was_changed_is_refused(tmp_path):
    folder = tmp_path / "vendor"
    shutil.copytree(Path(vendor.__file__).parent, folder)
    assert vendor.load("land_percent_1deg.npz", folder)["land_percent"].shape == (180, 360)
    content = bytearray((folder / "land_percent_1deg.npz").read_bytes())
    content[-1] ^= 1
    (folder / "land_percent_1deg.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"land_percent_1deg\.npz: expected sha256 7eb59a9a.*changed or cut short"):
        vendor.load("land_percent_1deg.npz", folder)


def test_an_unknown_vendored_file_is_refused_with_the_known_ones():
    with pytest.raises(
        KeyError,
        match=r"no file 'moon.npz'; try one of air_temperature_a1b.npz, air_temperature_scenarios.npz, buoy_b01",
    ):
        vendor.load("moon.npz")


def test_every_vendored_file_has_a_checksum_a_licence_and_a_script_that_builds_it():
    folder = Path(vendor.__file__).parent
    files = {path.name for path in folder.iterdir() if path.suffix in (".npz", ".npy", ".csv", ".json")}
    licences = (folder / "LICENSES.md").read_text(encoding="utf-8")
    scripts = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("build_*.py"))
    assert files == set(vendor.checksums(folder))
    assert all(name in licences and name in scripts for name in files)


def test_venues_that_print_one_price_at_once_are_not_taken_for_a_market():
    result = venues.make("tiny")
    steps = np.random.PCG64(5).random_raw(1440).reshape(-1, 1, 1) % 3 - 1.0
    price = np.broadcast_to(100 * np.exp(np.cumsum(steps, axis=0) / 1000), (1440, 4, 6))
    naive = np.stack([price, price, price, price, np.ones_like(price)], axis=-1)
    failed = failing(venues, data_gen.GenResult({**result.arrays, "bars": naive}, result.dims, result.units))
    assert "correlation of A and D over 1 minute" in failed
    assert "excess kurtosis of a minute's return" in failed
    assert "bars without a trade on the smallest" in failed
    assert "bars that are possible" not in failed


def test_the_bar_of_all_venues_holds_their_highest_lowest_and_volume():
    made = venues.make("tiny", seed=1).arrays
    bars, whole = made["bars"], made["consolidated"]
    np.testing.assert_array_equal(np.nanmax(bars[..., 1], axis=1), whole[..., 1])
    np.testing.assert_array_equal(np.nanmin(bars[..., 2], axis=1), whole[..., 2])
    np.testing.assert_allclose(bars[..., 4].sum(axis=1), whole[..., 4])
    for field in (0, 3):  # the open and the close are those of one of the venues
        assert (bars[..., field] == whole[:, None, :, field]).any(axis=1).all()


# --- sensors: a fleet ---------------------------------------------------------------------------------------


def test_sensors_that_lose_readings_one_by_one_are_not_taken_for_a_fleet():
    result = sensors.make("tiny")
    values, arrival = np.nan_to_num(result.arrays["values"], nan=14.0), np.arange(2880) + np.zeros((16, 1), dtype="i4")
    gone = (np.random.PCG64(5).random_raw(arrival.size) % 26 == 0).reshape(arrival.shape)
    naive = {"values": np.where(gone[..., None], np.nan, values), "arrival": np.where(gone, -1, arrival)}
    failed = failing(sensors, data_gen.GenResult(naive, result.dims, result.units))
    assert "mean run of lost readings, minutes" in failed
    assert "share of late readings" in failed
    assert "share of lost readings" not in failed


def test_a_modem_sends_what_it_kept_one_reading_a_minute_and_the_oldest_first():
    offline, lost = np.zeros((2, 12), dtype=bool)
    offline[[2, 3, 4, 7]] = True
    lost[[3, 9]] = True
    assert sensors.arrivals(lost, offline).tolist() == [0, 1, 5, -1, 6, 5, 6, 8, 8, -1, 10, 11]
    assert sensors.arrivals(lost, np.ones(12, dtype=bool)).tolist() == [12, 13, 14, -1, *range(15, 20), -1, 20, 21]


def test_fails_strewn_at_random_are_not_taken_for_wafers():
    result = wafers.make("tiny")
    maps = result.arrays["maps"]
    there = maps > 0
    chance = np.random.PCG64(4).random_raw(maps.size).reshape(maps.shape) * 2.0**-64
    poisson = np.where(there, 1 + (chance < (maps == 2).sum() / there.sum()), 0).astype("u1")
    naive = data_gen.GenResult({**result.arrays, "maps": poisson}, result.dims, result.units)
    assert failing(wafers, naive) == {
        "variance of fails by their mean, no pattern",
        "fails beside fails, by chance 1, with a pattern",
        "edge against centre",
    }


def test_the_place_that_was_planted_fails_more_from_its_lot_on():
    result = wafers.make("tiny", seed=1)
    failed, tested = (f(result.arrays["maps"]) for f in (lambda m: m == 2, lambda m: m > 0))
    since, (y, x) = result.truth["since lot"], result.truth["position"]
    excess = []
    for lots in (slice(None, since), slice(since, None)):
        here = (..., slice(y, None, wafers.SHOT), slice(x, None, wafers.SHOT))
        rate = failed[lots][here].sum() / tested[lots][here].sum()
        excess.append(rate - failed[lots].sum() / tested[lots].sum())
    assert abs(excess[0]) < 0.008 < 0.012 < excess[1] < 0.028
    assert (tested[result.truth["hardly inspected"]].any((1, 2))).sum() == wafers.SEEN


# --- points of two classes ----------------------------------------------------------------------------------


@given(st.integers(0, 300), st.integers(0, 40), st.integers(0, 40))
def test_points_are_the_same_in_any_portions(start, first, second):
    whole, label = training.block(start, start + first + second)
    parts = [training.block(start, start + first), training.block(start + first, start + first + second)]
    np.testing.assert_array_equal(whole, np.concatenate([x for x, _ in parts]))
    np.testing.assert_array_equal(label, np.concatenate([y for _, y in parts]))


def test_points_of_other_seeds_are_others():
    assert training.make("tiny", 0).sha256("x") != training.make("tiny", 1).sha256("x")
    assert not np.intersect1d(training.raw(0, 0, 0, 100), training.raw(0, 1, 0, 100)).size


def test_points_from_workers_that_share_a_seed_do_not_pass_for_real():
    parts = [training.block(0, 1024) for _ in range(8)]  # each worker begins at the beginning
    arrays = {name: np.concatenate(made) for name, made in zip("xy", zip(*parts, strict=True), strict=True)}
    found = training.realism(data_gen.GenResult(arrays, {}, {}))
    value, low, _ = found["share of rows that stand there once"]
    assert value == 1 / 8 < low
