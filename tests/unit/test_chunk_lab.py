"""The chunk lab: patterns, models of stores, the advice and its command. Its figures are held in small_worlds."""

import itertools
import json
import sys
from pathlib import Path

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.gallery.source import WIDGET, clean
from tutorial_zarr.labs import LabError
from tutorial_zarr.labs import chunks as lab
from tutorial_zarr.labs.sliders import slide
from tutorial_zarr.stores import MemoryStore, TraceStore

SHAPE, NAMES = (240, 37, 49), ("time", "lat", "lon")
MIX = ["time series 70%: all, 1, 1", "maps 30%: 1, all, all"]


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        (["series 70%: all,1,1", "maps 20%: 1,all,all"], r"weights that sum to 100 %, found 70 \+ 20 = 90 %.*77.8 %"),
        (["series 70%"], r"a length for each of 3 axes, found 1"),
        (["a: b: all,1,1"], r"expected a name, a weight and lengths"),
        (["series 100%: all,1,1", "maps: 1,all,all"], r"less than 100 % for those with a weight.*found 100 %"),
        (["series 100%: all,1"], r"a length for each of 3 axes, found 2"),
        (["series 100%: all,1,x"], r"a whole number or 'all' for axis 2, found 'x'"),
        (["series 100%: all,1,50"], r"from 1 to 49 elements along axis 2, found 50"),
        (["series 100%: all,1,0"], r"from 1 to 49 elements along axis 2, found 0"),
        (["maps 100%: tim=1"], r"a dimension of time, lat, lon, found 'tim'"),
        (["none 0%: all,1,1", "maps 100%: 1,all,all"], r"a weight above 0, found 0"),
    ],
)
def test_a_pattern_that_makes_no_sense_is_refused_with_a_sentence(texts, says):
    with pytest.raises(LabError, match=says):
        lab.parse(texts, SHAPE, NAMES)


def test_patterns_without_a_weight_share_what_is_left():
    read = ["a 40%: 1, all, all", "all, 1, 1", "b: lat=2"]
    found = lab.parse(read, SHAPE, NAMES)
    assert [(p.name, pytest.approx(p.weight), p.lengths) for p in found] == [
        ("a", 0.4, (1, 37, 49)),
        ("all, 1, 1", 0.3, (240, 1, 1)),
        ("b", 0.3, (240, 2, 49)),
    ]
    assert lab.parse(["plane: time=1,lat=1"], SHAPE, NAMES)[0].weight == 1


def test_patterns_by_name_are_those_by_position():
    assert lab.parse(["a 100%: time=1, lon=all"], SHAPE, NAMES) == lab.parse(["a 100%: 1, all, all"], SHAPE)


@pytest.mark.parametrize(
    ("arguments", "options", "says"),
    [
        (((8, 8), "f4"), {}, r"an array of 256 B is too small to judge: expected more than 1.0 MiB"),
        (((999, 999), "foo"), {}, r"dtype: expected a type that NumPy knows, such as float32, found 'foo'"),
        (((999, 999), "O"), {}, r"dtype object: expected elements of a fixed size"),
        (((999, 999), "f4"), {"objective": "speed"}, r"objective: expected one of seconds, .*found 'speed'"),
        (
            ((999, 999), "f4"),
            {"objective": "dollars", "store": lab.StoreModel("x")},
            r"expected a price list, found none",
        ),
        (
            ((999, 999), "f4"),
            {"memory": 100},
            r"memory: expected enough for what .*, in objects of 1.0 MiB or more, found 100 B",
        ),
        (
            ((999, 999), "f4"),
            {"today": lab.Layout((10, 10), (25, 10))},
            r"multiples of the chunks \(10, 10\), found \(25, 10\); the nearest are \(20, 10\)",
        ),
        (((999, 999), "f4"), {"today": lab.Layout((10,))}, r"chunks: expected a length of at least 1 for each axis"),
    ],
)
def test_a_question_without_an_answer_is_refused_with_a_sentence(arguments, options, says):
    with pytest.raises(LabError, match=says):
        lab.advise(*arguments, **options)


