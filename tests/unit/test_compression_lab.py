"""The compression lab: sizes are those that are stored, promises are held against every value, advice stands still.

Speeds are never asserted; where a clock matters, the test brings its own.
"""

import functools
import hashlib
import itertools
import json
import random
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import tutorial_zarr as zarr
from data_gen import air_temperature, ticks
from tutorial_zarr.cli import main
from tutorial_zarr.codecs import BytesBytesCodec, registry
from tutorial_zarr.labs import compression as lab
from tutorial_zarr.labs.compression import chains as chain_makers
from tutorial_zarr.labs.compression.advice import RULE
from tutorial_zarr.labs.compression.measure import FASTEST

FORMATS = (2, 3)
pytest.importorskip("click", reason="the command line needs click")
pytest.importorskip("rich", reason="the command line needs rich")

NAMES = registry.names()  # at import, before any other test has registered its own


@functools.cache
def prices():
    return ticks.make("tiny").arrays["price"][:8000]


@functools.cache
def temperatures():
    return air_temperature.make().arrays["air_temperature"][:6]


@functools.cache
def signals():
    """Values of every kind that a codec may care about, with their chunks."""
    steps = np.arange(6000)
    records = np.zeros(900, [("id", "i4"), ("x", "f8")])
    records["id"], records["x"] = steps[:900], steps[:900] ** 0.5
    return {
        "dollars": (prices(), (3000, 1)),
        "temperature": (temperatures(), (4, 20, 49)),
        "cents": (np.rint(prices() * 100).astype("i4"), (3000, 2)),
        "short": ((steps % 300).astype("u2").reshape(60, 100), (32, 32)),
        "bytes": ((steps % 251).astype("u1"), 1500),
        "flags": (steps % 7 == 0, 1500),
        "times": (steps.astype("M8[s]"), 1024),
        "complex": ((steps[:1000] * (1 + 0.5j)).astype("c8"), 300),
        "records": (records, 256),
    }


@functools.cache
def sample(name, zarr_format):
    values, chunks = signals()[name]
    array = zarr.array(values, chunks=chunks, compressors=None, zarr_format=zarr_format)
    return lab.take(array, nbytes=1 << 30, name=name)


def stored(chain, values, chunks, zarr_format):
    """What the chain's own array keeps of all chunks, and what comes back."""
    options = {"chunks": chunks, "zarr_format": zarr_format, "write_empty_chunks": True}
    array = zarr.create_array({}, data=values, **options, **chain.options(zarr_format))
    return sum(len(array.encoded_chunk(coords)) for coords in np.ndindex(array.cdata_shape)), array[...]


def sha256(values):
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()


class Ticking:
    """A clock by which every piece of work takes about as long, within a factor either way."""

    def __init__(self, seed, factor=2):
        self.chance, self.factor, self.now = random.Random(seed), factor, 0.0

    def __call__(self):
        self.now += 1e-4 * self.factor ** self.chance.uniform(-1, 1)
        return self.now


# --- chains


def test_every_registered_codec_is_tried_or_left_out_with_a_reason():
    used = set()
    for name in signals():
        for zarr_format in FORMATS:
            found = sample(name, zarr_format)
            for made in (lab.lossless(found)[0], lab.lossy(found)[0]):
                used |= {entry["name"] for chain in made for entry in chain.codecs}
    checksums = {n for n in NAMES if n.rpartition(".")[2] in ("crc32c", "crc32", "adler32", "fletcher32")}
    checksums.add("numcodecs.jenkins_lookup3")
    assert set(NAMES) - used - set(chain_makers.LEFT_OUT) - checksums == {"bitround"}  # the same as numcodecs.bitround


def test_a_codec_that_is_registered_takes_part_in_front_and_behind(monkeypatch):
    class Backwards(BytesBytesCodec):
        def encode(self, data):
            return bytes(memoryview(data))[::-1]

        def decode(self, data, size=None):
            return self.encode(data)

    class SameSize(Backwards):
        def encoded_size(self, size):
            return size

    monkeypatch.setitem(registry._factories, "backwards", Backwards)
    monkeypatch.setitem(registry._factories, "mirror", SameSize)
    labels = [chain.label for chain in lab.lossless(sample("cents", 3))[0]]
    assert "backwards" in labels, "of a size that it does not tell: a compressor"
    assert "mirror, zstd 3" in labels, "of the same size: it stands in front of compressors"
    assert "mirror" not in labels


