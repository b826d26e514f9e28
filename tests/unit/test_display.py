"""How arrays, groups and trees show themselves: true, escaped, legible, and at no cost to the store."""

import itertools
import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.chunk_grids import Axis, UnevenAxis
from tutorial_zarr.stores import MemoryStore, TraceStore
from tutorial_zarr.viz import drawing
from tutorial_zarr.viz.drawing import page
from tutorial_zarr.viz.drawing.plane import cells_touched
from tutorial_zarr.words import escape, plain, ratio_text, shape_text, size_text

HOSTILE = ["<img src=x onerror=alert(1)>", "\"'><script>alert(1)</script>", "</details></style></svg>", "&lt;b&gt;"]
VOID = {"br", "hr", "img", "input", "meta", "link"}


class Strict(HTMLParser):
    """Refuses what a browser would mend: tags that are not closed, or closed in another order."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.words, self.attributes = [], [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        assert len(names) == len(set(names)), f"{tag}: an attribute twice"
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attributes]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attributes]

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)


def check(html):
    """The page part, parsed; nothing in it runs or is fetched."""
    parsed = Strict(html)
    assert not {"script", "link", "iframe", "object", "img"} & set(parsed.tags)
    for tag, name, value in parsed.attributes:
        assert not name.startswith("on"), (tag, name)
        assert name not in ("href", "src"), (tag, name)
        assert "javascript:" not in (value or "")
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", html)
    return parsed


def arrays():
    yield zarr.create_array({}, shape=(), dtype="f8")
    yield zarr.create_array({}, shape=(10,), chunks=(4,), dtype="i4", dimension_names=("x",))
    yield zarr.create_array({}, shape=(0, 5), chunks=(2, 2), dtype="i4")
    yield zarr.create_array({}, shape=(60, 100), chunks=((10, 20, 30), 25), dtype="u1")
    yield zarr.create_array({}, shape=(64, 64, 64), chunks=(8, 8, 8), shards=(32, 32, 32), dtype="f4")
    yield zarr.create_array({}, shape=(2, 3, 4, 5, 6), chunks=(1, 1, 2, 2, 2), dtype="u2")
    yield zarr.create_array({}, shape=(3,), dtype="string", fill_value="<b>")
    yield zarr.create_array({}, shape=(10**9, 10**9, 10**6), chunks=(10, 10, 10), dtype="u1")
    filters = [{"id": "delta", "dtype": "<i2"}]
    yield zarr.create_array({}, shape=(6, 4), chunks=(3, 2), dtype="i2", zarr_format=2, order="F", filters=filters)


@pytest.mark.parametrize("array", list(arrays()), ids=lambda a: f"{a.shape}".replace(" ", ""))
def test_the_card_of_an_array_is_sound_and_says_what_the_metadata_says(array):
    parsed = check(array._repr_html_())
    words = " ".join(parsed.words)
    for expected in (str(array.dtype), shape_text(array.chunks), f"Zarr {array.zarr_format}"):
        assert expected in words
    for svg in re.findall(r"<svg.*?</svg>", array._repr_html_(), re.DOTALL):
        ElementTree.fromstring(svg)
    assert ("svg" in parsed.tags) == (0 not in array.shape and array.ndim > 0)


def test_a_card_and_a_summary_ask_nothing_of_the_store():
    store = TraceStore(MemoryStore())
    root = zarr.create_group(store)
    array = root.create_array("a", shape=(8, 8), chunks=(2, 2), shards=(4, 4), dtype="u1", attributes={"unit": "K"})
    array[...] = 1
    store.clear()
    for node in (array, root):
        assert repr(node)
        assert node._repr_html_()
        assert repr(node.info)
        assert node.info._repr_html_()
    assert store.requests == []


def test_what_is_stored_is_told_where_it_is_asked_for():
    array = zarr.create_array({}, shape=(100,), chunks=(10,), dtype="u1", compressors=None)
    array[:25] = 7
    info = array.info_complete()
    stored = sum(len(value) for value in array.store.mapping.values())
    assert info["Stored"] == f"{stored:,} bytes, metadata included"
    assert info["Ratio"] == ratio_text(100, stored)
    assert info["Chunks stored"] == "3 of 10"
    assert "3 of 10" in check(info._repr_html_()).words
    assert "Stored" not in array.info
    words = zarr.create_array({}, shape=(3,), dtype="string")
    assert "Ratio" not in words.info_complete()  # what text takes in memory is not known


def test_a_summary_prints_as_a_table():
    array = zarr.create_array({}, name="t", shape=(4, 6), chunks=(2, 3), dtype="i4", attributes={"unit": "K"})
    rows = dict(line.split(" : ", 1) for line in re.sub(r" +: ", " : ", repr(array.info)).splitlines())
    assert rows["Path"] == "/t"
    assert (rows["Shape"], rows["Chunk shape"], rows["Chunks"]) == ("(4, 6)", "(2, 3)", "4")
    assert rows["Codecs"].startswith("bytes(endian=little), zstd(")
    assert rows["Attributes"] == "unit"


def test_codecs_stand_in_order_with_those_inside_a_shard():
    array = zarr.create_array({}, shape=(8,), chunks=(2,), shards=(4,), dtype="i4", compressors="gzip")
    words = " ".join(check(array._repr_html_()).words)
    order = [words.index(name) for name in ("sharding_indexed", "chunks inside", "gzip", "index inside", "crc32c")]
    assert order == sorted(order)


def test_a_v2_array_shows_its_filters_and_compressor_under_their_own_names():
    *_, array = arrays()
    assert [line.name for line in drawing.array_summary(array).codecs] == ["transpose", "delta", "zstd"]


def test_an_array_with_unknown_codecs_says_why_it_cannot_be_read():
    store = MemoryStore()
    root = zarr.create_group(store)
    root.create_array("x", shape=(3,), dtype="i4")
    document = json.loads(store.mapping["x/zarr.json"])
    document["codecs"] = [{"name": "<i>squeeze"}]
    store.mapping["x/zarr.json"] = json.dumps(document).encode()
    ((_, node),) = root.members()
    parsed = check(node._repr_html_())
    assert "cannot be read" in " ".join(parsed.words)
    assert "<i>squeeze" in " ".join(parsed.words)
    assert "squeeze" in node.info["Cannot be read"]
    assert "cannot be read" in " ".join(check(root.tree()._repr_html_()).words)


@pytest.mark.parametrize("evil", HOSTILE)
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_nothing_in_a_store_becomes_markup(evil, zarr_format):
    name = evil.replace("/", "|")
    root = zarr.create_group({}, zarr_format=zarr_format, attributes={evil: evil})
    extra = {"dimension_names": (evil, None)} if zarr_format == 3 else {}
    array = root.create_array(
        name,
        shape=(2, 2),
        dtype=[(name, "i4")],
        attributes={evil: [evil, {evil: evil}]},
        zarr_format=zarr_format,
        **extra,
    )
    root.create_group(f"g{name}")
    zarr.consolidate_metadata(root.store)
    consolidated = zarr.open_consolidated(root.store)
    shown = [array, root, array.info, root.info, root.tree(), consolidated, array.info_complete(), root.info_complete()]
    for node in shown:
        parsed = check(node._repr_html_())
        assert not {"img", "i"} & set(parsed.tags)
    words = check(array._repr_html_()).words
    assert any(name in word for word in words)
    assert any(evil in word for word in words)


def test_control_characters_reach_neither_terminal_nor_page():
    evil = "a\x1b[31m\u202eb\x00\n\ud800"
    assert plain(evil) == "a\\x1b[31m\\u202eb\\x00\\n\\ud800"
    assert plain("Übergröße 地圖") == "Übergröße 地圖"
    root = zarr.create_group({})
    root.create_array("red\x1b[31m\u202e", shape=(1,), dtype="u1", attributes={"a\x1b": "\x1b"})
    for words in (str(root.tree()), repr(root["red\x1b[31m\u202e"].info), root.tree()._repr_html_()):
        assert "\x1b" not in words
        assert "\u202e" not in words
    picture = drawing.selection_picture((2,), [1], touched=[], words=evil, names=(evil,))
    ElementTree.fromstring(picture.svg)  # control characters are not XML


def test_the_axes_of_a_picture_have_their_names_however_long_within_the_page():
    for names in (("y", "x"), ("latitude", "longitude"), ("a_name_of_thirty_characters_or_", "x"), ("latitude", None)):
        picture = drawing.selection_picture((8, 8), [4, 4], touched=[], words="", names=names)
        texts = [e for e in ElementTree.fromstring(picture.svg).iter("{http://www.w3.org/2000/svg}text") if e.text]
        drawn = [e for e in texts if "\N{DOWNWARDS ARROW}" in e.text or "\N{RIGHTWARDS ARROW}" in e.text]
        assert all(name is None or any(name[:20] in e.text for e in drawn) for name in names)
        for e in drawn:
            reach = 7 * len(e.text)  # a letter of size 12 is no wider
            left = float(e.get("x")) - (reach if e.get("text-anchor") == "end" else 0)
            assert left >= 0


def test_text_for_a_page_is_escaped_and_a_long_value_says_that_it_is_cut():
    assert escape("<a b='c'>&\"") == "&lt;a b=&#x27;c&#x27;&gt;&amp;&quot;"
    assert plain("x" * 400, 100) == "x" * 80 + "... (400 characters)"
    assert plain("temperature", 6) == "tempe\N{HORIZONTAL ELLIPSIS}"
    parsed = check(page.attributes({"history": "y" * 5000}))
    assert "(5,002 characters)" in " ".join(parsed.words)


@pytest.mark.parametrize(
    ("nbytes", "words"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (1 << 30, "1.0 GiB"),
        (1 << 60, "1,024.0 PiB"),
    ],
)
def test_sizes_are_told_in_the_unit_that_suits_them(nbytes, words):
    assert size_text(nbytes) == words


def test_ratios_are_told_as_they_are():
    assert [ratio_text(1000, n) for n in (0, 10, 400, 1000, 4000)] == [
        "nothing is stored",
        "100 : 1",
        "2.5 : 1",
        "1.0 : 1",
        "0.25 : 1",
    ]


# --- trees


def hierarchy():
    root = zarr.create_group({})
    root.create_array("a/b/x", shape=(3,), dtype="i4")
    root.create_array("a/y", shape=(4, 4), chunks=(2, 2), dtype="f4", dimension_names=("lat", "lon"))
    root.create_group("c")
    return root


def test_a_tree_on_a_page_nests_as_the_hierarchy_does():
    parsed = check(hierarchy().tree()._repr_html_())
    assert parsed.tags.count("details") == 2  # a and a/b; what is empty does not fold
    words = " ".join(parsed.words)
    for expected in ("2 arrays", "3 groups", "(4, 4) float32", "lat, lon", "chunks (2, 2)", "empty group"):
        assert expected in words


def test_a_tree_that_was_cut_does_not_call_a_group_empty():
    words = " ".join(check(hierarchy().tree(max_depth=1)._repr_html_()).words)
    assert words.count("group, not opened") == 2
    assert "empty" not in words
    assert str(hierarchy().tree(max_depth=1)) == "/\n├── a\n└── c"


def test_a_group_shows_members_only_where_its_metadata_has_them():
    root = hierarchy()
    assert "not listed" in root._repr_html_()
    zarr.consolidate_metadata(root.store)
    for mode in ("r", "r+"):
        store = TraceStore(root.store)
        consolidated = zarr.open_consolidated(store, mode=mode)
        store.clear()
        words = " ".join(check(consolidated._repr_html_()).words)
        assert "(4, 4) float32" in words
        assert "consolidated" in words
        assert store.requests == []


def test_a_group_of_many_members_is_folded_at_first():
    root = zarr.create_group({})
    for number in range(30):
        root.create_group(f"many/g{number}")
    root.create_group("few/g")
    html = root.tree()._repr_html_()
    assert re.search(r"<details open><summary><b>few</b>", html)
    assert re.search(r"<details><summary><b>many</b>", html)


# --- pictures of selections


def test_touched_chunks_are_counted_as_by_hand():
    axes = [Axis(23, 5), UnevenAxis(23, [1, 2, 20])]
    steps = itertools.product(axes, range(0, 23, 3), range(0, 24, 3), (1, 2, 7))
    for axis, start, stop, step in steps:
        indices = range(start, stop, step)
        assert cells_touched(axis, indices) == len({axis.find(i) for i in indices})


def filled(picture, style):
    root = ElementTree.fromstring(picture.svg)
    paths = [e.get("d") for e in root.iter() if e.get("class") == style and e.get("d")]
    return [tuple(map(float, box)) for d in paths for box in re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)v([\d.]+)h", d)]


def test_a_chunk_that_is_wanted_whole_is_filled_and_one_in_part_is_hatched():
    touched = [((0, 0), False), ((0, 1), True), ((1, 1), True)]
    picture = drawing.selection_picture((4, 6), [2, 3], touched=touched)
    assert len(filled(picture, "tz-stored")) == 2
    assert len(filled(picture, "tz-quiet")) == 1
    assert "touches 3 chunks, 2 of them whole and 1 in part" in str(picture)
    assert "tz-hatch" in picture.svg


def test_uneven_chunks_are_drawn_at_their_lengths():
    picture = drawing.selection_picture((60, 100), [(10, 20, 30), 25], touched=[((i, 0), True) for i in range(3)])
    heights = [box[3] for box in filled(picture, "tz-stored")]
    assert heights == pytest.approx([heights[0], 2 * heights[0], 3 * heights[0]], rel=1e-3)


def test_edge_chunks_end_at_the_edge():
    picture = drawing.selection_picture((10,), [4], touched=[((2,), True)])
    (left, _, wide, _), frame = filled(picture, "tz-stored")[0], ElementTree.fromstring(picture.svg)
    box = next(e for e in frame.iter() if e.get("class") == "tz-frame" and e.get("width"))
    assert left + wide == pytest.approx(float(box.get("x")) + float(box.get("width")), abs=0.1)


def test_a_grid_too_fine_to_draw_is_drawn_in_cells_that_say_what_they_stand_for():
    touched = [((i, j), True) for i in range(100) for j in range(100)]
    picture = drawing.selection_picture((10**6, 10**6), [1000, 1000], touched=touched)
    found = re.search(r"each cell stands for (\d+) x (\d+) chunks", picture.svg)
    rows, columns = map(int, found.groups())
    boxes = len(filled(picture, "tz-stored"))
    assert boxes == -(-100 // rows) * -(-100 // columns)
    assert len(picture.svg) < 60_000


def test_planes_that_are_left_out_are_counted():
    few = drawing.selection_picture((4, 4, 4), [2, 2, 2], touched=[((1, 0, 0), True)])
    assert few.svg.count("axis 0") == 2
    assert "drawn:" not in few.svg
    touched = [((i, 0, 0), True) for i in range(5)]
    some = drawing.selection_picture((100, 4, 4), [1, 2, 2], touched=touched)
    assert some.svg.count(">axis 0") == 5
    words = re.sub(r"</text><text[^>]*>", " ", some.svg)
    assert "drawn: all planes touched, 5 of 100" in words
    many = drawing.selection_picture((100, 4, 4), [1, 2, 2], touched=[((i, 0, 0), True) for i in range(50)])
    assert many.svg.count(">axis 0") == 9
    assert "drawn: every 6th of the 50 planes touched; there are 100" in re.sub(r"</text><text[^>]*>", " ", many.svg)


def test_a_selection_is_outlined_only_in_the_planes_that_it_reaches():
    options = {"selection": (range(3), range(1, 3), range(1, 3))}
    picture = drawing.selection_picture((8, 4, 4), [2, 2, 2], touched=[((0, 0, 0), False)], **options)
    outlines = [e for e in ElementTree.fromstring(picture.svg).iter() if e.get("class") == "tz-select"]
    assert len([e for e in outlines if e.get("height") != "15"]) == 2


def test_a_selection_that_is_a_dot_lies_on_the_labels_and_can_be_seen():
    touched, dot = [((0, 0), False)], (range(25, 26), range(25, 26))
    picture = drawing.selection_picture((1000, 1000), [500, 500], touched=touched, selection=dot)
    drawn = [*ElementTree.fromstring(picture.svg).iter()]
    [label] = [i for i, e in enumerate(drawn) if e.text == "0,0"]
    [place] = [i for i, e in enumerate(drawn) if e.get("class") == "tz-select" and e.get("height") != "15"]
    assert label < place
    assert float(drawn[place].get("width")) == float(drawn[place].get("height")) == 8


def test_shards_are_drawn_around_their_chunks():
    picture = drawing.selection_picture((8, 8), [2, 2], [4, 4], touched=[((0, 0), True)])
    paths = [e.get("d") for e in ElementTree.fromstring(picture.svg).iter() if e.get("class") == "tz-frame"]
    assert sum(d.count("M") for d in paths if d) == 2  # one line between the shards on each axis
    assert "shards of 4 x 4" in picture.svg


@pytest.mark.parametrize("shape", [(), (0,), (5,), (0, 3), (2, 0, 2), (3, 4), (2, 2, 2, 2, 2)])
def test_every_shape_can_be_drawn(shape):
    picture = drawing.selection_picture(shape, [2] * len(shape), touched=[])
    ElementTree.fromstring(picture.svg)
    assert "touches no chunks" in str(picture)


def test_the_same_data_give_the_same_svg_and_others_another_name():
    one, same, other = (
        drawing.selection_svg((4, 4), [2, 2], touched=[((0, n), True)], words=f"a[{n}]") for n in (0, 0, 1)
    )
    assert one == same
    ids = [set(re.findall(r'id="(\w+)"', svg)) for svg in (one, other)]
    assert not ids[0] & ids[1]


# --- legibility


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def contrast(one, two):
    dark, light = sorted((luminance(one), luminance(two)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("shade", [0, 1], ids=["light", "dark"])
def test_words_stand_out_from_every_ground_they_stand_on_as_wcag_asks(shade):
    colour = {name: pair[shade] for name, pair in drawing.COLOURS.items()}
    grounds = ["page", "panel", *(name for name in colour if name.endswith("ground"))]
    for ground in grounds:
        assert contrast(colour["text"], colour[ground]) >= 4.5, ground
    for ground in ("page", "panel"):
        assert contrast(colour["dim"], colour[ground]) >= 4.5, ground
    for name in colour:
        if name.endswith("mark"):
            assert contrast(colour[name], colour["page"]) >= 3, name


def test_tables_name_their_rows_and_columns():
    parsed = check(page.table([["a", 1], ["b", 2]], ("name", "value"), "Two rows", numbers=(1,)))
    scopes = [value for tag, name, value in parsed.attributes if tag == "th" and name == "scope"]
    assert scopes == ["col", "col", "row", "row"]
    assert "caption" in parsed.tags