def test_a_store_that_cannot_be_is_refused():
    with pytest.raises(LabError, match=r"store 'x': expected bandwidth above 0, found 0"):
        lab.StoreModel("x", bandwidth=0)
    with pytest.raises(LabError, match=r"expected one of s3, gcs, azure, r2, local, found 'ftp'"):
        lab.store("ftp")


def test_prices_of_ones_own_are_read_from_a_file(tmp_path):
    file = tmp_path / "prices.json"
    entry = {"title": "Ours", "looked_up": "2026-01-01", "source": "the invoice", "verified": True}
    numbers = {"get_per_1000": 1.0, "put_per_1000": 2.0, "gb_month": 3.0, "gb_to_internet": 4.0}
    file.write_text(json.dumps({"stores": {"ours": {**entry, **numbers}}}), encoding="utf-8")
    model = lab.store("ours", file, internet=True)
    assert model.dollars(requests=2000, nbytes=1e9) == 2 * 1.0 + 4.0
    other = tmp_path / "other.json"
    with pytest.raises(LabError, match=r"other.json: expected a file with price lists, found none"):
        lab.store("ours", other)
    other.write_text("[]", encoding="utf-8")
    with pytest.raises(LabError, match=r"other.json: expected price lists in the form"):
        lab.store("ours", other)


def test_every_price_says_from_where_and_since_when_and_whether_it_was_found_there():
    for name in ("s3", "gcs", "azure", "r2"):
        prices = lab.store(name).prices
        assert prices.source.startswith("https://")
        assert prices.looked_up.startswith("20")
        assert prices.verified or "not" in prices.remark, f"{name}: a price that was not verified says why"