@pytest.mark.parametrize("zarr_format", FORMATS)
@pytest.mark.parametrize("name", signals())
def test_every_lossless_chain_brings_each_bit_back_and_stores_what_create_array_stores(name, zarr_format):
    values, chunks = signals()[name]
    made, skipped = lab.lossless(sample(name, zarr_format))
    assert skipped == []
    assert len(made) >= 20
    inexact = set()
    for chain in made:
        result = lab.measure(chain, sample(name, zarr_format))
        nbytes, back = stored(chain, values, chunks, zarr_format)
        assert result.stored == nbytes, chain.label
        assert result.stages[-1].nbytes == nbytes
        assert result.nbytes == values.nbytes
        if sha256(back) != sha256(values):
            inexact.add(chain.label)
        assert result.exact == result.holds == (sha256(back) == sha256(values)), chain.label
    assert inexact == set()


def test_a_v2_chain_has_what_v2_can_say():
    made = {chain.label: chain for chain in lab.lossless(sample("cents", 2))[0]}
    assert made["shuffle, zlib 5"].options(2)["filters"][0]["name"] == "numcodecs.shuffle"
    assert made["transpose, blosc(zstd 3)"].options(2)["order"] == "F"
    assert "zfp reversible" not in made, "the codec zfp is one of Zarr 3"


# --- lossy chains


def limit(chain, values):
    """How far off a value may be, from the configuration alone."""
    first = chain.codecs[0]
    name, settings = first["name"].removeprefix("numcodecs."), first["configuration"]
    exact, eps = np.abs(values.astype(np.longdouble)), float(np.finfo(values.dtype).eps)
    if name == "bitround":
        return exact / 2 ** (settings["keepbits"] + 1)
    if name == "quantize":
        return np.full(values.shape, 0.5 * 10.0 ** -settings["digits"])
    if name in ("scale_offset", "fixedscaleoffset"):
        return 0.5 / settings["scale"] + 2 * eps * (exact + abs(settings.get("offset", 0)))
    return np.full(values.shape, settings["tolerance"])


@pytest.mark.parametrize("zarr_format", FORMATS)
@pytest.mark.parametrize("tolerance", [None, 0.05, 0.003])
@pytest.mark.parametrize("name", ["temperature", "dollars"])
def test_every_lossy_chain_keeps_its_bound_on_every_value(name, tolerance, zarr_format):
    values, chunks = signals()[name]
    made, skipped = lab.lossy(sample(name, zarr_format), tolerance)
    assert {chain.codecs[0]["name"].removeprefix("numcodecs.").replace("fixedscaleoffset", "scale_offset")[:3]
            for chain in made} == {"bit", "qua", "sca", "zfp"}  # fmt: skip
    assert skipped == []
    for chain in made:
        result = lab.measure(chain, sample(name, zarr_format))
        nbytes, back = stored(chain, values, chunks, zarr_format)
        off = np.abs(back.astype(np.longdouble) - values)
        assert result.stored == nbytes, chain.label
        assert result.holds, chain.label
        assert result.error == float(off.max())
        assert (off <= limit(chain, values)).all(), chain.label
        assert result.changed == (off != 0).mean()
        if tolerance:
            assert result.error <= tolerance, chain.label


def test_a_bound_that_is_broken_is_caught_and_such_a_chain_is_never_advised():
    found = sample("temperature", 3)
    honest = next(chain for chain in lab.lossy(found)[0] if chain.label.startswith("bitround 9"))
    boast = replace(honest, promise=lab.Promise("0.01", lambda values: np.full(values.shape, 0.01)), name="boast")
    result = lab.measure(boast, found)
    assert not result.holds
    assert result.broken == (np.abs(stored(boast, *signals()["temperature"], 3)[1] - temperatures()) > 0.01).sum() > 0
    plain = lab.measure(lab.Chain(()), found)
    smaller = replace(result, chain=replace(boast, name=""))
    picks = lab.advise([plain, smaller], found, bandwidth=100, tolerance=1.0)
    assert [pick.label for pick in picks] == ["none", "none", "none", "none"]


def test_a_codec_that_only_says_that_it_is_lossless_is_found_out(monkeypatch):
    class Blur(BytesBytesCodec):
        def encode(self, data):
            return bytes(b & 0xF0 for b in bytes(memoryview(data)))[::8]

        def decode(self, data, size=None):
            return bytes(b for b in bytes(data) for _ in range(8))[:size]

    monkeypatch.setitem(registry._factories, "blur", Blur)
    found = lab.shootout(np.random.PCG64(0).random_raw(1000).view("u1"), levels=False, workers=1)
    assert not found["blur"].exact
    assert not found["blur"].holds
    assert found.results[0].label == "blur", "it is the smallest"
    assert "blur" not in [pick.label for pick in found.picks]
    assert "blur: not lossless here: " in str(found)