def test_the_layouts_of_the_air_temperature_cost_what_arithmetic_says():
    """240 years of 37 x 49: requests and KiB of a map and a point, by hand."""
    patterns = [lab.Pattern("map", 0.5, (1, 37, 49)), lab.Pattern("point", 0.5, (240, 1, 1))]
    for chunks, requests, kib in [
        ((1, 37, 49), (1, 240), (7, 1699)),
        ((240, 8, 8), (35, 1), (2100, 60)),
        ((60, 16, 16), (12, 4), (720, 240)),
    ]:
        costs = [lab.expected(lab.Layout(chunks), pattern, SHAPE, 4) for pattern in patterns]
        assert tuple(cost.requests for cost in costs) == requests
        assert tuple(cost.nbytes // 1024 for cost in costs) == kib


def test_choices_come_best_first_and_the_front_is_beaten_by_none():
    advice = lab.advise(SHAPE, "f4", MIX, shards=False, smallest=4096)
    seconds = [choice.seconds for choice in advice.choices]
    assert seconds[1:] == pytest.approx(sorted(seconds[1:]), rel=1e-11)
    assert seconds[0] <= 1.01 * min(seconds)
    exact = lab.advise(SHAPE, "f4", MIX, shards=False, tolerance=0, smallest=4096)
    assert exact.best.seconds == min(seconds)
    assert exact.best.requests > advice.best.requests, "of what is nearly the same, the one with fewer requests"
    assert len(advice.front) > 3
    for choice, other in itertools.product(advice.front, advice.choices):
        assert (
            other.requests > choice.requests
            or other.nbytes > choice.nbytes
            or ((other.requests, other.nbytes) == (choice.requests, choice.nbytes))
        )


def test_too_small_and_too_large_make_a_curve_shaped_like_a_u():
    points = lab.advise((2000, 2000), "f4", ["windows 100%: 300, 300"], shards=False, smallest=64).by_size()
    seconds = [point.seconds for point in points]
    best = seconds.index(min(seconds))
    assert 0 < best < len(points) - 1
    assert seconds[0] > 5 * seconds[best]
    assert seconds[-1] > 1.5 * seconds[best]


def test_no_choice_takes_more_memory_than_is_allowed():
    advice = lab.advise((2000, 2000), "f4", memory=1 << 20, smallest=4096)
    assert max(choice.memory for choice in advice.choices) <= 1 << 20


def test_patterns_that_quarrel_are_told_of_two_copies():
    advice = lab.advise((2400, 180, 360), "f4", MIX, shards=False)
    seconds, one, other = advice.copies
    assert seconds < advice.best.seconds
    assert {one.each_seconds.index(min(one.each_seconds)), other.each_seconds.index(min(other.each_seconds))} == {0, 1}
    assert any("The patterns quarrel" in line for line in advice.verdict())


def test_a_choice_explains_its_numbers():
    question = lab.advise(SHAPE, "f4", MIX, shards=False).question
    said = question.choice(lab.Layout((60, 16, 16))).explain()
    assert "maps (30 %): decodes 12 chunks, 720.0 KiB for 7.1 KiB wanted, 102 times as much; 12 requests for" in said
    assert "time series (70 %): decodes 4 chunks, 240.0 KiB" in said
    assert "100,000 reads a month: 640,000 requests, $0.26" in said  # 0.7 x 4 + 0.3 x 12 requests for a read


@pytest.fixture
def maps(tmp_path):
    """An array in whole maps, compressed about twice."""
    array = zarr.create_array(
        tmp_path / "maps.zarr", shape=(300, 40, 50), dtype="f4", chunks=(1, 40, 50), dimension_names=NAMES
    )
    chance = np.random.default_rng(0)
    array[...] = chance.integers(0, 256, size=array.shape).astype("f4")
    return array


def test_an_array_that_exists_is_told_what_a_rechunk_saves(maps):
    advice = lab.advise_array(maps, ["series 90%: lat=1, lon=1", "maps 10%: time=1"])
    assert advice.today.layout == lab.Layout((1, 40, 50))
    assert advice.today.requests == pytest.approx(0.9 * 300 + 0.1)
    files = [file for file in Path(maps.store.root).rglob("c/*/*/*") if file.is_file()]
    assert advice.question.ratio == pytest.approx(maps.nbytes / sum(file.stat().st_size for file in files))
    assert advice.best.seconds < advice.today.seconds / 2
    assert any("A rechunk to" in line and "it saves $" in line for line in advice.verdict())


def test_a_layout_that_is_right_is_left_alone(maps):
    advice = lab.advise_array(maps, ["maps 100%: time=1"])
    assert any("leave it" in line for line in advice.verdict())


def test_what_cannot_be_foretold_of_an_array_is_said():
    uneven = zarr.create_array({}, shape=(9,), chunks=[[4, 5]], dtype="f4")
    with pytest.raises(LabError, match=r"expected a regular chunk grid, found 'rectilinear'"):
        lab.advise_array(uneven)
    with pytest.raises(LabError, match=r"expected elements of a fixed size, found"):
        lab.advise_array(zarr.create_array({}, shape=(9,), dtype=str))
    empty = lab.advise_array(zarr.create_array({}, shape=(999, 999), dtype="f4", zarr_format=2))
    said = " ".join(empty.notes)
    assert "No chunk is stored" in said
    assert "Nobody said how it is read" in said
    assert "Zarr 2 has no shards" in said


def steps():
    """A clock that moves a millisecond each time it is asked."""
    ticks = itertools.count()
    return lambda: next(ticks) / 1000


def test_a_log_becomes_the_boxes_that_were_read():
    clock = steps()
    pauses = []
    store = TraceStore(MemoryStore(), clock=lambda: clock() + sum(pauses))
    array = zarr.create_array(store, shape=(20, 20), chunks=(5, 10), dtype="f4")
    array[...] = 1
    store.clear()
    for selection in [(0, slice(None)), (1, slice(None)), (slice(None), 19), (7, 7)]:
        array[selection]
        pauses.append(1.0)
    patterns = lab.from_log(store.requests, array)
    assert {(p.starts, p.lengths): round(p.weight, 9) for p in patterns} == {
        ((0, 0), (5, 20)): 0.5,  # two rows of the same chunks
        ((0, 10), (20, 10)): 0.25,
        ((5, 0), (5, 10)): 0.25,
    }
    assert len({p.name for p in patterns}) == 3, "a report has an entry for each"
    costs = [lab.expected(lab.Layout((5, 10)), p, (20, 20), 4).requests for p in patterns]
    assert sum(p.weight * 4 * cost for p, cost in zip(patterns, costs, strict=True)) == len(store.requests)
    with pytest.raises(LabError, match=r"expected a log with requests for its chunks, found none"):
        lab.from_log([], array)


def test_a_chunk_that_is_asked_for_again_begins_another_read():
    store = TraceStore(MemoryStore(), clock=steps())
    array = zarr.create_array(store, shape=(20,), chunks=(5,), dtype="f4")
    array[...] = 1
    store.clear()
    for _ in range(3):
        array[0:10]
    (pattern,) = lab.from_log(store.requests, array)
    assert (pattern.starts, pattern.lengths, pattern.weight) == ((0,), (10,), 1.0)
    assert pattern.name == "3 of 3 reads, [0:10]"


def test_charts_of_an_advice_say_what_they_show():
    pytest.importorskip("matplotlib", reason="charts need matplotlib")
    from tutorial_zarr.labs.chunks import figures

    advice = lab.advise(SHAPE, "f4", MIX, shards=False, today=lab.Layout((1, 37, 49)))
    assert "the best is" in figures.u_curve(advice).alt
    assert f"{len(advice.front)} are on the Pareto front" in figures.front(advice).alt


# --- chunks that light up


def test_the_picture_lights_up_what_the_plan_counts():
    (maps,) = lab.parse(["maps 100%: 1, all, all"], SHAPE)
    for layout in (lab.Layout((60, 16, 16)), lab.Layout((60, 16, 16), (120, 48, 64))):
        found = lab.lit(SHAPE, "f4", layout, maps.at(SHAPE, 0.25))
        cost = lab.expected(layout, maps.at(SHAPE, 0.25), SHAPE, 4)
        assert (found.requests, found.nbytes) == (cost.requests, cost.nbytes)
        assert "maps at [60, 0:37, 0:49] touches 12 of 48" in str(found)
        assert "[60, 0:37, 0:49]" in found.picture.alt
        assert "<svg" in found._repr_html_()
    named = lab.lit(SHAPE, "f4", lab.Layout((60, 16, 16)), maps.at(SHAPE, 0.25), names=NAMES)
    assert "time 60:120" in named.picture.svg


def test_too_many_chunks_are_not_drawn_one_by_one():
    (everything,) = lab.parse(["all 100%: all, all"], (9999, 9999))
    found = lab.lit((9999, 9999), "f4", lab.Layout((1, 1)), everything)
    assert found.picture is None
    assert "too many to draw" in str(found)


def test_without_ipywidgets_there_is_a_picture(monkeypatch):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    assert isinstance(lab.explore(SHAPE, "f4", MIX), lab.Lit)


def test_a_slider_that_moves_lights_up_other_chunks():
    pytest.importorskip("ipywidgets", reason="sliders need ipywidgets")
    box = lab.explore(SHAPE, "f4", MIX, lab.Layout((60, 16, 16)), names=NAMES)
    which, columns, output = box.children
    chunks, shards, places = ([*column.children[1:]] for column in columns.children)
    assert [slider.description for slider in chunks] == list(NAMES)
    assert "60 x 16 x 16: 4 requests" in output.value
    chunks[0].value = 240
    assert "240 x 16 x 16: 1 request for" in output.value
    which.index = 1
    assert "maps at [120, 0:37, 0:49] touches 12 of 12 chunks" in output.value
    places[0].value = 1
    assert "maps at [239, 0:37, 0:49]" in output.value
    shards[1].value = 2
    assert "240 x 16 x 16 in shards of 240 x 32 x 16" in output.value


class Drawn:
    """A picture of one value."""

    def __init__(self, value):
        self.svg = f"<svg>{value}</svg>"

    def __repr__(self):
        return "a picture"

    def _repr_html_(self):
        return self.svg


def test_a_page_without_sliders_has_the_picture(monkeypatch):
    ipywidgets = pytest.importorskip("ipywidgets", reason="sliders need ipywidgets")
    box = slide(Drawn, mm=(8, 4))
    slider, shown = box.children
    assert isinstance(box, ipywidgets.VBox)
    assert (slider.description, shown.value) == ("mm", "<svg>8</svg>")
    slider.value = 4
    assert shown.value == "<svg>4</svg>"
    data, _ = box._repr_mimebundle_()
    assert (data["text/plain"], data["text/html"]) == ("a picture", "<svg>8</svg>")
    assert WIDGET in data
    explored, _ = lab.explore(SHAPE, "f4", MIX)._repr_mimebundle_()
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    assert slide(Drawn, mm=(8, 4)).svg == "<svg>8</svg>"
    alone = lab.explore(SHAPE, "f4", MIX)
    assert (explored["text/plain"], explored["text/html"]) == (repr(alone), alone._repr_html_())


def test_a_stored_notebook_names_no_widget_of_a_kernel_that_is_gone():
    output = {"output_type": "display_data", "metadata": {}, "data": {WIDGET: {"model_id": "1f"}, "text/plain": "a"}}
    cell = {"cell_type": "code", "metadata": {}, "source": "x", "outputs": [output], "execution_count": 1}
    assert clean({"cells": [cell]})["cells"][0]["outputs"][0]["data"] == {"text/plain": "a"}


# --- the command


def run(capsys, *arguments):
    pytest.importorskip("click", reason="the command line needs click")
    pytest.importorskip("rich", reason="the command line needs rich")
    from tutorial_zarr import cli

    code = cli.main(["chunks", *map(str, arguments)])
    return code, *capsys.readouterr()


def test_the_command_ranks_layouts_and_says_what_todays_costs(maps, capsys):
    read = ("--read", "series 90%: lat=1, lon=1", "--read", "maps 10%: time=1")
    code, out, err = run(capsys, "advise", maps.store.root, *read)
    assert (code, err) == (0, "")
    for expected in ("today", "A rechunk to", "The first choice:", "requests", "not verified there"):
        assert expected in out
    for sign in ("*: no other layout", "x wanted: bytes that are decoded", "a month: 100,000 reads, and the storage."):
        assert sign in out
    code, out, err = run(capsys, "advise", maps.store.root, *read, "--json", "--top", "2", "--by", "dollars")
    report = json.loads(out)
    assert (code, err, len(report["choices"]), report["objective"]) == (0, "", 2, "dollars")
    assert report["today"]["chunks"] == [1, 40, 50]


def test_the_command_goes_through_a_group_and_skips_what_cannot_be_judged(tmp_path, capsys):
    group = zarr.create_group(tmp_path / "g")
    group.create_array("air", shape=(600, 600), chunks=(10, 10), dtype="f4")
    group.create_array("deep/time", shape=(9,), dtype="f4")
    odd = group.create_array("aaa", shape=(500, 500), chunks=(10, 10), dtype="f4", compressors="gzip")
    document = tmp_path / "g" / "aaa" / "zarr.json"
    document.write_text(document.read_text(encoding="utf-8").replace('"gzip"', '"of our own"'), encoding="utf-8")
    code, out, err = run(capsys, "advise", tmp_path / "g", "--json")
    assert (code, set(json.loads(out)["arrays"])) == (0, {"air"})
    assert "deep/time: an array of 36 B is too small to judge" in err
    assert "codecs: 'of our own' is not a codec that this library knows" in err
    assert odd.nchunks == 2500


def test_the_command_works_without_an_array_and_with_charts(tmp_path, capsys):
    shape = ("--shape", "240,37,49", "--dtype", "f4", "--store", "local", "--no-shards")
    code, out, _ = run(capsys, "advise", *shape, "--chunks", "240,8,8", "--top", "1")
    assert code == 0
    assert "No price list for 'local': nothing is said of money." in out
    pytest.importorskip("matplotlib", reason="charts need matplotlib")
    code, _, err = run(capsys, "advise", *shape, "--figures", tmp_path / "charts")
    assert (code, err) == (0, "")
    assert sorted(file.name for file in (tmp_path / "charts").iterdir()) == ["front.svg", "u_curve.svg"]


def test_the_command_reads_a_log(maps, tmp_path, capsys):
    store = TraceStore(maps.store, clock=steps())
    array = zarr.open_array(store, mode="r")
    store.clear()
    array[:, 3, 4]
    log = tmp_path / "log.json"
    log.write_text(json.dumps([request._asdict() for request in store.requests]), encoding="utf-8")
    code, out, _ = run(capsys, "advise", maps.store.root, "--log", log, "--pause", "9", "--json")
    assert code == 0
    assert json.loads(out)["patterns"] == [
        {"name": "1 of 1 reads, [0:300, 0:40, 0:50]", "weight": 1.0, "lengths": [300, 40, 50], "starts": [0, 0, 0]}
    ]
    code, out, _ = run(capsys, "advise", maps.store.root, "--log", log, "--pause", "9")
    assert "one read ends where nothing was asked for during 9000 ms (--pause)" in out
    log.write_text("{}", encoding="utf-8")
    code, _, err = run(capsys, "advise", maps.store.root, "--log", log)
    assert code == 1
    assert "expected a log with requests for its chunks, found none" in err
    log.write_text("no", encoding="utf-8")
    code, _, err = run(capsys, "advise", maps.store.root, "--log", log)
    assert code == 1
    assert "log.json: expected a JSON list of requests" in err


def test_the_command_says_what_is_wrong_with_it(tmp_path, capsys):
    for arguments, expected in [
        (("advise",), "expected the PATH of an array, or a --shape"),
        (("advise", "--shape", "9,9"), "too small to judge"),
        (("advise", "--shape", "999,999", "--shards", "9,9"), "expected --chunks beside --shards"),
        (("advise", tmp_path / "none"), "none"),
    ]:
        code, out, err = run(capsys, *arguments)
        assert (code, out) == (1, "")
        assert expected in err
    for arguments in (
        ("--shape", "9,x"),
        ("--memory", "much"),
        ("--by", "beauty"),
        ("--shape", "9,9", "--dtype", "foo"),
    ):
        assert run(capsys, "advise", *arguments)[0] == 2
    assert "Invalid value for '--dtype': expected a type" in run(capsys, "advise", "--dtype", "foo")[2]


def test_a_note_is_said_once_however_many_arrays_there_are(tmp_path, capsys):
    group = zarr.create_group(tmp_path / "g", zarr_format=2)
    for name in ("u", "v", "w"):
        group.create_array(name, shape=(900, 900), chunks=(90, 90), dtype="f4")
    group.create_array("whole", data=np.ones((900, 900)), chunks=(90, 90))
    for name in ("lat", "lon"):
        group.create_array(name, shape=(900,), dtype="f4")
    code, out, err = run(capsys, "advise", tmp_path / "g")
    assert code == 0
    assert err == "tutorial-zarr: lat, lon: too small to judge; one chunk for each will do\n"
    for note in ("Nobody said how it is read", "Zarr 2 has no shards", "Amazon S3", "No chunk is stored"):
        assert out.count(note) == 1, note
    assert "u, v, w: No chunk is stored" in out
    assert out.count("The first choice:") == 4


def test_no_table_is_wider_than_80_columns(capsys):
    shape = ("--shape", "20000,137,7210,14400", "--read", "planes: 1,1,all,all", "--read", "series: all,1,1,1")
    code, out, _ = run(capsys, "advise", *shape)
    lines = out.splitlines()
    head = next(n for n, line in enumerate(lines) if line.split()[:2] == ["chunks", "shards"])
    assert code == 0
    assert max(len(line) for line in lines[head : lines.index("", head)]) <= 80


def test_the_price_lists_are_shown(capsys):
    code, out, _ = run(capsys, "prices")
    assert code == 0
    assert "Google Cloud Storage" in out
    code, out, _ = run(capsys, "prices", "--json")
    assert set(json.loads(out)["stores"]) == {"s3", "gcs", "azure", "r2"}