def test_deltas_of_floats_are_tried_and_refused_where_they_do_not_add_up_again():
    values = np.cumsum(np.linspace(1e-9, 1e9, 5000))[::-1].copy()
    found = lab.shootout(values, levels=False, workers=1)
    assert not [r for r in found.results if r.label.startswith("delta")]
    assert [reason for name, reason in found.skipped if "values whose differences, as float64, add up" in reason]
    found = lab.shootout(np.arange(5000.0), levels=False, workers=1)
    deltas = [r for r in found.results if r.label.startswith("delta")]
    assert [r.exact for r in deltas] == [True] * 3
    assert all("do not add up again" in r.chain.caution for r in deltas)


# --- what it finds


@pytest.fixture(scope="module")
def shootouts():
    whole = {
        "temperature": (air_temperature.make().arrays["air_temperature"], (24, 37, 49)),
        "dollars": (ticks.make("tiny").arrays["price"][:16_000, :1], (16_000, 1)),
        "cents": (np.rint(ticks.make("tiny").arrays["price"][:16_000, :1] * 100).astype("i4"), (16_000, 1)),
    }
    return {
        name: [
            lab.shootout(
                zarr.array(values, chunks=chunks, compressors=None), levels=False, workers=1, clock=Ticking(seed)
            )
            for seed in range(2)
        ]
        for name, (values, chunks) in whole.items()
    }


def verdicts(found):
    return {(effect.step, effect.behind): effect.verdict for effect in found.effects}


def test_shuffle_helps_the_temperatures_and_hurts_the_prices(shootouts):
    climate, dollars, cents = (verdicts(shootouts[name][0]) for name in ("temperature", "dollars", "cents"))
    for behind in ("blosc(zstd 3)", "zstd 3", "gzip 5"):
        assert climate["shuffle", behind] == "helps"
        assert dollars["shuffle", behind] == "hurts"
    assert climate["bitshuffle", "blosc(zstd 3)"] == "helps"
    assert dollars["bitshuffle", "blosc(zstd 3)"] == "hurts"
    assert cents["bitshuffle", "blosc(zstd 3)"] == "helps"


def test_prices_are_found_to_be_whole_cents_and_temperatures_are_not(shootouts):
    dollars, climate = shootouts["dollars"][0], shootouts["temperature"][0]
    chain = dollars["scale_offset 0.01, cast_value int32, blosc(zstd 3 bitshuffle)"]
    assert chain.exact
    assert "whole multiple of 0.01" in chain.chain.caution
    assert chain.stored == shootouts["cents"][0]["blosc(zstd 3 bitshuffle)"].stored, "then they are the cents"
    assert verdicts(dollars)["scale_offset 0.01, cast_value int32", "blosc(zstd 3)"] == "helps"
    assert not any(r.label.startswith("scale_offset") for r in climate.results if r.chain.promise is None)


def test_the_advice_is_the_same_whatever_the_clock_says(shootouts):
    expected = {
        "temperature": ["blosc(zstd 3 shuffle)", "pcodec 8"],
        "dollars": ["blosc(zstd 3)", "pcodec 8"],
        "cents": ["blosc(zstd 3 bitshuffle)", "pcodec 8"],
    }
    for name, runs in shootouts.items():
        assert [[pick.label for pick in found.picks[:2]] for found in runs] == [expected[name]] * 2
        assert len({found.results[0].speed.decode for found in runs}) == 2, "the clocks did differ"


def test_nothing_is_advised_for_chance_or_for_a_store_that_is_quicker_than_any_codec(shootouts):
    chance = np.random.PCG64(0).random_raw(8000)
    found = lab.shootout(chance, levels=False, workers=1)
    assert found.recommended.label == "none"
    assert "saves 5%" in found.recommended.reason
    speed = lab.Speed(1000, 1000, None, None)
    results = [replace(r, speed=speed, plain=None) for r in shootouts["cents"][0].results]
    pick = lab.advise(results, shootouts["cents"][0].sample, bandwidth=1e9, tolerance=None)[0]
    assert pick.label == "none"
    assert "a read takes more than 2 times as long with any codec" in pick.reason


# --- the clock


@functools.cache
def contenders():
    """A sample, and results of twelve chains, the first without a codec."""
    found = sample("cents", 3)
    made = {chain.label: chain for chain in lab.lossless(found)[0]}
    zstd = [label for label in made if label.startswith("blosc(zstd") and "9" not in label]
    labels = ["none", *zstd[:8], "zstd 3", "gzip 5", "shuffle, zstd 3"]
    return found, [lab.measure(made[label], found) for label in labels]


def with_figures(result, share, write, read=None):
    """The result as if the chain had left that share of the bytes, and were written and read at these rates."""
    last = lab.Stage("all", max(1, round(share * result.nbytes)))
    return replace(
        result, stages=(*result.stages[:-1], last), speed=lab.Speed(write, read or write, None, None), plain=None
    )


def recommended(figures, bandwidth=10):
    """What is recommended of chains with these figures: the label -> share of the bytes, writing, reading."""
    found, results = contenders()
    by_label = {result.label: result for result in results}
    best = lab.recommend([with_figures(by_label[label], *f) for label, f in figures.items()], found, bandwidth)
    return best.label if best else "none"


ZSTD, GZIP, SIMPLE = "zstd 3", "gzip 5", "blosc(zstd 3)"


def test_what_is_as_small_and_much_slower_is_passed_over():
    """As on a real field of temperatures: two thousandths fewer bytes, at an eighth of the speed."""
    assert recommended({GZIP: (0.600, 15, 880), ZSTD: (0.6012, 128, 4050)}) == ZSTD
    assert recommended({GZIP: (0.600, 70, 880), ZSTD: (0.6012, 128, 4050)}) == GZIP, "not twice as slow"
    assert recommended({GZIP: (0.600, 15, 880), ZSTD: (0.6200, 128, 4050)}) == GZIP, "more than 3 % larger"
    assert recommended({GZIP: (0.600, 128, 60), ZSTD: (0.6012, 128, 4050)}) == ZSTD, "reading counts as well"


def test_of_what_is_as_small_and_as_quick_the_simplest_is_recommended():
    two = "shuffle, zstd 3"
    assert recommended({two: (0.5, 100), ZSTD: (0.51, 100)}) == ZSTD
    assert recommended({two: (0.5, 100), ZSTD: (0.51, 60)}) == ZSTD
    assert recommended({ZSTD: (0.5, 100), GZIP: (0.5, 100), SIMPLE: (0.514, 100)}) == SIMPLE
    assert recommended({ZSTD: (0.5, 100), SIMPLE: (0.514, 40)}) == ZSTD
    assert recommended({}) == "none"


def test_a_read_that_takes_twice_as_long_as_plain_values_is_not_recommended():
    figures = {GZIP: (0.4, 500), ZSTD: (0.5, 900)}
    assert recommended(figures, bandwidth=100) == GZIP
    assert recommended(figures, bandwidth=1000) == ZSTD  # 0.4 + 2 seconds for 1, and 0.5 + 1.1
    assert recommended(figures, bandwidth=10_000) == "none"


def test_the_rule_is_said_in_one_sentence_where_people_look(capsys):
    assert main(["compress", "shootout", "--help"]) == 0
    assert RULE in " ".join(capsys.readouterr().out.split())
    assert RULE.count(".") == 1
    said = " ".join(lab.shootout.__doc__.split())
    assert "take at most 3 % more bytes than the smallest of them, the simplest that does not take more than" in said


def test_the_quickest_is_the_smallest_of_those_that_another_minute_may_find_as_quick():
    found, results = contenders()
    table = [with_figures(r, 1 - 0.05 * n, 500 if n < 6 else 50) for n, r in enumerate(results)]
    table = [replace(r, plain=table[0].speed) for r in table]
    pick = lab.advise(table, found, bandwidth=1e6, tolerance=None)[2]
    assert pick.label == results[5].label
    assert "; 5 others may be as quick, and it is the smallest of them" in pick.reason


def test_a_speed_that_no_machine_has_is_not_shown():
    found = lab.shootout(prices(), levels=False, workers=1)
    plain = found["none"]
    quick = replace(plain, speed=lab.Speed(2_366_667, FASTEST * 1.01, None, None))
    assert lab.row(quick, found.sample)[3:5] == ("-", "-")
    assert lab.row(replace(quick, speed=lab.Speed(100.4, 90, 222, 180)), found.sample)[3:5] == ("100/222", "90/180")
    for result in json.loads(json.dumps(found.to_json()))["results"]:
        assert all(speed is None or 0 < speed <= FASTEST for speed in result["mb_per_s"].values())


@pytest.mark.parametrize(
    ("chunks", "sentence"),
    [(100, "chunks of 400 bytes are too few"), (4000, "16,000 bytes of values are too few")],
)
def test_with_chunks_that_are_too_small_to_time_the_advice_goes_by_bytes_alone(chunks, sentence):
    values = np.rint(prices()[:4000, 0] * 100).astype("i4")
    array = zarr.array(values, chunks=chunks, compressors=None)
    clocks = [Ticking(seed, factor=100) for seed in range(2)]
    found = [lab.shootout(array, levels=False, workers=1, bandwidth=900, clock=clock) for clock in clocks]
    assert len({each.recommended.label for each in found}) == 1
    for each in found:
        assert any(note.startswith(sentence) for note in each.sample.notes)
        assert [pick.use for pick in each.picks] == ["recommended", "smallest"]
        assert "by bytes alone" in each.recommended.reason
        assert not each.to_json()["sample"]["speeds_count"]


def test_threads_are_timed_with_chunks_enough_for_each():
    one = lab.take(np.arange(30_000, dtype="i4"))
    assert len(one.chunks) == 1
    result = lab.measure(lab.Chain(({"name": "gzip", "configuration": {"level": 1}},)), one, workers=2)
    assert all(speed > 0 for speed in result.speed[:4])
    assert lab.measure(lab.Chain(()), one, workers=1).speed[2:4] == (None, None)


def test_what_every_reader_has_is_recommended_and_the_others_are_named(shootouts):
    smallest = shootouts["dollars"][0].picks[1]
    assert "not known to be read by" in smallest.reason
    assert "tensorstore" in lab.lost_readers(smallest.result.chain, shootouts["dollars"][0].sample)
    assert lab.lost_readers(shootouts["dollars"][0].recommended.result.chain, shootouts["dollars"][0].sample) == []


def test_the_line_of_code_stores_what_the_table_says(shootouts):
    for name, (found, *_) in shootouts.items():
        values = found.sample.array[...]
        for pick in found.picks[:2]:
            array = eval(pick.code, {"zarr": zarr, "store": {}, "values": values})
            assert sum(len(array.encoded_chunk(c)) for c in np.ndindex(array.cdata_shape)) == pick.result.stored, name
            assert np.array_equal(array[...], values)


def test_bitshuffle_is_called_not_done_where_blosc_does_not_do_it():
    found = lab.shootout(np.arange(20_001, dtype="i4") % 999, levels=False, workers=1)
    assert found["blosc(zstd 3 bitshuffle)"].stored == found["blosc(zstd 3)"].stored
    assert "bitshuffle: not done" in str(found)


def test_a_shuffle_of_single_bytes_is_said_to_do_nothing():
    found = lab.shootout(signals()["bytes"][0], levels=False, workers=1)
    assert "shuffle: does nothing for elements of one byte" in found.sentences()
    assert not any("shuffle" in r.label.replace("bitshuffle", "") for r in found.results)


def test_the_codecs_of_today_are_measured_with_the_rest():
    values, chunks = signals()["cents"]
    for options in ({"compressors": "gzip"}, {"zarr_format": 2, "compressors": {"id": "zlib", "level": 5}}):
        array = zarr.array(values, chunks=chunks, **options)
        found = lab.shootout(array, levels=False, workers=1)
        now = next(r for r in found.results if r.label.startswith("as it is now"))
        assert now.stored == sum(len(array.encoded_chunk(c)) for c in np.ndindex(array.cdata_shape))


def test_codecs_that_are_about_as_good_as_the_advice_are_left_as_they_are():
    dollars = ticks.make("tiny").arrays["price"][:8000, :1]
    blosc = {"cname": "zstd", "clevel": 3, "shuffle": "noshuffle", "typesize": 8, "blocksize": 0}
    codecs = {"blosc": (blosc, "within 3% of it, so there is no reason to change"), "lz4": ({}, "% fewer bytes")}
    for name, (configuration, sentence) in codecs.items():
        codec = {"name": name if configuration else f"numcodecs.{name}", "configuration": configuration}
        found = lab.shootout(zarr.array(dollars, chunks=dollars.shape, compressors=codec), levels=False, workers=1)
        [said] = [line for line in found.sentences() if line.startswith("as it is now")]
        assert sentence in said


def test_a_promise_speaks_of_rounding_where_the_type_itself_rounds_as_much():
    found = sample("temperature", 3)  # 300 K in float32: steps of 3e-05
    for tolerance, words in ((0.05, "0.025"), (0.001, "0.0005 + rounding")):
        scaled = [chain for chain in lab.lossy(found, tolerance)[0] if chain.label.startswith("scale_offset")]
        assert {chain.promise.words for chain in scaled} == {words}


# --- break-even and the front


@pytest.mark.parametrize(
    ("ratio", "rate", "expected"),
    [(4, 800, 600.0), (2, 100, 50.0), (1.25, 1000, 200.0), (1, 500, 0.0), (0.9, 500, 0.0)],
)
def test_break_even_is_where_both_ways_take_as_long(ratio, rate, expected):
    limit = lab.break_even(ratio, rate)
    assert limit == pytest.approx(expected)
    if limit:
        assert 1 / limit == pytest.approx(1 / (ratio * limit) + 1 / rate)


def test_what_decoding_takes_without_a_codec_is_not_the_codecs_fault():
    result = lab.measure(lab.Chain(({"name": "gzip", "configuration": {"level": 5}},)), sample("short", 3))
    speed = lab.Speed(1, 100, None, None)
    half = replace(result, speed=speed, nbytes=2 * result.stored)  # a ratio of 2
    assert half.pays_below == pytest.approx(50)
    twice, same = (lab.Speed(1, rate, None, None) for rate in (200, 100))
    assert replace(half, plain=twice).pays_below == pytest.approx(100)  # 1/100 - 1/200: a rate of 200
    assert replace(half, plain=same).pays_below == float("inf")
    assert replace(half, nbytes=result.stored // 2, plain=same).pays_below == 0


def test_nothing_on_the_front_is_beaten_and_everything_else_is(shootouts):
    results = [r for r in shootouts["cents"][1].results if r.exact]
    front = lab.pareto(results)
    assert front[0].stored == results[0].stored

    def beats(a, b):
        return a.stored <= b.stored and a.speed.decode >= b.speed.decode and a is not b

    assert not any(beats(a, b) for a in front for b in front)
    assert all(any(beats(a, b) for a in front) for b in results if b not in front)


# --- the sample


def test_the_sample_is_drawn_by_its_seed_and_bounded_by_its_bytes():
    array = zarr.array(np.arange(100_000, dtype="i4") + 1, chunks=1100, compressors=None)
    one, again, other = (lab.take(array, nbytes=40_000, seed=seed) for seed in (1, 1, 2))
    assert one.places == again.places != other.places
    assert 40_000 - 4400 < one.nbytes <= 40_000
    assert len(lab.take(array, nbytes=5000).chunks) == 1
    for place, chunk in zip(one.places, one.chunks, strict=True):
        assert np.array_equal(chunk[: place[0].stop - place[0].start], array[place])


def test_of_a_shard_the_chunks_inside_are_drawn():
    values = np.arange(64 * 64, dtype="i4").reshape(64, 64)
    array = zarr.array(values, chunks=(8, 16), shards=(32, 32), compressors="gzip")
    found = lab.take(array)
    assert {chunk.shape for chunk in found.chunks} == {(8, 16)}
    assert found.nbytes == values.nbytes
    assert lab.shootout(array, levels=False, workers=1)["as it is now: gzip 5"].exact


def test_chunks_of_uneven_grids_and_of_a_thinly_filled_array_are_found():
    uneven = zarr.create_array({}, shape=(5000,), chunks=[[1000, 1500, 2500]], dtype="i4")
    uneven[...] = np.arange(5000)
    assert sorted(chunk.shape for chunk in lab.take(uneven).chunks) == [(1000,), (1500,), (2500,)]
    thin = zarr.create_array({}, shape=(4_000_000,), chunks=(1000,), dtype="i8")
    thin[2_000_000:2_003_000] = 7
    found = lab.take(thin)
    assert len(found.chunks) == 3
    assert found.empty > 0


def test_of_large_chunks_pieces_are_drawn_all_over_the_array():
    values = np.random.default_rng(0).normal(size=(16, 512, 512)).astype("f4")
    array = zarr.array(values, chunks=(2, 512, 512), compressors=None)
    found = lab.take(array, nbytes=4 << 20)
    assert found.pieces
    assert "pieces of 1 x 256 x 512, each of one of 8 chunks of 2 x 512 x 512 float32, 4.0 MiB" in str(found)
    assert len({place[0].start // 2 for place in found.places}) == 8, "one of each chunk"
    for place, piece in zip(found.places, found.chunks, strict=True):
        assert np.array_equal(values[place], piece)
    assert any("pieces of several stand for them" in note for note in found.notes)


def test_a_sample_of_the_one_chunk_is_told_in_the_singular():
    array = zarr.array(
        np.random.default_rng(0).normal(size=(2, 512, 512)).astype("f4"), compressors=None, chunks=(2, 512, 512)
    )
    assert str(lab.take(array, nbytes=1 << 24)).startswith("the array: 1 of 1 chunk of 2 x 512 x 512 float32")
    found = lab.take(array, nbytes=1 << 20)
    assert found.pieces
    assert "each" not in str(found)
    assert "1 piece of 1 x 128 x 512, of the one chunk of 2 x 512 x 512 float32, 256.0 KiB" in str(found)


def test_places_are_spread_whatever_the_seed():
    array = zarr.array(np.arange(400_000, dtype="i4"), chunks=1000, compressors=None)
    for seed in range(20):
        starts = sorted(place[0].start for place in lab.take(array, nbytes=32_000, seed=seed).places)
        assert len(starts) == 8
        assert {start // 50_000 for start in starts} >= set(range(1, 7)), starts
        assert max(b - a for a, b in itertools.pairwise(starts)) < 110_000, starts


def test_what_is_constant_or_empty_is_left_out_and_said():
    half = zarr.create_array({}, shape=(64_000,), chunks=(1000,), dtype="i4", fill_value=-1)
    half[:32_000] = 7
    half[48_000:] = np.arange(16_000)
    found = lab.take(half, nbytes=1 << 20)
    assert (found.empty, found.constant, len(found.chunks)) == (16, 32, 16)
    assert all(place[0].start >= 48_000 for place in found.places)
    notes = " ".join(found.notes)
    assert "empty: 16 places that were drawn, left out" in notes
    assert "constant: 32 places that were drawn, left out: each holds one value" in notes
    same = zarr.create_array({}, shape=(64_000,), chunks=(4000,), dtype="i4", fill_value=-1)
    same[...] = 7
    found = lab.shootout(same, levels=False, workers=1)
    assert any("every place that was drawn holds one value" in note for note in found.sample.notes)
    assert found.to_json()["sample"]["constant"] == 16


def test_one_value_is_one_bit_by_bit():
    from tutorial_zarr.labs.compression.sample import _one_value

    nan = np.full(9, np.nan)
    assert _one_value(nan)
    assert not _one_value(np.array([0.0, -0.0]))
    assert _one_value(np.array(["a", "a"], np.dtypes.StringDType()))
    assert not _one_value(np.array(["a", "b"]))
    assert _one_value(np.zeros(4, [("a", "i4"), ("b", "f8")]))
    assert not _one_value(np.ones(1))


def test_shuffles_of_text_know_its_characters():
    """Fixed text of four bytes a character: shuffled by characters, by whole texts, and never by 255 bytes."""
    names = np.array([f"{n % 50:02} of the states" for n in range(20_000)])
    found = lab.shootout(zarr.array(names, chunks=20_000, compressors=None), levels=False, workers=1)
    by_character, by_text = found["blosc(zstd 3 shuffle)"], found[f"blosc(zstd 3 shuffle by {names.itemsize})"]
    assert by_character.chain.codecs[0]["configuration"]["typesize"] == 4
    assert by_text.chain.codecs[0]["configuration"]["typesize"] == names.itemsize
    assert by_character.exact
    assert by_text.exact
    assert {effect.step for effect in found.effects} >= {"shuffle", f"shuffle by {names.itemsize}", "bitshuffle"}
    long = lab.shootout(zarr.array(names.astype("U90"), chunks=20_000, compressors=None), levels=False, workers=1)
    sizes = {c["configuration"].get("typesize") for r in long.results for c in r.chain.codecs if c["name"] == "blosc"}
    assert sizes == {4}
    two = lab.shootout(zarr.array(names, chunks=20_000, zarr_format=2), levels=False, workers=1)
    assert two["blosc(zstd 3 shuffle)"].exact


def test_the_tables_fit_into_80_columns_and_break_no_word(store, capsys):
    assert main(["compress", "shootout", str(store), "--threads", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    first, second = (n for n, line in enumerate(lines) if line.startswith(("codecs ", "loses something ")))
    table = [*lines[first : lines.index("", first)], *lines[second : lines.index("", second)]]
    assert len(table) > 20
    assert max(map(len, table)) <= 80
    assert "\N{HORIZONTAL ELLIPSIS}" not in "".join(table)
    assert any(line.startswith("as it is now: gzip 5") for line in table)
    said = "\n".join(lines)
    for column in ("ratio:", "write, read:", "with one thread / with 2", "pays:", "error:", "promised:"):
        assert column in said


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (np.arange(10), "expected at least 4,096 bytes of values to judge a codec by, found 80 bytes"),
        (np.zeros(9000), "found none in 1 chunks, which hold only the fill value"),
    ],
)
def test_an_array_that_is_too_small_or_empty_is_one_sentence(values, sentence):
    with pytest.raises(lab.SampleError, match=sentence):
        lab.shootout(values)


def test_objects_of_python_are_one_sentence():
    array = zarr.create_array(
        {}, shape=(9,), chunks=(9,), dtype=object, zarr_format=2, object_codec={"id": "json2"}, fill_value=None
    )
    with pytest.raises(lab.SampleError, match="expected numbers, records or text, found objects of Python"):
        lab.shootout(array)


def test_a_tolerance_or_a_bandwidth_of_nothing_is_refused():
    for options in ({"tolerance": 0}, {"bandwidth": -1}):
        with pytest.raises(ValueError, match="greater than 0"):
            lab.shootout(prices(), **options)


@pytest.mark.parametrize("zarr_format", FORMATS)
def test_with_nan_what_cannot_hold_it_is_named_and_the_rest_goes_on(zarr_format):
    values = temperatures().copy()
    values[:, 3] = np.nan
    array = zarr.array(values, chunks=(6, 37, 48), compressors=None, zarr_format=zarr_format)
    found = lab.shootout(array, tolerance=0.05, levels=False, workers=1)
    broken = {r.label.split()[0] for r in found.results if not r.holds}
    assert broken <= {"zfp", "zfpy", "delta,"}
    scaled = [r for r in found.results if r.label.startswith("scale_offset")]
    if zarr_format == 3:
        assert all(r.holds for r in scaled)
        assert len(scaled) == 3
    else:
        assert scaled == []
        assert any("no integer that stands for NaN" in reason for _, reason in found.skipped)
    assert found.recommended.result.exact
    assert found.picks[-1].result.error <= 0.05
    json.dumps(found.to_json(), allow_nan=False)


def test_text_is_judged_by_compressors_alone():
    names = np.array([f"station {n % 97}" for n in range(3000)], np.dtypes.StringDType())
    found = lab.shootout(zarr.array(names, chunks=1000), levels=False, workers=1)
    assert found["gzip 5"].exact
    assert {r.chain.promise for r in found.results} == {None}
    assert found["none"].ratio == 1.0
    assert any("text" in note for note in found.sample.notes)


def test_codecs_that_are_not_installed_are_named_with_what_to_type_and_the_rest_goes_on():
    program = """
import sys
sys.modules.update(pcodec=None, zfpy=None)
import numpy as np
from tutorial_zarr.labs import compression as lab
found = lab.shootout(np.linspace(0, 9, 5000), levels=False, workers=1)
for name, reason in found.skipped:
    print(name, "|", reason)
print(found.recommended.result.exact, [r.label for r in found.results if "pcodec" in r.label or "zfp" in r.label])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert [line.partition(" |")[0] for line in lines[:-1]] == ["pcodec", "zfp"]
    assert all("is not installed; try: pip install" in line for line in lines[:-1])
    assert lines[-1] == "True []"


# --- the command


@pytest.fixture
def store(tmp_path):
    group = zarr.create_group(tmp_path / "ein Lager.zarr")
    group.create_array("deep/price", data=prices(), chunks=(4000, 1), compressors="gzip")
    group.create_array("tiny", data=np.arange(4))
    return tmp_path / "ein Lager.zarr"


def test_the_command_judges_every_array_of_a_group_and_names_those_that_it_cannot(store, capsys):
    before = {file: file.read_bytes() for file in store.rglob("*") if file.is_file()}
    assert main(["compress", "shootout", str(store), "--quick", "--threads", "1", "--tolerance", "0.01", "--json"]) == 0
    printed = capsys.readouterr()
    report = json.loads(printed.out)
    [array] = report["arrays"]
    assert array["array"] == "deep/price"
    assert [pick["use"] for pick in array["picks"]] == ["recommended", "smallest", "quickest to read", "within 0.01"]
    assert array["picks"][0]["chain"] == "blosc(zstd 3)"
    assert {"shuffle": "hurts"}.items() <= {e["step"]: e["verdict"] for e in array["effects"]}.items()
    assert all(r["exact"] for r in array["results"] if r["lossless"])
    assert array["machine"]["threads"] == 1
    [sentence] = report["not_judged"]
    assert "tiny: expected at least 4,096 bytes" in sentence
    assert sentence in printed.err
    assert before == {file: file.read_bytes() for file in store.rglob("*") if file.is_file()}, "it only reads"


def test_the_command_prints_tables_sentences_and_draws_figures(store, tmp_path, capsys):
    pytest.importorskip("matplotlib", reason="draws with matplotlib, which is not installed")
    folder = tmp_path / "figures"
    words = ["compress", "shootout", str(store / "deep" / "price"), "--quick", "--top", "2", "--figures", str(folder)]
    assert main([*words, "--threads", "2"]) == 0
    printed = capsys.readouterr().out
    for part in (
        "as it is now: gzip 5",
        "shuffle hurts",
        "recommended: blosc(zstd 3)",
        "zarr.create_array(store",
        "zfp",
    ):
        assert part in printed
    drawn = sorted(file.name for file in folder.iterdir())
    assert drawn == ["price_errors.svg", "price_pareto.svg", "price_stages.svg", "price_threads.svg"]
    for file in folder.iterdir():
        assert "<desc>" in file.read_text(encoding="utf-8")


def test_small_arrays_are_named_together(tmp_path, capsys):
    group = zarr.create_group(tmp_path / "a")
    for name in "abcdefg":
        group.create_array(name, data=np.arange(3))
    assert main(["compress", "shootout", str(tmp_path / "a")]) == 1
    said = "a, b, c, d, e and 2 more: too few values to judge a codec by; leave these arrays as they are"
    assert capsys.readouterr().err == f"tutorial-zarr: {said}\n"


def test_a_store_in_which_nothing_can_be_judged_is_a_problem(tmp_path, capsys):
    zarr.create_array(tmp_path / "a", data=np.arange(3))
    assert main(["compress", "shootout", str(tmp_path / "a")]) == 1
    assert "try a larger array" in capsys.readouterr().err
    assert main(["compress", "shootout", str(tmp_path / "a"), "--sample", "much"]) == 2
    assert "such as '4 MiB'" in capsys.readouterr().err
